"""The server as a whole: HTTP manners, pages, limits, configuration, and two servers on one database."""

import json
import os
import re
import socket as sockets
import sqlite3
import subprocess
import time

import httpx
import pytest
from openapi_spec_validator import validate

from conftest import fresh_databases
from contract.client import PASSWORD, Person, problem, unique_email, wait_until
from harness.server import BINARY, Server, run_to_end

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url, timeout=5) as client:
        yield client


# HTTP

def test_probes_answer_without_a_token(http):
    assert http.get("/health").json() == {"status": "healthy", "service": "gateway"}
    assert http.get("/livez").status_code == 200
    assert http.get("/readyz").status_code == 200
    assert http.head("/health").status_code == 200


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/rooms/1/nothing", "/nothing", "/api/rooms/"])
def test_an_unknown_path_is_a_json_404(http, path):
    problem(http.get(path), 404, "not_found")


def test_an_unknown_method_is_a_405_that_names_the_known_ones(http):
    answer = http.put("/api/rooms")
    problem(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["allow"].split(",")}


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"email": "x"} x', b"\xff\xfe", b'{"a": \x00}', b"[" * 5000])
def test_a_body_that_is_no_json_is_unreadable(http, body):
    answer = http.post("/api/auth/login", content=body, headers={"content-type": "application/json"})
    problem(answer, 400, "unreadable_body")


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"x"', b"{}", b'{"email": {}, "password": "x"}'])
def test_a_body_of_another_shape_is_refused(http, body):
    answer = http.post("/api/auth/login", content=body, headers={"content-type": "application/json"})
    assert problem(answer, 422, "invalid")["errors"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"])
def test_a_body_that_is_not_declared_as_json_is_refused(http, kind):
    headers = {} if kind is None else {"content-type": kind}
    body = json.dumps({"email": "a@example.org", "password": "x"}).encode()
    problem(http.post("/api/auth/login", content=body, headers=headers), 415, "unsupported_media_type")


def test_json_may_name_its_charset(http):
    body = json.dumps({"email": "a@example.org", "password": "x"}).encode()
    answer = http.post("/api/auth/login", content=body, headers={"content-type": "Application/JSON; charset=utf-8"})
    problem(answer, 401, "wrong_credentials")


@pytest.mark.parametrize("length", [65 * 1024, 1024 * 1024, 4 * 1024 * 1024])
def test_a_body_over_64_kib_is_refused_and_the_connection_survives(http, length):
    answer = http.post("/api/auth/login", json={"email": "x" * length, "password": "x"})
    problem(answer, 413, "body_too_large")
    assert http.get("/health").status_code == 200


def test_errors_speak_english_and_russian(http):
    english = problem(http.get("/api/rooms"), 401, "unauthenticated")
    russian = problem(http.get("/api/rooms", headers={"accept-language": "ru-RU, en;q=0.5"}), 401, "unauthenticated")
    assert re.search("[а-я]", russian["detail"]) and not re.search("[а-я]", english["detail"])
    body = {"email": "nobody", "display_name": "x", "password": "short"}
    answer = http.post("/api/auth/register", json=body, headers={"accept-language": "ru"})
    assert all(re.search("[а-я]", error["message"]) for error in problem(answer, 422, "invalid")["errors"])
    assert answer.headers["content-language"] == "ru"


# Pages and documentation

def test_pages_come_under_the_policy_and_are_asked_for_anew(http):
    for path in ("/", "/rooms", "/rooms.html", "/room.html?id=1", "/r/1", "/r/some-room", "/admin", "/admin.html", "/admin/rooms"):
        answer = http.get(path)
        assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8", path
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "__BUILD__" not in answer.text
        known = http.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


def test_assets_are_kept_for_ever_under_their_hash(http):
    assets = re.findall(r'(?:href|src)="(/static/[^"#]+)', http.get("/").text)
    assert assets
    for path in assets:
        answer = http.get(path)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"], path
        kind = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[path.rsplit(".", 1)[1]]
        assert answer.headers["content-type"].startswith(kind)
        _, static, build, rest = path.split("/", 3)
        old = http.get(f"/{static}/another-build/{rest}")
        assert (old.status_code, old.content) == (200, answer.content)
        assert "immutable" not in old.headers["cache-control"]
    problem(http.get(f"/static/{build}/nothing.js"), 404, "not_found")
    problem(http.get(f"/static/{build}/..%2f..%2fCargo.toml"), 404, "not_found")


def test_the_description_is_valid_and_whole_and_needs_nothing_from_elsewhere(http):
    description = http.get("/openapi.json").json()
    validate(description)
    assert description["openapi"].startswith("3.1")
    documented = {(path, method) for path, item in description["paths"].items() for method in item}
    for path, *methods in (
        ("/api/auth/register", "post"), ("/api/auth/login", "post"), ("/api/auth/refresh", "post"),
        ("/api/auth/logout", "post"), ("/api/auth/me", "get", "patch"), ("/api/auth/validate", "get"),
        ("/.well-known/jwks.json", "get"), ("/api/rooms", "get", "post"), ("/api/rooms/{id}", "get", "patch", "delete"),
        ("/api/rooms/{id}/join", "post"), ("/api/rooms/{id}/leave", "post"), ("/api/rooms/{id}/read", "post"),
        ("/api/rooms/{id}/messages", "get", "post"), ("/api/rooms/{id}/messages/{message_id}", "patch", "delete"),
        ("/api/ws-ticket", "post"), ("/health", "get"), ("/livez", "get"), ("/readyz", "get"),
    ):
        for method in methods:
            assert (path, method) in documented
    for page in ("/docs", "/redoc"):
        answer = http.get(page)
        assert answer.status_code == 200 and "http" not in "".join(re.findall(r'(?:src|href)="([^"]+)"', answer.text))
        assert "'unsafe-inline'" in answer.headers["content-security-policy"].split("style-src")[1].split(";")[0]
        for asset in re.findall(r'(?:src|href)="(/docs/[^"]+)"', answer.text):
            assert http.get(asset).status_code == 200


# Limits

def until_limited(attempt, tries):
    for number in range(tries):
        answer = attempt(number)
        if answer.status_code == 429:
            problem(answer, 429, "rate_limited")
            assert answer.headers["retry-after"] in answer.json()["detail"]
            return number
    raise AssertionError(f"no limit within {tries}")


def test_limits_hold_for_logins_registrations_messages_and_tickets():
    with Server() as server:
        ann, bob = Person(server, "Ann"), Person(server, "Bob")
        wrong = until_limited(lambda _: ann.post("/api/auth/login", email=ann.email, password="wrong"), 30)
        assert 5 <= wrong <= 20
        right = ann.post("/api/auth/login", email=ann.email, password=PASSWORD)
        assert right.status_code == 429, "guessing stops for the right one too"
        assert bob.post("/api/auth/login", email=bob.email, password=PASSWORD).status_code == 200
        room = ann.room()
        until_limited(lambda n: ann.post(f"/api/rooms/{room}/messages", content=str(n)), 1000)
        until_limited(lambda _: ann.post("/api/ws-ticket"), 200)
        body = {"display_name": "Somebody", "password": PASSWORD}
        until_limited(lambda _: ann.post("/api/auth/register", email=unique_email(), **body), 100)
        ann.close(), bob.close()


def test_a_socket_that_sends_too_much_is_told_when_to_go_on():
    with Server() as server:
        ann = Person(server, "Ann")
        room = ann.room()
        socket = ann.socket()
        for number in range(150):
            socket.send("send", room_id=room, client_msg_id=str(number), content="x")
        error = socket.receive("error")
        assert error["code"] == "rate_limited" and error["retry_after"] > 0 and error["client_msg_id"]
        ann.close()


# The first administrator and the names of the server

def register(server, http=None, **more):
    body = {"email": unique_email(), "display_name": "Somebody", "password": PASSWORD} | more
    return (http or httpx).post(server.url + "/api/auth/register", json=body, **({} if http else {"timeout": 5}))


def test_locally_the_first_account_administers():
    with Server() as server:
        assert [register(server).json()["is_admin"] for _ in range(3)] == [True, False, False]


def test_locally_only_loopback_names_without_proxies_are_answered():
    with Server() as server:
        for host in (f"localhost:{server.port}", f"127.0.0.1:{server.port}", f"[::1]:{server.port}", "localhost"):
            assert httpx.get(server.url + "/", headers={"host": host}).status_code == 200, host
        for host in ("evil.example", f"127.0.0.1.evil.example:{server.port}", "192.168.0.1"):
            problem(httpx.get(server.url + "/api/rooms", headers={"host": host}), 421, "wrong_host")
        for header in ("x-forwarded-for", "forwarded", "x-forwarded-host", "x-real-ip"):
            problem(httpx.get(server.url + "/api/rooms", headers={header: "1.2.3.4"}), 421, "wrong_host")


def test_behind_a_name_a_setup_link_makes_the_first_administrator_once():
    headers = {"host": "meet.example.org"}
    with Server(PUBLIC_URL="https://meet.example.org", REGISTRATION="closed") as server, httpx.Client(headers=headers) as http:
        problem(register(server, http), 403, "registration_closed")
        problem(register(server, http, setup_code="wrong"), 403, "invalid_setup_code")
        [code] = re.findall(r"https://meet\.example\.org/\?setup=([\w-]+)", server.read_log())
        made = register(server, http, setup_code=code)
        assert (made.status_code, made.json()["is_admin"]) == (201, True)
        problem(register(server, http, setup_code=code), 403, "invalid_setup_code")
        email = made.json()["email"]
        login = http.post(server.url + "/api/auth/login", json={"email": email, "password": PASSWORD})
        cookie = login.headers["set-cookie"]
        assert cookie.startswith("__Host-cm_refresh=") and "Secure" in cookie and "Path=/" in cookie
        problem(httpx.get(server.url + "/api/rooms"), 421, "wrong_host")
        assert server.terminate() == 0


def test_a_forwarding_header_counts_only_from_a_trusted_proxy():
    settings = {"PUBLIC_URL": "http://localhost", "TRUSTED_PROXIES": "127.0.0.1", "REGISTRATION": "open"}
    with Server(**settings) as server:
        def attempt(address):
            headers = {"host": "localhost", "x-forwarded-for": address}
            body = {"email": unique_email(), "password": "x"}
            return httpx.post(server.url + "/api/auth/login", json=body, headers=headers)
        until_limited(lambda _: attempt("9.9.9.9, 10.1.1.1"), 100)
        assert attempt("10.1.1.2").status_code == 401, "another client has its own limit"
        # Forged words before the proxy's own buy no new allowance, which would be 60; time may have brought a few.
        until_limited(lambda number: attempt(f"1.1.1.{number}, 10.1.1.1"), 30)


# Configuration

@pytest.mark.parametrize("settings, words", [
    ({"ROLE": "queen"}, "role"), ({"PORT": "http"}, "port"), ({"PORT": "70000"}, "port"), ({"HOST": "nowhere"}, "host"),
    ({"JWT_SECRET_KEY": "short"}, "JWT_SECRET_KEY"), ({"JWT_SECRET_KEY": "super-secret-jwt-key-change-in-production"}, "JWT_SECRET_KEY"),
    ({"JWT_SECRET_KEY": "your-production-secret-key-0123456789"}, "JWT_SECRET_KEY"), ({"HOST": "0.0.0.0"}, "PUBLIC_URL"),
    ({"HOST": "0.0.0.0", "PUBLIC_URL": "https://a.b", "RATE_LIMITS": "off"}, "RATE_LIMITS"),
    ({"PUBLIC_URL": "meet.example.org"}, "PUBLIC_URL"), ({"PUBLIC_URL": "https://a.b/path"}, "PUBLIC_URL"),
    ({"REGISTRATION": "maybe"}, "registration"), ({"LOG_FORMAT": "xml"}, "log-format"), ({"RUST_LOG": "cloudmeet=loudest"}, "RUST_LOG"),
    ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"), ({"TRUSTED_PROXIES": "proxy"}, "trusted-proxies"),
    ({"ROLE": "auth"}, "INTERNAL_TOKEN"), ({"ROLE": "auth", "INTERNAL_TOKEN": "short"}, "INTERNAL_TOKEN"),
    ({"ROLE": "conference", "INTERNAL_TOKEN": "t" * 32}, "AUTH_SERVICE_URL"),
    ({"ROLE": "gateway", "AUTH_SERVICE_URL": "http://a:1"}, "CONFERENCE_SERVICE_URL"),
    ({"ROLE": "gateway", "AUTH_SERVICE_URL": "https://a", "CONFERENCE_SERVICE_URL": "http://b"}, "AUTH_SERVICE_URL"),
    ({"CONFIG_FILE": "/no/such/file"}, "/no/such/file"), ({"JWT_SECRET_KEY_FILE": "/no/such/file"}, "JWT_SECRET_KEY_FILE"),
])
def test_a_setting_that_cannot_be_stops_the_start_with_one_line_that_names_it(tmp_path, settings, words):
    ended = run_to_end(DATA_DIR=tmp_path / "data", **settings)
    assert ended.returncode != 0 and words in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1 and "panicked" not in ended.stderr, ended.stderr


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path):
    config = tmp_path / "cloudmeet.toml"
    config.write_text('log_format = "json"\nport = 1\n')
    with Server(CONFIG_FILE=config) as server:  # PORT=0 of the environment wins over port 1 of the file
        assert server.port > 1
    config.write_text("prot = 1\n")
    ended = run_to_end(["--config", str(config)], DATA_DIR=tmp_path / "data")
    assert ended.returncode != 0 and "prot" in ended.stderr
    ended = run_to_end(["--port", "x"], DATA_DIR=tmp_path / "data")
    assert ended.returncode != 0 and "--port" in ended.stderr


