"""The gateway between hostile clients and services that misbehave."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import pathlib
import re
import socket
import threading
import time
import uuid

import httpx
import pytest

from conftest import fresh_databases
from contract.client import Person, problem, wait_until
from harness.server import INNER, Server, Split

pytestmark = pytest.mark.timed

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Fake:
    """A service that answers each request with the same bytes, or not at all, and notes what it was asked.

    A function in their place is given the connection and what of the body came along, and does as it likes.
    """

    def __init__(self, answer) -> None:
        self.answer = answer
        self.is_ready = True
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
        head, body = received.split(b"\r\n\r\n", 1)
        head = head.decode()
        if head.startswith("GET /readyz"):
            ready = OK if self.is_ready else b"HTTP/1.1 503 Service Unavailable\r\n"
            connection.sendall(ready + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
        elif head.startswith("GET /.well-known/jwks.json") and "host: auth-service" in head.lower():
            # The gateway's own question, whenever it likes; nobody's keys.
            connection.sendall(OK + b"Content-Length: 11\r\nConnection: close\r\n\r\n{\"keys\":[]}")
        else:
            self.heads.append(head)
            if self.answer is None:
                # Held open until the gateway gives up.
                connection.recv(1)
            elif callable(self.answer):
                with contextlib.suppress(OSError):
                    self.answer(connection, body)
            else:
                connection.sendall(self.answer)
        connection.close()

    def header(self, name: str) -> list[str]:
        """The values of a header in the last request."""
        lines = [line.split(": ", 1) for line in self.heads[-1].split("\r\n")[1:]]
        return [value for key, value in lines if key.lower() == name]

    def __enter__(self) -> "Fake":
        return self

    def close(self) -> None:
        # Closed alone, it would still take the connection that its thread waits for.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __exit__(self, *_: object) -> None:
        self.close()


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
def one_behind():
    """A gateway before a fake service of both kinds, for all tests that need no other: `one_behind(answer)` gives both."""
    with Fake(b"") as fake:
        with Server(ROLE="gateway", AUTH_SERVICE_URL=fake.url, CONFERENCE_SERVICE_URL=fake.url) as gateway:
            def answering(answer) -> tuple[Fake, Server]:
                fake.answer = answer
                fake.heads.clear()
                return fake, gateway

            yield answering


@pytest.fixture(scope="module")
def split(postgres):
    with Split(RATE_LIMITS="off", **fresh_databases(postgres)) as running:
        Person(running, "Administrator").close()
        yield running


def request(server, line: str, headers: str = "", body: bytes = b"") -> bytes:
    """A request after whose answer the connection ends."""
    connection = "" if "Connection: " in headers else "Connection: close\r\n"
    head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{connection}{headers}\r\n"
    return head.encode() + body


def peak_mib(server: Server) -> float:
    """The most memory that a server has had."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def exchange(server, request: bytes, timeout: float = 10) -> bytes:
    """Sends bytes to a server and gives all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as raw:
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


@pytest.mark.parametrize("answer", [
    pytest.param(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", id="two lengths"),
    pytest.param(OK + b"Content-Length: -2\r\n\r\n{}", id="a negative length"),
    pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", id="another protocol"),
    pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", id="half a status"),
    pytest.param(b"HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n", id="a bad name"),
    pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", id="a protocol that nobody asked for"),
    pytest.param(OK + b"X-Long: " + b"x" * 2**20 + b"\r\n\r\n", id="a long header"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 10_000 + b"\r\n", id="many headers"),
])
def test_an_answer_that_breaks_the_rules_is_a_502(one_behind, answer):
    _, gateway = one_behind(answer)
    for method in ("GET", "POST"):
        problem(httpx.request(method, gateway.url + "/api/rooms", timeout=10), 502, "bad_gateway")


def test_an_answer_of_two_lengths_reaches_the_client_with_one(one_behind):
    _, gateway = one_behind(OK + b"Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    head, body = exchange(gateway, request(gateway, "GET /api/rooms")).lower().split(b"\r\n\r\n", 1)
    assert b"content-length" not in head and body == b"2\r\n{}\r\n0\r\n\r\n"


def test_who_never_answers_is_a_504_and_nobody_else_waits_for_it(behind):
    """All wait at once, because each takes the half minute that a service has."""
    half_a_head = b"HTTP/1.1 200 OK\r\nContent-Le"

    def says_half_a_head(connection, _):
        connection.sendall(half_a_head)
        connection.recv(1)

    def says_half_a_body(connection, _):
        connection.sendall(OK + b"Content-Length: 100\r\n\r\n[1,2")
        connection.recv(1)

    socket_head = "Upgrade: websocket\r\nConnection: close, upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    with contextlib.ExitStack() as stack:
        silent, half = (stack.enter_context(Fake(answer)) for answer in (None, says_half_a_head))
        to_silent, to_half = behind(silent), behind(half)
        asked = {
            "GET": (to_silent, request(to_silent, "GET /api/rooms")),
            "POST": (to_silent, request(to_silent, "POST /api/rooms", "Content-Length: 2\r\n", b"{}")),
            "a socket": (to_silent, request(to_silent, "GET /api/ws", socket_head)),
            "half a body sent": (to_silent, request(to_silent, "POST /api/rooms", "Content-Length: 9\r\n", b"{}")),
            "half a head": (to_half, request(to_half, "GET /api/rooms")),
        }
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
            answers = {name: pool.submit(exchange, server, sent, 45) for name, (server, sent) in asked.items()}
            # Meanwhile others are answered, by other services and by one that stops in the middle of an answer.
            stalling = stack.enter_context(Fake(says_half_a_body))
            to_stalling = behind(stalling)
            with socket.create_connection(("127.0.0.1", to_stalling.port), timeout=5) as raw:
                raw.sendall(request(to_stalling, "GET /api/rooms"))
                received = b""
                while not received.endswith(b"[1,2"):
                    received += raw.recv(65536)
            while time.monotonic() < began + 25:
                assert httpx.get(to_silent.url + "/readyz").status_code == 200
                problem(httpx.get(to_silent.url + "/api/auth/me"), 503, "service_unavailable")
                time.sleep(1)
            assert not [name for name, answer in answers.items() if answer.done()]
            for name, answer in answers.items():
                head, body = answer.result().split(b"\r\n\r\n", 1)
                assert head.startswith(b"HTTP/1.1 504 "), (name, head)
                assert b"application/problem+json" in head and re.search(rb"retry-after: [1-9]", head), (name, head)
                assert b'"gateway_timeout"' in body
        assert 29 < time.monotonic() - began < 40
        # What may have been obeyed was not sent again.
        assert len(silent.heads) == 4 and len(half.heads) == 1


def test_events_come_one_by_one_as_the_service_says_them(behind):
    heard = [threading.Event() for _ in range(3)]

    def says_when_heard(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number, event in enumerate(heard):
            line = f"data: {number}\n\n".encode() * 100
            connection.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            assert event.wait(5)
        connection.sendall(b"0\r\n\r\n")

    with Fake(says_when_heard) as fake:
        url = behind(fake).url + "/api/managed-rooms/events"
        with httpx.stream("GET", url, headers={"accept": "text/event-stream", "accept-encoding": "gzip"}, timeout=5) as answer:
            assert answer.headers["content-type"] == "text/event-stream" and "content-encoding" not in answer.headers
            lines = answer.iter_lines()
            for number, event in enumerate(heard):
                # The next is said only once this one is here, so that one kept back is waited for in vain.
                assert [line for line in (next(lines) for _ in range(200)) if line] == [f"data: {number}"] * 100
                event.set()
            assert list(lines) == []


def test_a_long_body_passes_piece_by_piece_and_is_not_kept(behind):
    piece, pieces = b"x" * 2**20, 48
    arrived = threading.Event()

    def counts(connection, body):
        digest, length = hashlib.sha256(body), len(body)
        while length < len(piece) * pieces:
            chunk = connection.recv(65536)
            digest.update(chunk)
            length += len(chunk)
            arrived.set()
        answer = digest.hexdigest().encode()
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n%s" % (len(answer), answer))

    def upload():
        yield piece
        # The rest goes only when the service has some of it.
        assert arrived.wait(5)
        for _ in range(pieces - 1):
            yield piece

    with Fake(counts) as fake:
        gateway = behind(fake)
        headers = {"content-length": str(len(piece) * pieces)}
        answer = httpx.post(gateway.url + "/api/rooms", content=upload(), headers=headers, timeout=30)
        assert answer.text == hashlib.sha256(piece * pieces).hexdigest()
        assert fake.header("content-length") == [headers["content-length"]] and not fake.header("transfer-encoding")
        assert peak_mib(gateway) < 64


def test_a_client_that_reads_slowly_gets_all_and_the_gateway_keeps_little_of_it(behind):
    body = bytes(range(256)) * 2**18
    with Fake(OK + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)) as fake:
        gateway = behind(fake)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as slow:
            slow.sendall(request(gateway, "GET /api/rooms"))
            received = [slow.recv(1024)]
            time.sleep(1)
            assert httpx.get(gateway.url + "/health").status_code == 200
            while chunk := slow.recv(2**20):
                received.append(chunk)
        assert b"".join(received).split(b"\r\n\r\n", 1)[1] == body
        assert peak_mib(gateway) < 64


@pytest.mark.parametrize("method, answer, kept, body", [
    ("DELETE", b"204 No Content\r\nX-A: 1\r\n\r\n", ["204 ", "x-a: 1"], b""),
    ("GET", b"304 Not Modified\r\nETag: \"x\"\r\nCache-Control: no-cache\r\n\r\n", ["304 ", 'etag: "x"', "cache-control: no-cache"], b""),
    ("HEAD", b"200 OK\r\nContent-Length: 1234\r\n\r\n", ["200 ", "content-length: 1234"], b""),
    ("GET", b"200 OK\r\nContent-Length: 0\r\n\r\n", ["200 ", "content-length: 0"], b""),
    ("GET", b"103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", ["200 "], b"{}"),
    ("GET", b"418 I am a teapot\r\nContent-Length: 1\r\n\r\nt", ["418 ", "content-length: 1"], b"t"),
    ("GET", b"429 Slow\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nt", ["429 ", "retry-after: 7"], b"t"),
    ("POST", b"500 Oh\r\nContent-Length: 2\r\n\r\nno", ["500 "], b"no"),
    ("GET", b"200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\n{}", ["200 ", "set-cookie: a=1", "set-cookie: b=2"], b"{}"),
    ("GET", b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n", ["200 "], b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
], ids=lambda value: value.decode().split("\r\n")[0] if isinstance(value, bytes) and value else None)
def test_an_answer_keeps_its_shape(one_behind, method, answer, kept, body):
    fake, gateway = one_behind(b"HTTP/1.1 " + answer)
    head, received = exchange(gateway, request(gateway, method + " /api/rooms")).split(b"\r\n\r\n", 1)
    lines = head.decode().removeprefix("HTTP/1.1 ").split("\r\n")
    assert all(any(line.startswith(start) for line in lines) for start in kept), head
    assert received == body and fake.heads[0].startswith(method + " /api/rooms ")
    if "204 " in kept or "304 " in kept:
        assert not [line for line in lines if line.startswith(("transfer-encoding", "content-length", "content-type"))]


def test_each_side_is_spoken_to_in_our_version_of_the_protocol(one_behind):
    fake, gateway = one_behind(b"HTTP/1.0 200 OK\r\n\r\nto the end")
    assert exchange(gateway, request(gateway, "GET /api/rooms")).startswith(b"HTTP/1.1 200 ")
    older = f"GET /api/rooms HTTP/1.0\r\nHost: 127.0.0.1:{gateway.port}\r\n\r\n".encode()
    assert exchange(gateway, older).endswith(b"\r\n\r\nto the end")
    assert {head.split("\r\n")[0] for head in fake.heads} == {"GET /api/rooms HTTP/1.1"}


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_refusal_of_a_socket_is_handed_on_with_its_reason(one_behind, status):
    body = b'{"detail": "why"}'
    answer = b"HTTP/1.1 %d No\r\nContent-Type: application/problem+json\r\nWWW-Authenticate: Bearer\r\nContent-Length: %d\r\n\r\n%s"
    fake, gateway = one_behind(answer % (status, len(body), body))
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "A" * 22 + "=="}
    got = httpx.get(gateway.url + "/api/ws", headers=upgrade)
    assert (got.status_code, got.content) == (status, body)
    assert got.headers["content-type"] == "application/problem+json" and got.headers["www-authenticate"] == "Bearer"
    assert fake.header("upgrade") == ["websocket"] and fake.header("connection") == ["upgrade"]


def test_servers_that_are_dead_deaf_or_have_no_address_are_passed_over(behind):
    with Fake(OK + b"Content-Length: 2\r\n\r\n{}") as fake, Fake(OK + b"Content-Length: 2\r\n\r\n{}") as draining:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            port = deaf.getsockname()[1]
            # The deaf one takes connections and says nothing.
            upstreams = ["http://127.0.0.1:9", "http://no-such-host.invalid:1", f"http://127.0.0.1:{port}", fake.url, draining.url]
            gateway = behind(fake, CONFERENCE_SERVICE_URL=",".join(upstreams))
            # It has three seconds to say that it is ready.
            wait_until(lambda: re.search(rf":{port} is_ready=false", gateway.read_log()), timeout=8)
            for _ in range(20):
                assert httpx.post(gateway.url + "/api/rooms", json={}, timeout=5).status_code == 200
            assert fake.heads and draining.heads
            # Who waits for one hears of the others all the same: one that ends has half a second until it does.
            draining.is_ready = False
            wait_until(lambda: re.search(rf"{draining.url[7:]} is_ready=false", gateway.read_log()), timeout=1.5)
            draining.heads.clear()
            for _ in range(10):
                assert httpx.post(gateway.url + "/api/rooms", json={}, timeout=5).status_code == 200
            assert not draining.heads


def test_what_only_reads_is_asked_for_again_and_what_may_have_been_obeyed_is_not(behind):
    with Fake(OK + b"Content-Length: 2\r\n\r\n{}") as fake, Fake(b"") as broken:
        gateway = behind(fake, CONFERENCE_SERVICE_URL=f"{broken.url},{fake.url}")
        assert {httpx.get(gateway.url + "/api/rooms").status_code for _ in range(10)} == {200}
        assert broken.heads
        # A body that cannot be sent twice is not what keeps it back.
        for method, path, body in (("POST", "/api/rooms", {}), ("POST", "/api/rooms/7/leave", None), ("DELETE", "/api/rooms/7", None)):
            broken.heads.clear()
            fake.heads.clear()
            statuses = [httpx.request(method, gateway.url + path, json=body).status_code for _ in range(10)]
            assert (statuses.count(502), statuses.count(200)) == (len(broken.heads), len(fake.heads)) == (5, 5), method


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


SMUGGLED = b"GET /api/stolen HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

# How the end of a body can be told in two ways. The server that is asked closes after its answer, so that a second
# request at the service is one that the gateway has not seen.
FRAMINGS = {
    "both lengths, the given one shorter": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED),
    "both lengths, the given one longer": b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked, then not": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked by another name": b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked after a control character": b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked in quotes": b'Transfer-Encoding: "chunked"\r\nContent-Length: 5\r\n\r\n0\r\n\r\n' + SMUGGLED,
    "chunked on the next line": b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked after a bare line feed": b"X: x\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked after a bare carriage return": b"X: x\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a space before the colon": b"Content-Length : 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a space before the name": b" Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a NUL in the name": b"Transfer-Encoding\0: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths in one": b"Content-Length: 5, 50\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a length twice in one": b"Content-Length: 5, 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a length in hexadecimal": b"Content-Length: 0x5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a negative length": b"Content-Length: -5\r\n\r\n" + SMUGGLED,
    "an empty length": b"Content-Length: \r\n\r\n" + SMUGGLED,
    "a length beyond all": b"Content-Length: 18446744073709551621\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "no length": b"\r\n" + SMUGGLED,
    "a chunk with a sign": b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "a chunk in C's hexadecimal": b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "a chunk beyond all": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "a chunk that is longer than it says": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello" + SMUGGLED + b"\r\n0\r\n\r\n",
    "a chunk after a bare line feed": b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "an extension with a line feed": b"Transfer-Encoding: chunked\r\n\r\n5;\nx\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
    "trailers that frame": b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 50\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n" + SMUGGLED,
    "an older protocol, chunked": b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_no_framing_hides_a_request_from_the_gateway(one_behind, name):
    seen = b""

    def keeps_all(connection, body):
        nonlocal seen
        seen += body
        connection.settimeout(0.15)
        with contextlib.suppress(TimeoutError):
            while chunk := connection.recv(65536):
                seen += chunk
        connection.sendall(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")

    fake, gateway = one_behind(keeps_all)
    version = "1.0" if "older" in name else "1.1"
    head = f"POST /api/rooms HTTP/{version}\r\nHost: 127.0.0.1:{gateway.port}\r\nConnection: close\r\n".encode()
    answer = exchange(gateway, head + FRAMINGS[name])
    assert re.match(rb"HTTP/1.[01] (200|4..|502) |$", answer), answer
    assert len(fake.heads) <= 1
    if fake.heads:
        lengths, chunked = fake.header("content-length"), fake.header("transfer-encoding")
        assert (lengths, chunked) in (([], []), ([lengths and lengths[0]], []), ([], ["chunked"]))
        # In a body may stand what likes; what follows it would be taken for a request.
        beyond = (b"\r\n" + seen).partition(b"\r\n0\r\n\r\n")[2] if chunked else seen[int(lengths[0]) if lengths else 0:]
        assert beyond == b"", (fake.heads, seen)
        assert "6.6.6.6" not in fake.heads[0]


@pytest.mark.parametrize("target, hosts", [
    ("/api/rooms", ["evil.example"]), ("/api/rooms", ["127.0.0.1.evil.example"]), ("/api/rooms", ["evil.example:{port}"]),
    ("/api/rooms", ["127.0.0.1:{port}@evil.example"]), ("/api/rooms", ["evil.example#127.0.0.1"]), ("/api/rooms", ["127.0.0.1:{port}/evil"]),
    ("/api/rooms", ["127.0.0.1:{port}, evil.example"]), ("/api/rooms", ["127.0.0.1:x"]), ("/api/rooms", [""]), ("/api/rooms", []),
    ("/api/rooms", ["127.0.0.1:{port}", "evil.example"]), ("/api/rooms", ["evil.example", "127.0.0.1:{port}"]),
    ("http://evil.example/api/rooms", ["127.0.0.1:{port}"]), ("http://evil.example/api/rooms", ["evil.example"]),
    ("http://127.0.0.1:{port}@evil.example/api/rooms", ["127.0.0.1:{port}"]), ("ftp://evil.example/api/rooms", ["127.0.0.1:{port}"]),
    ("evil.example:443", ["127.0.0.1:{port}"]),
])
def test_a_request_under_another_name_reaches_no_service(one_behind, target, hosts):
    fake, gateway = one_behind(OK + b"Content-Length: 2\r\n\r\n{}")
    lines = "".join(f"Host: {host}\r\n" for host in hosts).format(port=gateway.port)
    method = "CONNECT" if target == "evil.example:443" else "GET"
    answer = exchange(gateway, f"{method} {target.format(port=gateway.port)} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1.1 4(00|04|05|21) ", answer), answer
    assert fake.heads == []


def test_a_whole_address_in_the_first_line_counts_more_than_the_host_beside_it(one_behind):
    fake, gateway = one_behind(OK + b"Content-Length: 2\r\n\r\n{}")
    line = f"GET http://127.0.0.1:{gateway.port}/api/rooms?x=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert exchange(gateway, line.encode()).startswith(b"HTTP/1.1 200 ")
    assert fake.heads[0].startswith("GET /api/rooms?x=1 HTTP/1.1") and fake.header("host") == [f"127.0.0.1:{gateway.port}"]


def test_no_header_is_named_away_that_the_gateway_sets_itself(behind):
    named = "close, x-forwarded-for, x-forwarded-proto, x-request-id, forwarded, transfer-encoding"
    with Fake(OK + b"Content-Length: 2\r\n\r\n{}") as fake:
        for settings in ({"PUBLIC_URL": "http://127.0.0.1"}, {"TRUSTED_PROXIES": "127.0.0.1"}):
            given = {"connection": named, "x-forwarded-for": "6.6.6.6", "host": "127.0.0.1"}
            httpx.post(behind(fake, **settings).url + "/api/rooms", headers=given, content=b"{}")
            assert fake.header("x-forwarded-for")[0].endswith("127.0.0.1") and fake.header("x-forwarded-proto") == ["http"]
            assert fake.header("content-length") == ["2"]


def test_a_token_that_is_named_away_is_nobodys(split):
    ann = Person(split, "Ann")
    given = dict(ann.http.headers) | {"connection": "authorization"}
    problem(httpx.get(split.url + "/api/rooms", headers=given), 401, "unauthenticated")
    problem(httpx.get(split.url + "/api/rooms", headers=given | {"authorization": "Bearer a.b.c"}), 401, "invalid_token")
    ann.close()


def test_who_waits_to_be_told_to_go_on_is_told(one_behind):
    def echoes(connection, body):
        while len(body) < 5:
            body += connection.recv(65536)
        connection.sendall(OK + b"Content-Length: 5\r\n\r\n" + body)

    _, gateway = one_behind(echoes)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as raw:
        raw.sendall(request(gateway, "POST /api/rooms", "Content-Length: 5\r\nExpect: 100-continue\r\n"))
        assert raw.recv(65536).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"hello")
        received = b""
        while chunk := raw.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 200 ") and received.endswith(b"hello")


def test_no_other_protocol_is_opened_through_the_gateway(one_behind):
    fake, gateway = one_behind(OK + b"Content-Length: 2\r\n\r\n{}")
    upgrade = "Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    assert exchange(gateway, request(gateway, "GET /api/rooms", upgrade)).startswith(b"HTTP/1.1 200 ")
    assert not [name for name in ("upgrade", "http2-settings", "connection") if fake.header(name)]
    assert not exchange(gateway, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").startswith(b"HTTP/1.1 2")
    assert len(fake.heads) == 1


@pytest.mark.parametrize("head", [
    pytest.param("X-Long: " + "x" * 2**20 + "\r\n", id="a long line"), pytest.param("X: 1\r\n" * 1000, id="many lines"),
    pytest.param("X-Bad: a\0b\r\n", id="a NUL"), pytest.param("No colon\r\n", id="no colon"),
    pytest.param(": no name\r\n", id="no name"), pytest.param("Bad name: 1\r\n", id="a space"),
])
def test_a_head_that_cannot_be_is_refused_at_the_door(one_behind, head):
    fake, gateway = one_behind(OK + b"Content-Length: 2\r\n\r\n{}")
    # Whoever is still speaking may miss the answer.
    with contextlib.suppress(ConnectionError):
        assert re.match(rb"HTTP/1.1 4(00|31) ", exchange(gateway, request(gateway, "GET /api/rooms", head)))
    assert fake.heads == []
    assert httpx.get(gateway.url + "/health").status_code == 200


def test_what_is_between_the_services_is_nobodys_business_outside(split):
    token = {"authorization": "Bearer " + INNER["INTERNAL_TOKEN"]}
    for path in ("/internal/changes", "/internal/letters", "/internal/machine", "/internal/people/1", "//internal/people/1", "/api/../internal/people/1"):
        answer = exchange(split, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{split.port}\r\nConnection: close\r\n"
                          f"Authorization: {token['authorization']}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 404 "), (path, answer)
    own = httpx.get(split.auth.url + "/internal/people/1", headers=token)
    assert own.status_code == 200 and set(own.json()) == {"display_name", "is_active", "is_admin"}
    for bad in ({}, {"authorization": "Bearer wrong"}, {"authorization": INNER["INTERNAL_TOKEN"]}):
        problem(httpx.get(split.auth.url + "/internal/people/1", headers=bad), 404, "not_found")


def test_a_server_may_ask_about_the_sessions_of_all_its_sockets_at_once(split):
    token = {"authorization": "Bearer " + INNER["INTERNAL_TOKEN"]}
    sessions = [str(uuid.UUID(int=number)) for number in range(80_000)]
    over = httpx.post(split.auth.url + "/internal/sessions-over", headers=token, json={"session_ids": sessions})
    assert over.status_code == 200 and len(over.json()["session_ids"]) == len(sessions), over.text[:200]


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
