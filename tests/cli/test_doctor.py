"""`doctor`: what is well is said, what is not is found, and each finding says what to do."""

from __future__ import annotations

import contextlib
import http.server
import json
import sqlite3
import threading

import httpx
import pytest

from cli.terminal import Cloudmeet
from conftest import fresh_databases, fresh_redis
from contract.client import PASSWORD, Person, wait_until
from harness.redis import Redis
from harness.server import Server


def findings(cli: Cloudmeet, code: int = 0) -> dict[str, list[tuple[str, str]]]:
    """Gives level and message of each thing that was looked at."""
    done = cli.run("-o", "json", "doctor", code=code)
    assert done.stderr == "", done.stderr
    found: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(done.stdout):
        assert (finding["remedy"] is None) == (finding["level"] == "ok"), finding
        found.setdefault(finding["check"], []).append((finding["level"], finding["message"]))
    return found


def levels(found: dict[str, list[tuple[str, str]]]) -> dict[str, str]:
    return {check: max((level for level, _ in of_check), key=["ok", "warning", "error"].index)
            for check, of_check in found.items()}


@contextlib.contextmanager
def proxied(server: Server, **headers: str):
    """A proxy that hands requests on, knows no WebSocket, and adds headers to answers. Gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.forward()

        def do_POST(self):
            self.forward()

        def forward(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            hop_by_hop = ("connection", "upgrade", "host", "content-length")
            sent = {name: value for name, value in self.headers.items() if name.lower() not in hop_by_hop}
            answer = httpx.request(self.command, server.url + self.path, headers=sent, content=body, timeout=10)
            self.send_response_only(answer.status_code)
            given = {name: value for name, value in answer.headers.items() if name.lower() not in headers}
            for name, value in (given | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        running.server_close()


def test_a_server_that_is_well_is_said_to_be(tmp_path):
    with Server() as server:
        cli = Cloudmeet(tmp_path)
        assert levels(findings(cli.with_flags("--server", server.url))) == {
            "server": "ok", "stores": "ok", "clock": "ok", "websocket": "ok",
        }
        person = Person(server, "Ann")
        cli.run("login", "--server", server.url, "--email", person.email, "--password-stdin", stdin=PASSWORD)
        found = findings(cli)
        assert levels(found) == {"server": "ok", "stores": "ok", "clock": "ok", "login": "ok", "websocket": "ok"}
        assert "frames come through" in found["websocket"][0][1]


def test_a_server_that_is_away_is_found(tmp_path):
    found = findings(Cloudmeet(tmp_path, "--server", "http://127.0.0.1:1"), code=1)
    assert levels(found) == {"server": "error"} and "cannot reach" in found["server"][0][1]


def test_a_proxy_without_websockets_is_found_with_and_without_a_login(tmp_path):
    with Server() as server, proxied(server) as address:
        cli = Cloudmeet(tmp_path)
        assert levels(findings(cli.with_flags("--server", address), code=1))["websocket"] == "error"
        person = Person(server, "Ann")
        cli.run("login", "--server", address, "--email", person.email, "--password-stdin", stdin=PASSWORD)
        found = levels(findings(cli, code=1))
        assert found["websocket"] == "error" and found["login"] == "ok"
        assert "-> let the proxy pass Upgrade" in cli.run("doctor", code=1).stdout


@pytest.mark.parametrize(("date", "level", "code"), [
    ("Tue, 01 Jan 2030 00:00:00 GMT", "error", 1),
    ("nonsense", None, 1),
])
def test_a_clock_that_is_far_off_is_found(tmp_path, date, level, code):
    with Server() as server, proxied(server, date=date) as address:
        found = levels(findings(Cloudmeet(tmp_path, "--server", address), code=code))
        assert found.get("clock") == level


def test_something_else_at_the_address_is_found(tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        found = findings(Cloudmeet(tmp_path, "--server", f"http://127.0.0.1:{other.server_address[1]}"), code=1)
        other.shutdown()
    assert "not as CloudMeet does" in found["server"][0][1]


def test_a_login_that_has_ended_is_found(tmp_path):
    with Server() as server:
        chief, person = Person(server, "Chief"), Person(server, "Ann")
        cli = Cloudmeet(tmp_path)
        cli.run("login", "--server", server.url, "--email", person.email, "--password-stdin", stdin=PASSWORD)
        chief.patch(f"/api/users/{person.id}", is_active=False)
        wait_until(lambda: cli.run("whoami", code=1))
        found = levels(findings(cli, code=1))
        assert (found["login"], found["websocket"]) == ("error", "ok")


def test_an_installation_of_files_is_looked_at_before_and_after_its_first_start(tmp_path):
    cli = Cloudmeet(tmp_path, "--direct", DATA_DIR=str(tmp_path / "data"), PORT="0")
    assert set(levels(findings(cli)).values()) == {"ok"}
    assert not (tmp_path / "data").exists()
    cli.run("users", "list")
    found = findings(cli)
    assert levels(found) == {
        "configuration": "ok", "data directory": "ok", "disk": "ok", "accounts": "ok", "administrators": "warning",
        "rooms": "ok", "port": "ok",
    }
    cli.run("users", "create", "--email", "ann@example.org", "--name", "Ann", "--admin", "--no-password")
    assert set(levels(findings(cli)).values()) == {"ok"}
    (tmp_path / "data").chmod(0o755)
    found = findings(cli, code=1)
    assert levels(found)["data directory"] == "error"
    assert "chmod 700" in cli.run("doctor", code=1).stdout


def test_the_server_beside_it_is_looked_at_too(tmp_path):
    with Server() as server:
        cli = Cloudmeet(tmp_path, "--direct", DATA_DIR=str(server.home / "data"), PORT=str(server.port))
        found = levels(findings(cli))
        assert (found["server"], found["websocket"], found["stores"]) == ("ok", "ok", "ok")


def test_settings_that_are_not_sound_are_found_by_name(tmp_path):
    cli = Cloudmeet(tmp_path, "--direct", DATA_DIR=str(tmp_path / "data"), HOST="0.0.0.0")
    found = findings(cli, code=1)
    assert levels(found) == {"configuration": "error"} and "PUBLIC_URL" in found["configuration"][0][1]


def test_databases_and_redis_that_lack_something_are_found(tmp_path, postgres):
    settings = fresh_databases(postgres)
    with Redis() as redis:
        shared = settings | {"INTERNAL_TOKEN": "a-token-of-at-least-32-bytes-for-this", "PORT": "0"}
        cli = Cloudmeet(tmp_path, "--direct", **shared, **fresh_redis(redis))
        found = levels(findings(cli))
        assert (found["accounts"], found["rooms"], found["redis"]) == ("warning", "warning", "ok")
        cli.run("db", "migrate")
        found = levels(findings(cli))
        assert (found["accounts"], found["rooms"], found["clock"]) == ("ok", "ok", "ok")
    assert levels(findings(cli))["redis"] == "warning"
    away = Cloudmeet(tmp_path, "--direct", PORT="0", DATABASE_URL="postgres://somebody:secret-word@127.0.0.1:1/nowhere")
    found = findings(away, code=1)
    assert levels(found)["accounts"] == levels(found)["rooms"] == "error"
    assert "secret-word" not in json.dumps(found)


def test_a_database_of_a_newer_release_is_found(tmp_path):
    cli = Cloudmeet(tmp_path, "--direct", DATA_DIR=str(tmp_path / "data"), PORT="0")
    cli.run("users", "list")
    with sqlite3.connect(tmp_path / "data" / "auth.db") as database:
        database.execute("INSERT INTO auth_migrations SELECT 99, description, installed_on, success, checksum, "
                         "execution_time FROM auth_migrations WHERE version = 1")
    found = findings(cli, code=1)
    assert levels(found)["accounts"] == "error" and "newer release" in found["accounts"][0][1]
    assert "newer release" in cli.refused("users", "list")