def test_a_secret_can_come_from_a_private_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a-secret-that-nobody-can-guess-at-all\n")
    secret.chmod(0o600)
    with Server(JWT_SECRET_KEY_FILE=secret) as server:
        assert httpx.get(server.url + "/.well-known/jwks.json").json() == {"keys": []}
    secret.chmod(0o644)
    ended = run_to_end(DATA_DIR=tmp_path / "data", JWT_SECRET_KEY_FILE=secret)
    assert ended.returncode != 0 and "chmod 600" in ended.stderr


def test_version_help_and_healthcheck():
    assert re.fullmatch(r"cloudmeet-api-server \d+\.\d+\.\d+\n", run_to_end(["--version"]).stdout)
    help_text = run_to_end(["--help"]).stdout
    readme = (BINARY.parents[2] / "README.md").read_text() if (BINARY.parents[2] / "README.md").exists() else help_text
    for name in re.findall(r"<([A-Z][A-Z_]+)>", help_text):
        assert name in readme, f"README does not tell of {name}"
    with Server() as server:
        assert run_to_end(["healthcheck", server.url + "/health"]).returncode == 0
        assert run_to_end(["healthcheck", server.url + "/nothing"]).returncode == 1
    assert run_to_end(["healthcheck", server.url + "/health"]).returncode == 1


