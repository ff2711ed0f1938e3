"""nginx with the shipped configuration, in front of gateways: pages, proxying, sockets, and the two browsers that meet."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import threading

import httpx
import pytest

from conftest import fresh_databases, fresh_redis
from contract.client import Person, Socket, problem, wait_until
from contract.test_gateway import OK, Fake
from harness.nginx import Frontend
from harness.server import ROOT, Pair, Split

pytestmark = pytest.mark.timed

# What nginx and the server each say in their own way.
OWN_WORDS = {"date", "server", "etag", "last-modified", "content-length", "transfer-encoding", "connection", "vary",
             "accept-ranges", "x-request-id", "content-encoding"}

# Which screens browsers go through behind it; in the short run each once.
MEETINGS = [("apart", "meeting"), ("two in one", "rules"), ("apart", "doors")]
if os.environ.get("LONG") == "1":
    MEETINGS += [("two in one", "meeting"), ("apart", "rules"), ("two in one", "doors")]


@pytest.fixture(scope="module")
def system(postgres, redis):
    """Two gateways that believe the frontend, and everything behind them."""
    with Split(each=2, RATE_LIMITS="off", **fresh_databases(postgres), **fresh_redis(redis)) as split:
        yield split


@pytest.fixture(scope="module")
def frontend(system):
    with Frontend(*(gateway.url.removeprefix("http://") for gateway in system.gateways)) as running:
        yield running


@pytest.fixture
def before():
    """Starts a frontend before a fake gateway: `before(fake)`."""
    started = []

    def start(fake: Fake) -> Frontend:
        started.append(Frontend(fake.url.removeprefix("http://")).start())
        return started[-1]

    yield start
    for frontend in started:
        frontend.close()


def told(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OWN_WORDS}


@pytest.mark.parametrize("path", ["/", "/index.html", "/rooms", "/rooms.html", "/room.html", "/r/7", "/admin", "/admin.html", "/admin/rooms"])
def test_pages_are_the_servers_own_word_for_word(frontend, system, path):
    here, there = httpx.get(frontend.url + path), httpx.get(system.url + path)
    assert here.status_code == there.status_code == 200
    assert here.text == there.text
    assert told(here) == told(there)
    assert "nginx/" not in here.headers["server"]
    again = httpx.get(frontend.url + path, headers={"if-none-match": here.headers["etag"]})
    assert again.status_code == 304


def test_assets_are_kept_for_ever_and_another_releases_are_asked_for(frontend, system):
    page = httpx.get(frontend.url + "/").text
    path = re.search(r'href="/static/([^"]*base.css)"', page)[1]
    build, name = path.split("/", 1)
    here, there = (httpx.get(f"{url}/static/{path}") for url in (frontend.url, system.url))
    assert here.text == there.text
    assert told(here) == told(there)
    assert "immutable" in here.headers["cache-control"]
    assert here.headers["content-encoding"] == "gzip"
    other = httpx.get(f"{frontend.url}/static/another{build[7:]}/{name}")
    assert (other.text, other.headers["cache-control"]) == (here.text, "no-cache")
    problem(httpx.get(f"{frontend.url}/static/{build}/nothing.css"), 404, "not_found")


def test_what_is_measured_is_not_for_everybody(frontend, system):
    assert httpx.get(system.url + "/metrics").status_code == 200
    assert httpx.get(frontend.url + "/metrics").status_code == 404


def test_a_meeting_through_it(frontend):
    ann, bob = Person(frontend, "Ann"), Person(frontend, "Bob")
    room = ann.room()
    bob.join(room)
    sockets = [Socket(frontend, person.ticket(), origin=frontend.url) for person in (ann, bob)]
    for each in sockets:
        each.subscribe(room)
    said = [ann.say(room, f"line {number}") for number in range(20)]
    for each in sockets:
        assert [each.receive("message")["message"] for _ in said] == said
        each.raw.close()
    assert ann.get("/api/rooms").headers["content-type"] == "application/json"
    assert ann.post("/api/auth/logout").status_code == 204
    wait_until(lambda: ann.get("/api/rooms").status_code == 401, timeout=frontend.bites_s)
    problem(ann.get("/api/rooms"), 401, "session_over")
    # Neither tokens nor tickets are in the log.
    lines = [json.loads(line) for line in wait_until(frontend.read_accesses).splitlines()]
    assert lines and all("?" not in line["path"] for line in lines)


def test_what_the_gateway_hears_of_the_client(before):
    with Fake(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}") as fake:
        frontend = before(fake)
        forged = {
            "x-forwarded-for": "203.0.113.9", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https",
            "x-real-ip": "203.0.113.9", "forwarded": "for=203.0.113.9", "x-request-id": "mine-1", "host": "meet.example:81",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        }
        httpx.get(frontend.url + "/api/rooms?limit=1", headers=forged)
        assert fake.heads[-1].startswith("GET /api/rooms?limit=1 HTTP/1.1")
        assert fake.header("host") == ["meet.example:81"]
        assert fake.header("x-forwarded-for") == ["127.0.0.1"]
        assert fake.header("x-forwarded-proto") == ["http"]
        assert [fake.header(name) for name in ("x-forwarded-host", "x-real-ip", "forwarded", "upgrade")] == [[], [], [], []]
        assert fake.header("x-request-id") == ["mine-1"]
        assert fake.header("traceparent") == [forged["traceparent"]]
        httpx.get(frontend.url + "/api/rooms", headers={"x-request-id": "not an id"})
        assert len(fake.header("x-request-id")[0]) == 32


def test_without_a_gateway_it_says_so_and_still_has_the_pages(before):
    fake = Fake(None)
    fake.close()
    frontend = before(fake)
    problem(httpx.get(frontend.url + "/api/rooms"), 503, "service_unavailable")
    assert httpx.get(frontend.url + "/").status_code == 200


def test_answers_and_requests_are_passed_on_piece_by_piece(before):
    """An upload is not collected before it is passed on, nor an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        fake = Fake(None)
        fake.close()
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        frontend = before(fake)
        with socket.create_connection(("127.0.0.1", frontend.port), timeout=10) as client:
            client.sendall(b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nfirst")
            gateway, _ = listener.accept()
            with gateway:
                gateway.settimeout(10)
                heard = b""
                while not heard.endswith(b"first"):
                    heard += gateway.recv(4096)
                gateway.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                for piece in (b"data: 1\n\n", b"data: 2\n\n"):
                    gateway.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                    seen = b""
                    while piece not in seen:
                        seen += client.recv(4096)
                client.sendall(b"other")
                assert gateway.recv(4096) == b"other"


def test_a_gateway_that_dies_is_left_out(postgres, redis):
    settings = {"RATE_LIMITS": "off"} | fresh_databases(postgres) | fresh_redis(redis)
    with Split(each=2, **settings) as split, Frontend(*(g.url.removeprefix("http://") for g in split.gateways)) as frontend:
        ann = Person(frontend, "Ann")
        failed, over = [], threading.Event()

        def read():
            while not over.is_set():
                answer = ann.get("/api/rooms")
                if answer.status_code != 200:
                    failed.append(answer.text)

        reading = threading.Thread(target=read)
        reading.start()
        split.gateways[0].kill()
        over.wait(2)
        over.set()
        reading.join()
        assert failed == []
        ann.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("layout, scene", MEETINGS)
def test_browsers_meet_through_nginx(postgres, redis, layout, scene):
    settings = {"REGISTRATION": "open"} | fresh_databases(postgres) | fresh_redis(redis)
    with contextlib.ExitStack() as stack:
        if layout == "apart":
            servers = stack.enter_context(Split(each=2, **settings)).gateways
        else:
            servers = stack.enter_context(Pair(**settings, TRUSTED_PROXIES="127.0.0.1")).servers()
        frontend = stack.enter_context(Frontend(*(server.url.removeprefix("http://") for server in servers)))
        # How each screen looks is seen where the server is alone.
        done = subprocess.run(
            ["node", "--test", f"{scene}.test.mjs"], cwd=ROOT / "tests/browser", timeout=300, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"CLOUDMEET_PORT": str(frontend.port), "CLOUDMEET_LOOK": "off"},
        )
        assert done.returncode == 0, done.stdout[-8000:]
        assert "# fail 0" in done.stdout and "# pass 0" not in done.stdout
