"""The gateway between hostile clients and services that misbehave."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import pytest

from conftest import fresh_databases
from contract.client import Person, problem, wait_until
from harness.server import INNER, Server, Split

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Fake:
    """A service that answers each request with the same bytes, or not at all, and notes what it was asked."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return
            received += chunk
        head = received.split(b"\r\n\r\n")[0].decode()
        if head.startswith("GET /readyz"):
            connection.sendall(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
        else:
            self.heads.append(head)
            if self.answer is None:
                return
            connection.sendall(self.answer)
        connection.close()

    def header(self, name: str) -> list[str]:
        """The values of a header in the last request."""
        lines = [line.split(": ", 1) for line in self.heads[-1].split("\r\n")[1:]]
        return [value for key, value in lines if key.lower() == name]

    def __enter__(self) -> "Fake":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()


@pytest.fixture
def behind():
    """Starts a gateway before a fake conference service: `behind(fake)`. Its auth service is none."""
    started = []

    def start(fake: Fake, **settings: object) -> Server:
        upstreams = {"AUTH_SERVICE_URL": "http://127.0.0.1:9", "CONFERENCE_SERVICE_URL": fake.url}
        started.append(Server(ROLE="gateway", **upstreams | settings).start())
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="module")
def split(postgres):
    with Split(RATE_LIMITS="off", **fresh_databases(postgres)) as running:
        Person(running, "Administrator").close()
        yield running