# Bad surroundings

def test_a_data_directory_that_cannot_be_used_is_refused_with_the_remedy(tmp_path):
    is_open = tmp_path / "open"
    is_open.mkdir()
    is_open.chmod(0o755)
    ended = run_to_end(DATA_DIR=is_open)
    assert ended.returncode != 0 and f"chmod 700 {is_open}" in ended.stderr
    a_file = tmp_path / "file"
    a_file.write_text("")
    for path in (a_file, a_file / "below", "/proc/cloudmeet"):
        ended = run_to_end(DATA_DIR=path)
        assert ended.returncode != 0 and "DATA_DIR" in ended.stderr and "panicked" not in ended.stderr, path
        assert len(ended.stderr.strip().splitlines()) == 1


def test_a_port_in_use_is_named():
    with sockets.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Server(PORT=port)
        with pytest.raises(RuntimeError, match=f"127.0.0.1:{port}.*PORT"):
            server.start()
        server.close()


@pytest.mark.parametrize("name", ["auth", "conference"])
def test_a_database_of_a_newer_release_is_left_alone(name):
    with Server() as server:
        assert server.terminate() == 0
        path = server.home / "data" / f"{name}.db"
        with sqlite3.connect(path) as database:
            database.execute(
                f"INSERT INTO {name}_migrations (version, description, installed_on, success, checksum, execution_time) "
                "VALUES (9999, 'from the future', CURRENT_TIMESTAMP, TRUE, x'00', 0)"
            )
        with pytest.raises(RuntimeError, match="newer release"):
            server.start()


