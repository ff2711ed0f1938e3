"""Bad input, exit codes, terminals, pipes and the login."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socketserver
import sqlite3
import stat
import subprocess
import threading

import pytest

from cli.terminal import BINARY, CONTROL, Cloudmeet, first_line, width
from contract.client import PASSWORD, Person, first_administrator, unique_email, wait_until
from harness.server import Server

ESCAPES = "\x1b[31mred\x1b]0;title\x07"


@pytest.fixture(scope="module")
def server():
    with Server(RATE_LIMITS="off") as running:
        running.administrator = first_administrator(running)
        yield running


@pytest.fixture
def cli(tmp_path):
    return Cloudmeet(tmp_path)


def login(cli: Cloudmeet, server: Server, person: Person, **more: object) -> str:
    arguments = ["login", "--server", server.url, "--email", person.email, "--password-stdin"]
    return cli.run(*arguments, stdin=PASSWORD, **more).stdout


def login_file(cli: Cloudmeet) -> pathlib.Path:
    return cli.home / ".config/cloudmeet/default.json"


def test_alone_it_says_which_side_it_would_ask_and_why(cli, direct, server):
    assert "http://127.0.0.1:8000" in cli.text() and "nothing else is known" in cli.text()
    said = cli.with_flags("--server", server.url).text()
    assert server.url in said and "--server" in said
    assert "--direct says so" in direct.text() and "auth.db" in direct.text()
    login(cli, server, server.administrator)
    said = cli.text()
    assert server.url in said and server.administrator.email in said and "logged in" in said


def test_a_database_of_the_environment_is_used_when_nobody_is_logged_in(tmp_path):
    cli = Cloudmeet(tmp_path, DATABASE_URL="postgres://somebody:secret-word@127.0.0.1:1/nowhere")
    said = cli.text()
    assert "127.0.0.1:1/nowhere" in said and "environment" in said and "secret-word" not in said


def test_wrong_usage_is_2_and_a_refusal_is_1(cli, direct, server):
    assert "unrecognized subcommand" in cli.refused("rooms", "fly", code=2)
    assert "--direct" in cli.refused("--data-dir", "/tmp/x", "rooms", "list", code=2)
    assert "cannot be used with" in cli.refused("--server", server.url, "--direct", "rooms", "list", code=2)
    assert "not a server's address" in cli.refused("--server", "meet.example.org", "rooms", "list", code=2)
    assert "--owner USER or --as USER" in direct.refused("rooms", "create", "Nobody's", code=2)
    assert "--as USER" in direct.refused("chat", "send", "1", "hello", code=2)
    assert "what is to change" in direct.refused("rooms", "update", "1", code=2)
    assert "--password-stdin" in direct.refused("users", "create", "--email", "a@b.c", "--name", "Ann", code=2)
    assert "no such room" in direct.refused("rooms", "show", "999")


def test_what_cannot_be_taken_back_needs_yes_without_a_terminal(direct):
    ann = direct.json("users", "create", "--email", unique_email(), "--name", "Ann", "--no-password")
    for verb in ("deactivate", "delete"):
        assert "--yes" in direct.refused("users", verb, ann["id"], code=2)
    assert direct.json("users", "show", ann["id"]) == ann
    direct.run("users", "delete", ann["id"], "--yes")


def test_a_terminal_is_asked(direct):
    email = unique_email()
    making = direct.terminal("users", "create", "--email", email, "--name", "Ann")
    making.wait_for("Password of")
    making.type_hidden(PASSWORD + "\n")
    making.wait_for("Once more")
    making.type_hidden(PASSWORD + "\n")
    assert PASSWORD not in making.end()
    making = direct.terminal("users", "create", "--email", unique_email(), "--name", "Bob")
    making.wait_for("Password of")
    making.type_hidden(PASSWORD + "\n")
    making.wait_for("Once more")
    making.type_hidden("another-password\n")
    assert "differ" in making.end(code=1)

    deleting = direct.terminal("users", "delete", email)
    deleting.wait_for("[y/N]")
    deleting.type("n\n")
    assert "nothing was done" in deleting.end(code=1)
    assert direct.json("users", "show", email)["email"] == email
    deleting = direct.terminal("users", "delete", email)
    deleting.wait_for("[y/N]")
    deleting.type("y\n")
    assert "Deleted" in deleting.end()


def test_passwords_keep_to_the_servers_rules(direct):
    create = ["users", "create", "--email", "ann@example.org", "--name", "Ann", "--password-stdin"]
    assert "8" in direct.refused(*create, stdin="short")
    assert "password" in direct.refused(*create, stdin="password1")
    assert "no password on standard input" in direct.refused(*create, stdin="")
    said = direct.refused("users", "create", "--email", "none", "--name", "x", "--password-stdin", stdin="short")
    assert all(field in said for field in ("email: ", "display_name: ", "password: ")), said


def test_addresses_that_differ_by_case_or_unicode_form_are_one(direct):
    direct.run("users", "create", "--email", "Jose\u0301@Example.org", "--name", "José", "--no-password")
    for same in ("JOSÉ@example.ORG", "jose\u0301@EXAMPLE.org"):
        assert "There is an account" in direct.refused("users", "create", "--email", same, "--name", "J2", "--no-password")
        assert direct.json("users", "show", same)["display_name"] == "José"


def test_a_number_is_an_id_and_never_a_slug(direct):
    direct.run("users", "create", "--email", "ann@example.org", "--name", "Ann", "--no-password")
    refused = direct.refused("rooms", "create", "Numbers", "--owner", "ann@example.org", "--slug", "12345")
    assert refused.startswith("cloudmeet: slug")
    room = direct.json("rooms", "create", "Numbers", "--owner", 1, "--slug", "room-12345")
    assert direct.json("rooms", "show", "room-12345")["id"] == room["id"] == direct.json("rooms", "show", room["id"])["id"]
    for name in ("12345", "99999999999999999999999", "-1", "../users", "a b", "%2e%2e"):
        assert "no such room" in direct.refused("rooms", "show", "--", name)


def test_no_name_steers_a_terminal(direct):
    # The rules keep such names out; another program may have put them in.
    direct.run("users", "create", "--email", "ann@example.org", "--name", "Ann", "--no-password")
    room = direct.json("rooms", "create", "Plain", "--owner", 1)
    data = pathlib.Path(direct.flags[2])
    with sqlite3.connect(data / "auth.db") as database:
        database.execute("UPDATE accounts SET display_name = ?", [ESCAPES + "\u202e"])
    with sqlite3.connect(data / "conference.db") as database:
        database.execute("UPDATE rooms SET name = ?, description = ?", [ESCAPES, "two\nlines\x9b2J"])
    for arguments in (["users", "list"], ["users", "show", 1], ["rooms", "list"], ["rooms", "show", room["id"]]):
        for form in ("table", "json", "yaml"):
            text = direct.text("-o", form, *arguments)
            assert "red" in text and not CONTROL.search(text), (arguments, form, text)
    deleting = direct.terminal("rooms", "delete", room["id"])
    asked = deleting.wait_for("[y/N]")
    deleting.type("y\n")
    assert not CONTROL.search(asked.replace("\r", "")), asked
    assert not CONTROL.search(deleting.end().replace("\r", ""))


def test_a_narrow_terminal_shows_everything(direct):
    direct.run("users", "create", "--email", "a-rather-long-address@example.org", "--name", "日本語の名前", "--no-password")
    listing = direct.terminal("users", "list", columns=40)
    lines = listing.end().replace("\r", "").splitlines()
    assert max(width(line) for line in lines) <= 40, lines
    together = "".join("".join(lines).split())
    assert all(sign in together for sign in "日本語の名前"), lines


def test_a_closed_pipe_is_no_fault(direct):
    for number in range(30):
        direct.run("users", "create", "--email", unique_email(), "--name", f"User {number}", "--no-password")
    command = f"{BINARY} {' '.join(direct.flags)} users list -o json; echo ended with $? >&2"
    piped = subprocess.run(
        ["bash", "-c", f"({command}) | head -c 20"], env=direct.environment, capture_output=True, text=True, timeout=20
    )
    assert piped.stderr == "ended with 0\n", piped.stderr


def test_nobody_logged_in_is_told_what_to_do(cli, server):
    assert "cloudmeet login" in cli.with_flags("--server", server.url).refused("rooms", "list")


def test_a_login_is_kept_for_its_owner_alone(cli, server):
    said = login(cli, server, server.administrator)
    assert said == f"Logged in at {server.url} as {server.administrator.name} <{server.administrator.email}>.\n"
    path = login_file(cli)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert cli.json("whoami")["email"] == server.administrator.email
    assert PASSWORD not in path.read_text()
    path.chmod(0o644)
    assert "chmod 600" in cli.refused("whoami")


def test_a_half_written_login_says_so_and_is_made_anew(cli, server):
    login(cli, server, server.administrator)
    path = login_file(cli)
    path.write_text(path.read_text()[:40])
    assert "damaged" in cli.refused("rooms", "list")
    login(cli, server, server.administrator)
    cli.run("rooms", "list")


def test_a_wrong_password_leaves_the_login_before_it(cli, server):
    login(cli, server, server.administrator)
    refused = ["login", "--server", server.url, "--email", server.administrator.email, "--password-stdin"]
    assert "E-mail or password is not right" in cli.refused(*refused, stdin="wrong-password")
    cli.run("whoami")


def test_profiles_are_logins_of_their_own(cli, server):
    ann = Person(server, "Ann")
    login(cli, server, server.administrator)
    login(cli.with_flags("--profile", "ann"), server, ann)
    assert cli.json("whoami")["id"] == server.administrator.id
    assert cli.json("--profile", "ann", "whoami")["id"] == ann.id
    assert "You may not" in cli.refused("--profile", "ann", "users", "list")
    assert "a profile's name" in cli.refused("--profile", "../x", "whoami")


def test_an_access_token_is_renewed_by_itself_also_by_many_at_once(cli, server):
    login(cli, server, server.administrator)
    path = login_file(cli)
    stored = json.loads(path.read_text())
    stored["access_token_ends_at"] = 0
    path.write_text(json.dumps(stored))
    calls = [cli.start("-o", "json", "whoami") for _ in range(6)]
    for call in calls:
        out, err = call.communicate(timeout=20)
        assert call.returncode == 0, err
        assert json.loads(out)["id"] == server.administrator.id
    renewed = json.loads(path.read_text())
    assert renewed["refresh_token"] != stored["refresh_token"]
    cli.run("whoami")


def test_a_login_that_has_ended_says_so(cli, server):
    ann = Person(server, "Ann")
    login(cli, server, ann)
    server.administrator.patch(f"/api/users/{ann.id}", is_active=False)
    wait_until(lambda: "expired: run `cloudmeet login`" in cli.run("whoami", code=1).stderr)


def test_logging_out_ends_the_session_at_the_server_too(cli, server):
    ann = Person(server, "Ann")
    login(cli, server, ann)
    token = json.loads(login_file(cli).read_text())["access_token"]
    assert cli.text("logout") == f"Logged out of {server.url}.\n"
    assert not login_file(cli).exists()
    ann.http.headers["authorization"] = f"Bearer {token}"
    assert ann.get("/api/auth/me").status_code == 401
    assert cli.text("logout") == "Nobody was logged in.\n"


def test_a_server_that_is_away_is_named(cli, server, tmp_path):
    with Server() as other:
        person = Person(other, "Ann")
        login(cli, other, person)
        other.terminate()
        assert f"cannot reach {other.url}" in cli.refused("rooms", "list")
        assert "was not told" in cli.text("logout")
        assert not login_file(cli).exists()


class _Foreign(socketserver.StreamRequestHandler):
    """Answers as something else does, or another version."""

    answer = b""

    def handle(self):
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            del line
        self.wfile.write(self.answer)


@pytest.fixture
def foreign():
    """Starts a server that always says the same, and gives its address."""
    servers = []

    def start(status: str, kind: str, body: str) -> str:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        handler = type("Handler", (_Foreign,), {"answer": (head + body).encode()})
        running = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        servers.append(running)
        return f"http://127.0.0.1:{running.server_address[1]}"

    yield start
    for running in servers:
        running.shutdown()
        running.server_close()


def logged_in_at(cli: Cloudmeet, url: str) -> None:
    """Leaves a login as if a server had granted it."""
    path = login_file(cli)
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    login = {"server": url, "email": "a@b.c", "access_token": "t", "refresh_token": "r", "access_token_ends_at": 2**40}
    path.write_text(json.dumps(login))
    path.chmod(0o600)


@pytest.mark.parametrize(("status", "kind", "body", "said"), [
    ("200 OK", "text/html", "<html>", "cannot be read"),
    ("200 OK", "application/json", "[]", "cannot be read"),
    ("502 Bad Gateway", "text/html", "<html>", "502"),
    ("302 Found", "text/html", "", "302"),
    ("404 Not Found", "application/problem+json",
     '{"type":"about:blank","title":"Not Found","status":404,"detail":"There is nothing here.","code":"not_found"}',
     "another version"),
])
def test_another_server_or_version_is_told_apart(cli, foreign, status, kind, body, said):
    url = foreign(status, kind, body)
    logged_in_at(cli, url)
    assert said in cli.refused("users", "show", 1)
    assert cli.refused("login", "--server", url, "--email", "a@b.c", "--password-stdin", stdin=PASSWORD)


def test_members_of_a_newer_version_are_kept_and_passed_over(cli, foreign):
    account = ('{"id":1,"email":"ann@example.org","display_name":"Ann","is_active":true,"is_admin":false,'
               '"created_at":"2026-01-31T09:30:00.250Z","badge":{"z":1,"a":2}}')
    logged_in_at(cli, foreign("200 OK", "application/json", account))
    assert cli.json("users", "show", 1) == json.loads(account)
    assert "Ann" in cli.text("users", "show", 1)


def test_a_database_that_may_not_be_opened_is_named(direct, tmp_path):
    direct.run("users", "list")
    (tmp_path / "data" / "auth.db").chmod(0)
    # A file's mode forbids root nothing, unless root has laid down the two capabilities that make it so.
    bounded = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    denied = subprocess.run(
        [*bounded, BINARY, *direct.flags, "users", "list"], env=direct.environment, capture_output=True, text=True, timeout=20,
    )
    assert denied.returncode == 1 and "auth.db" in denied.stderr and "panicked" not in denied.stderr, denied


def test_a_locked_database_says_so_in_time(direct, tmp_path):
    direct.run("users", "list")
    lock = sqlite3.connect(tmp_path / "data" / "auth.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        create = ["users", "create", "--email", "ann@example.org", "--name", "Ann", "--no-password"]
        assert "database is locked" in direct.run(*create, code=1).stderr
    finally:
        lock.execute("ROLLBACK")
    direct.run(*create)


def test_ctrl_c_at_a_prompt_ends_it_and_leaves_the_terminal_as_it_was(direct):
    direct.run("users", "create", "--email", "ann@example.org", "--name", "Ann", "--no-password")
    asked = direct.terminal("users", "delete", "ann@example.org")
    asked.wait_for("[y/N]")
    asked.type("\x03")
    asked.end(code=130)
    assert direct.json("users", "show", "ann@example.org")
    asked = direct.terminal("users", "set-password", "ann@example.org")
    asked.wait_for("New password")
    asked.type_hidden("half a pass")
    asked.type("\x03")
    asked.wait_until_shown_again()
    asked.end(code=130)


def test_what_was_typed_wrongly_does_not_steer_the_terminal(direct):
    for words in (["users", "list", "--limit", ESCAPES], [ESCAPES], ["completions", ESCAPES], ["rooms", "show", ESCAPES]):
        done = direct.run(*words, code=1 if words[0] == "rooms" else 2)
        assert done.stderr and not CONTROL.search(done.stderr), done.stderr


def test_a_flag_outranks_the_configuration_file(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('database_url = "postgres://127.0.0.1:1/nowhere"\n')
    config.chmod(0o600)
    cli = Cloudmeet(tmp_path, "--direct", "--data-dir", str(tmp_path / "data"), CONFIG_FILE=str(config))
    assert cli.json("users", "list") == []
    other = Cloudmeet(tmp_path, "--direct", CONFIG_FILE=str(config))
    assert "127.0.0.1:1/nowhere" in other.refused("users", "list")


def test_settings_that_are_not_needed_are_not_judged(tmp_path):
    noise = {"HOST": "myhost", "PORT": "abc", "LOG_FORMAT": "zzz", "ROLE": "conference", "JWT_SECRET_KEY": "short"}
    cli = Cloudmeet(tmp_path, "--direct", DATA_DIR=str(tmp_path / "data"), **noise)
    assert cli.json("users", "list") == []
    assert "made a new installation" not in cli.run("users", "list").stderr


def test_the_address_of_the_environment_is_outranked_by_what_is_typed(tmp_path):
    cli = Cloudmeet(tmp_path, CLOUDMEET_URL="http://127.0.0.1:1", DATA_DIR=str(tmp_path / "data"))
    assert "http://127.0.0.1:1" in cli.text() and "CLOUDMEET_URL" in cli.text()
    assert cli.json("--direct", "users", "list") == []
    assert cli.json("db", "status")
    assert "8000" in Cloudmeet(tmp_path, CLOUDMEET_URL="", DATA_DIR=str(tmp_path / "none")).text()


def test_services_apart_need_both_databases_by_name(tmp_path):
    cli = Cloudmeet(tmp_path, "--direct", ROLE="auth", DATABASE_URL="postgres://127.0.0.1:1/cloudmeet_auth")
    assert "CONFERENCE_DATABASE_URL" in cli.refused("db", "status")


def test_a_login_is_shown_to_its_own_server_alone(cli, server):
    with Server(RATE_LIMITS="off") as other:
        ann, bob = Person(server, "Ann"), Person(other, "Bob")
        login(cli, server, ann)
        room = ann.room()
        following = cli.start("chat", "follow", room)
        try:
            ann.say(room, "before")
            assert b"before" in first_line(following)
            login(cli, other, bob)
            _, err = following.communicate(timeout=20)
            assert following.returncode == 1 and b"another server" in err, err
        finally:
            following.kill()


def test_an_expired_login_ends_what_follows(cli, server):
    ann = Person(server, "Ann")
    login(cli, server, ann)
    room = ann.room()
    ann.say(room, "before")
    following = cli.start("chat", "follow", room)
    try:
        first_line(following)
        server.administrator.patch(f"/api/users/{ann.id}", is_active=False)
        _, err = following.communicate(timeout=20)
        assert following.returncode == 1 and b"cloudmeet login" in err, err
    finally:
        following.kill()


def test_logging_in_anew_ends_the_session_before(cli, server):
    ann = Person(server, "Ann")
    login(cli, server, ann)
    token = json.loads(login_file(cli).read_text())["access_token"]
    login(cli, server, ann)
    ann.http.headers["authorization"] = f"Bearer {token}"
    assert ann.get("/api/auth/me").status_code == 401
    cli.run("whoami")


def test_a_login_that_others_could_read_is_ended_at_the_server(cli, server):
    ann = Person(server, "Ann")
    login(cli, server, ann)
    token = json.loads(login_file(cli).read_text())["access_token"]
    login_file(cli).chmod(0o644)
    assert "Logged out" in cli.text("logout")
    ann.http.headers["authorization"] = f"Bearer {token}"
    assert ann.get("/api/auth/me").status_code == 401


def test_a_server_that_finds_nobody_by_address_is_not_believed(cli, foreign):
    account = ('[{"id":1,"email":"root@example.org","display_name":"Root","is_active":true,"is_admin":true,'
               '"created_at":"2026-01-31T09:30:00.250Z"}]')
    logged_in_at(cli, foreign("200 OK", "application/json", account))
    assert "earlier version" in cli.refused("--yes", "users", "delete", "bob@example.org")


def test_a_full_standard_error_is_no_panic(direct):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, *direct.flags, "rooms", "show", "nope"], env=direct.environment, stderr=full, timeout=20)
    assert done.returncode == 1


def test_yaml_says_the_same_as_json(direct):
    direct.run("users", "create", "--email", "ann@example.org", "--name", "Ann", "--no-password")
    direct.run("rooms", "create", "Signs", "--owner", 1)
    as_ann = direct.with_flags("--as", "ann@example.org")
    as_ann.run("chat", "send", 1, "a\u200fb: - 'c'")
    # What it cannot say in signs it says as JSON, which is YAML.
    assert json.loads(as_ann.text("-o", "yaml", "chat", "history", 1)) == as_ann.json("chat", "history", 1)


def test_ctrl_c_ends_what_goes_on(direct):
    direct.run("users", "create", "--email", "ann@example.org", "--name", "Ann", "--no-password")
    direct.run("rooms", "create", "Watched", "--owner", 1)
    watching = direct.terminal("rooms", "watch", "--interval", 1)
    watching.wait_for("Watched")
    direct.run("rooms", "update", 1, "--name", "Renamed")
    watching.wait_for("Renamed")
    watching.interrupt()
    # The screen from before is back.
    assert watching.end(code=130).endswith("\x1b[?1049l")


def test_following_goes_on_after_the_server_was_away(cli, server):
    with Server(RATE_LIMITS="off") as other:
        ann = Person(other, "Ann")
        login(cli, other, ann)
        room = ann.room()
        ann.say(room, "before")
        following = cli.start("-o", "json", "chat", "follow", room)
        try:
            assert json.loads(first_line(following))["content"] == "before"
            other.kill()
            other.start()
            for number in range(3):
                ann.say(room, f"after {number}")
            assert [json.loads(first_line(following))["seq"] for _ in range(3)] == [2, 3, 4]
            ann.say(room, "and on")
            assert json.loads(first_line(following))["seq"] == 5
        finally:
            following.send_signal(signal.SIGINT)
            following.communicate(timeout=20)
        assert following.returncode == 130


def test_shells_and_manuals_know_every_verb(cli, tmp_path):
    for shell in ("bash", "zsh", "fish"):
        script = cli.text("completions", shell)
        assert all(verb in script for verb in ("set-password", "link-code", "follow", "rotate-keys"))
    bash = tmp_path / "completion.bash"
    bash.write_text(cli.text("completions", "bash"))
    subprocess.run(["bash", "-n", bash], check=True, timeout=20)
    cli.run("man", tmp_path / "man")
    pages = {path.name for path in (tmp_path / "man").iterdir()}
    assert {"cloudmeet.1", "cloudmeet-users-create.1", "cloudmeet-chat-follow.1"} <= pages


def test_help_and_version_are_there_for_all(cli):
    assert "--direct" in cli.text("--help") and "users" in cli.text("help")
    assert cli.text("--version").startswith("cloudmeet 0.")
    for noun in ("users", "rooms", "chat", "api-keys", "db"):
        assert "Usage" in cli.text(noun, "--help")