def exchange(server, request: bytes) -> bytes:
    """Sends bytes to a server and gives all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(request)
        received = b""
        while chunk := raw.recv(65536):
            received += chunk
        return received


# What services answer

@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"\x00\xff\x00", b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_an_answer_that_is_none_is_a_502(behind, answer):
    with Fake(answer) as fake:
        answer = httpx.post(behind(fake).url + "/api/rooms", json={"name": "x"}, timeout=10)
        problem(answer, 502, "bad_gateway")
        assert int(answer.headers["retry-after"]) > 0


def test_half_an_answer_is_never_taken_for_a_whole_one(behind):
    with Fake(OK + b"Content-Length: 100\r\n\r\n[1,2") as fake, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(behind(fake).url + "/api/rooms", timeout=10)


def test_a_service_that_is_away_is_a_503_at_once_and_in_the_language_asked_for(behind):
    with Fake(b"") as fake:
        gateway = behind(fake)
        began = time.monotonic()
        answer = httpx.post(gateway.url + "/api/auth/login", json={}, headers={"accept-language": "ru"}, timeout=10)
        assert "недоступна" in problem(answer, 503, "service_unavailable")["detail"]
        assert time.monotonic() - began < 5
        assert httpx.get(gateway.url + "/readyz").status_code == 200


def test_a_redirect_is_handed_on_and_not_followed(behind):
    with Fake(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n") as fake:
        answer = httpx.get(behind(fake).url + "/api/rooms", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, "http://169.254.169.254/")
        assert len(fake.heads) == 1


def test_headers_of_one_connection_stay_on_it(behind):
    answer = OK + b"Connection: x-secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=9\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\n{}"
    with Fake(answer) as fake:
        given = {
            "connection": "close, x-mine", "x-mine": "1", "te": "trailers", "proxy-authorization": "Basic x",
            "x-kept": "1",
        }
        got = httpx.get(behind(fake).url + "/api/rooms", headers=given)
        assert got.headers["x-kept"] == "1" and "x-secret" not in got.headers and "keep-alive" not in got.headers
        assert fake.header("x-kept") == ["1"]
        assert not [name for name in ("x-mine", "te", "proxy-authorization") if fake.header(name)]


# What clients claim

def test_forwarding_headers_are_the_gateways_own(behind):
    with Fake(OK + b"Content-Length: 2\r\n\r\n{}") as fake:
        forged = {
            "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https", "forwarded": "for=6.6.6.6",
            "x-real-ip": "6.6.6.6", "x-forwarded-host": "evil.example",
        }
        gateway = behind(fake, PUBLIC_URL="http://127.0.0.1")
        httpx.get(gateway.url + "/api/rooms", headers=forged | {"host": "127.0.0.1"})
        assert fake.header("x-forwarded-for") == ["127.0.0.1"] and fake.header("x-forwarded-proto") == ["http"]
        assert not [name for name in ("forwarded", "x-real-ip", "x-forwarded-host") if fake.header(name)]
        assert fake.header("host") == ["127.0.0.1"]
        believing = behind(fake, TRUSTED_PROXIES="127.0.0.1")
        httpx.get(believing.url + "/api/rooms", headers=forged)
        assert fake.header("x-forwarded-for") == ["6.6.6.6, 127.0.0.1"] and fake.header("x-forwarded-proto") == ["https"]


@pytest.mark.parametrize("framing", [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/stolen HTTP/1.1\r\n\r\n",
    b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Content-Length: +5\r\n\r\nhello",
])
def test_a_request_of_two_meanings_reaches_no_service_as_two(behind, framing):
    with Fake(OK + b"Content-Length: 2\r\n\r\n{}") as fake:
        gateway = behind(fake)
        head = f"POST /api/rooms HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\nConnection: close\r\n".encode()
        exchange(gateway, head + framing)
        assert all(request.startswith("POST /api/rooms ") for request in fake.heads) and len(fake.heads) <= 1
        assert not (fake.heads and fake.header("content-length") and fake.header("transfer-encoding"))


def test_what_is_between_the_services_is_nobodys_business_outside(split):
    token = {"authorization": "Bearer " + INNER["INTERNAL_TOKEN"]}
    for path in ("/internal/changes", "/internal/people/1", "//internal/people/1", "/api/../internal/people/1"):
        answer = exchange(split, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{split.port}\r\nConnection: close\r\n"
                          f"Authorization: {token['authorization']}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 404 "), (path, answer)
    own = httpx.get(split.auth.url + "/internal/people/1", headers=token)
    assert own.status_code == 200 and set(own.json()) == {"display_name", "is_active"}
    for bad in ({}, {"authorization": "Bearer wrong"}, {"authorization": INNER["INTERNAL_TOKEN"]}):
        problem(httpx.get(split.auth.url + "/internal/people/1", headers=bad), 404, "not_found")


def test_a_bad_token_is_stopped_at_the_door(split, behind):
    ann = Person(split, "Ann")
    token = ann.http.headers["authorization"].removeprefix("Bearer ")
    head, claims, _ = token.split(".")
    for bad in (f"{head}.{claims}.", f"{head}.{claims}.AAAA", token[:-4] + "AAAA", "a.b.c"):
        problem(httpx.get(split.url + "/api/rooms", headers={"authorization": "Bearer " + bad}), 401, "invalid_token")
    with Fake(OK + b"Content-Length: 2\r\n\r\n{}") as fake:
        gateway = behind(fake, AUTH_SERVICE_URL=split.auth.url)
        assert httpx.get(gateway.url + "/api/rooms", headers={"authorization": "Bearer " + token}).status_code == 200
        forged = {"authorization": f"Bearer {head}.{claims}.AAAA"}
        problem(httpx.get(gateway.url + "/api/rooms", headers=forged), 401, "invalid_token")
        assert len(fake.heads) == 1


# Each service by itself

def test_each_service_describes_what_it_answers(split):
    paths = {name: set(httpx.get(server.url + "/openapi.json").json()["paths"])
             for name, server in (("auth", split.auth), ("conference", split.conference), ("gateway", split))}
    assert "/api/auth/login" in paths["auth"] and "/api/rooms" not in paths["auth"]
    assert "/api/rooms" in paths["conference"] and "/api/auth/login" not in paths["conference"]
    assert paths["gateway"] == paths["auth"] | paths["conference"]
    assert not [path for path in paths["gateway"] if "internal" in path]
    for server in (split.auth, split.conference, split):
        assert httpx.get(server.url + "/docs").status_code == 200


def test_services_judge_tokens_themselves(split):
    ann = Person(split, "Ann")
    for server, path in ((split.auth, "/api/auth/me"), (split.conference, "/api/rooms")):
        problem(httpx.get(server.url + path), 401, "unauthenticated")
        problem(httpx.get(server.url + path, headers={"authorization": "Bearer a.b.c"}), 401, "invalid_token")
        assert httpx.get(server.url + path, headers=dict(ann.http.headers)).status_code == 200


def test_with_the_auth_service_away_known_sessions_go_on_and_unknown_ones_wait(postgres):
    with Split(RATE_LIMITS="off", **fresh_databases(postgres)) as split:
        Person(split, "Administrator").close()
        known, unknown = Person(split, "Known"), Person(split, "Unknown")
        room = known.room()
        socket = known.socket()
        socket.subscribe(room)
        split.auth.kill()
        # Longer than a session's state is believed unasked.
        until = time.monotonic() + 6
        while time.monotonic() < until:
            known.say(room, "still here")
            time.sleep(0.2)
        assert known.socket().subscribe(room)["type"] == "subscribed"
        problem(unknown.get("/api/rooms"), 503, "service_unavailable")
        problem(known.get("/api/auth/me"), 503, "service_unavailable")
        split.auth.start()
        wait_until(lambda: unknown.get("/api/rooms").status_code == 200)
        assert known.get("/api/auth/me").status_code == 200
        assert socket.ask("ping", "pong")["type"] == "pong"


def test_a_gateway_that_stops_says_so_to_its_sockets(split):
    gateway = Server(ROLE="gateway", AUTH_SERVICE_URL=split.auth.url, CONFERENCE_SERVICE_URL=split.conference.url)
    with gateway:
        ann = Person(gateway, "Ann")
        room = ann.room()
        socket = ann.socket()
        socket.subscribe(room, status="in_call")
        assert gateway.terminate() == 0
        assert socket.closed() == 1012
        ann.http.base_url = split.url
        assert [p["status"] for p in ann.detail(room)["participants"]] == ["in_call"]


def test_of_several_servers_of_a_service_one_may_die(split):
    shared = {name: value for name, value in split.conference.settings.items() if name != "DATA_DIR"}
    with Server(**shared) as second:
        upstreams = f"{split.conference.url},{second.url}"
        with Server(ROLE="gateway", AUTH_SERVICE_URL=split.auth.url, CONFERENCE_SERVICE_URL=upstreams) as gateway:
            ann = Person(gateway, "Ann")
            for dies in (lambda: None, second.kill):
                dies()
                # At once: nobody has noticed yet.
                for number in range(20):
                    ann.room(f"Room {number}")
                    assert ann.get("/api/rooms").status_code == 200