def test_a_database_that_is_away_is_a_503_and_comes_back(postgres):
    from harness.postgres import Cluster

    cluster = Cluster(fsync=False)
    cluster.start()
    try:
        with Server(RATE_LIMITS="off", **fresh_databases(cluster)) as server:
            ann = Person(server, "Ann")
            room = ann.room()
            ann.http.timeout = 20
            cluster.stop()
            answer = ann.post(f"/api/rooms/{room}/messages", content="x", client_msg_id="1")
            problem(answer, 503, "unavailable")
            assert httpx.get(server.url + "/livez").status_code == 200
            problem(httpx.get(server.url + "/readyz", timeout=10), 503, "unavailable")
            cluster.start()
            deadline = time.monotonic() + 20
            while httpx.get(server.url + "/readyz", timeout=10).status_code != 200:
                assert time.monotonic() < deadline
            answer = ann.post(f"/api/rooms/{room}/messages", content="x", client_msg_id="1")
            assert answer.status_code in (200, 201) and answer.json()["seq"] == 1
            ann.close()
    finally:
        cluster.destroy()


# Pages elsewhere

def test_pages_of_allowed_origins_may_use_the_interface_and_no_others():
    with Server(ALLOWED_ORIGINS="https://app.example.org") as server:
        def preflight(origin):
            headers = {
                "origin": origin, "access-control-request-method": "PATCH",
                "access-control-request-headers": "authorization,content-type",
            }
            return httpx.options(server.url + "/api/auth/me", headers=headers)
        allowed = preflight("https://app.example.org")
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://app.example.org"
        assert allowed.headers["access-control-allow-credentials"] == "true"
        assert "PATCH" in allowed.headers["access-control-allow-methods"]
        assert "authorization" in allowed.headers["access-control-allow-headers"]
        answer = httpx.get(server.url + "/api/auth/me", headers={"origin": "https://app.example.org"})
        assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
        for origin in ("https://evil.example", "null"):
            assert "access-control-allow-origin" not in preflight(origin).headers
    with Server() as server:
        answer = httpx.options(server.url + "/api/rooms", headers={"origin": server.url})
        assert answer.status_code == 405 and "access-control-allow-origin" not in answer.headers


# Two servers, one database

@pytest.mark.timed
def test_two_servers_on_one_database_are_one_system(postgres):
    shared = fresh_databases(postgres) | {"INTERNAL_TOKEN": "the-same-secret-on-both-of-the-servers", "RATE_LIMITS": "off"}
    with Server(**shared) as one, Server(**shared) as two:
        ann, bob = Person(one, "Ann"), Person(two, "Bob")
        assert httpx.get(two.url + "/api/auth/me", headers=ann.http.headers).status_code == 200
        room = ann.room()
        bob.join(room)
        here, there = ann.socket(), bob.socket()
        here.subscribe(room, status="in_call")
        there.subscribe(room, status="in_call")
        here.presence(bob.id, status="in_call")
        for number in range(20):
            (ann if number % 2 else bob).say(room, str(number))
        for socket in (here, there):
            seen = [socket.receive("message")["message"]["seq"] for _ in range(20)]
            assert seen == list(range(1, 21))
        rosters = [{p["user_id"]: (p["status"], p["version"]) for p in person.detail(room)["participants"]} for person in (ann, bob)]
        assert rosters[0] == rosters[1]
        from contract.client import Socket

        foreign = Socket(two, ann.ticket())
        assert foreign.ask("ping", "pong")["type"] == "pong"
        first = ann.say(room, "to be edited")
        there.receive("message")
        ann.patch(f"/api/rooms/{room}/messages/{first['id']}", content="edited")
        assert there.receive("message_updated")["message"]["content"] == "edited"
        other = Socket(two, ann.ticket())
        other.subscribe(room, status="in_call")
        assert here.receive("removed")["reason"] == "elsewhere"
        other.raw.close()
        began = time.monotonic()
        wait_until(lambda: [p["user_id"] for p in bob.detail(room)["participants"]] == [bob.id], timeout=10)
        assert 4 < time.monotonic() - began < 9, "the server that was taken over from keeps nobody"
        assert ann.delete(f"/api/rooms/{room}").status_code == 204
        assert there.receive("room_closed")["room_id"] == room
        assert ann.post("/api/auth/logout").status_code == 204
        began = time.monotonic()
        assert foreign.closed(timeout=6) == 4401
        assert time.monotonic() - began < 5
        problem(httpx.get(two.url + "/api/auth/me", headers=ann.http.headers), 401, "session_over")
        ann.close(), bob.close()


def test_servers_that_start_at_once_on_an_empty_database_all_come_up(postgres):
    shared = fresh_databases(postgres) | {"INTERNAL_TOKEN": "the-same-secret-on-all-of-the-servers"}
    servers = [Server(**shared) for _ in range(4)]
    try:
        import concurrent.futures

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(Server.start, servers))
    finally:
        for server in servers:
            server.close()
