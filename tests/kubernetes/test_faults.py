"""The fault proxy: it writes down what is asked, and the harm that it does is done."""

from __future__ import annotations

import contextlib
import itertools
import signal
import socket
import threading
import time

import httpx
import pytest

from kubernetes.faults import DROP, HOLD, Answer, Delay, FaultProxy
from kubernetes.processes import Program, wait_for


class Upstream:
    """Answers each request with its body, number by number; `/stream` says a line whenever it is told to."""

    def __init__(self) -> None:
        self.said = threading.Semaphore(0)
        self.raw = socket.create_server(("127.0.0.1", 0))
        self.asked: list[str] = []
        self.left = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.raw.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.raw.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # A client may go before it has its answer.
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as file:
            while line := file.readline():
                length = 0
                while (header := file.readline().strip().lower()):
                    if header.startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                body = file.read(length)
                self.asked.append(line.decode().split()[1])
                if b"/stream" in line:
                    self._stream(file)
                    return
                file.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                file.flush()

    def _stream(self, file) -> None:
        file.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        file.flush()
        numbers = itertools.count()
        try:
            while self.said.acquire(timeout=20):
                file.write(b"2\r\n%d\n\r\n" % next(numbers))
                file.flush()
        except OSError:
            self.left.set()

    def close(self) -> None:
        self.raw.shutdown(socket.SHUT_RDWR)
        self.raw.close()


@pytest.fixture
def upstream():
    made = Upstream()
    yield made
    made.close()


@pytest.fixture
def proxy(upstream):
    with FaultProxy(upstream.url) as made:
        yield made


@pytest.fixture
def client(proxy):
    with httpx.Client(base_url=proxy.url, timeout=10) as made:
        yield made


def test_the_proxy_writes_down_what_is_asked(upstream, proxy, client):
    answer = client.post("/a/b?c=d&e=f%20g", content=b"body", headers={"authorization": "Bearer secret", "x-other": "1"})
    assert (answer.status_code, answer.content) == (200, b"body")
    client.get("/second")
    first, second = proxy.seen()
    assert (first.number, first.method, first.path, first.query) == (1, "POST", "/a/b", {"c": "d", "e": "f g"})
    assert (first.body, first.status, first.headers["x-other"]) == (b"body", 200, "1")
    assert "secret" not in repr(first)
    assert first.began_s <= first.ended_s <= second.began_s
    assert proxy.seen("GET") == [second] and proxy.seen(path="^/a/") == [first]
    assert upstream.asked == ["/a/b?c=d&e=f%20g", "/second"]
    proxy.forget()
    assert proxy.seen() == []


def test_the_proxy_hands_a_stream_on_piece_by_piece(upstream, proxy, client):
    with client.stream("GET", "/stream") as answer:
        lines = answer.iter_lines()
        for number in range(3):
            upstream.said.release()
            assert next(lines) == str(number)
        assert [one.path for one in proxy.going_on()] == ["/stream"]
    # The client went, and so does the proxy, though the upstream says nothing.
    wait_for(lambda: not proxy.going_on())
    wait_for(lambda: upstream.said.release() or upstream.left.is_set())


def test_the_proxy_cuts_streams(upstream, proxy, client):
    with client.stream("GET", "/stream") as answer:
        upstream.said.release()
        lines = answer.iter_lines()
        assert next(lines) == "0"
        proxy.cut()
        with pytest.raises(httpx.TransportError):
            next(lines)
    assert client.get("/again").status_code == 200


def test_the_proxy_answers_itself(upstream, proxy, client):
    with proxy.rule(Answer(429, {"Retry-After": "7"}, b"slowly"), method="PUT", path="^/rooms/", times=2) as rule:
        for _ in range(2):
            answer = client.put("/rooms/1")
            assert (answer.status_code, answer.headers["retry-after"], answer.content) == (429, "7", b"slowly")
        assert client.put("/rooms/1").status_code == client.get("/rooms/1").status_code == client.put("/other").status_code == 200
        assert [one.number for one in rule.hits] == [1, 2] and not rule.hits[0].forwarded
    assert upstream.asked == ["/rooms/1", "/rooms/1", "/other"]
    with proxy.rule(Answer(500), when="after"):
        assert client.get("/done").status_code == 500
    assert upstream.asked[-1] == "/done" and client.get("/").status_code == 200


def test_the_proxy_drops_before_or_after_the_upstream_was_asked(upstream, proxy, client):
    with proxy.rule(DROP), pytest.raises(httpx.TransportError):
        client.get("/before")
    with proxy.rule(DROP, when="after"), pytest.raises(httpx.TransportError):
        client.get("/after")
    assert upstream.asked == ["/after"]
    assert [(one.path, one.status, one.forwarded) for one in proxy.seen()] == [("/before", None, False), ("/after", None, True)]


def test_the_proxy_delays(proxy, client):
    began = time.monotonic()
    with proxy.rule(Delay(0.4), path="slow"):
        assert client.get("/slow").status_code == 200
        assert time.monotonic() - began >= 0.4
        began = time.monotonic()
        assert client.get("/quick").status_code == 200
        assert time.monotonic() - began < 0.4


def test_the_proxy_holds_until_it_is_let_go(upstream, proxy, client):
    answers = []
    with proxy.rule(HOLD) as rule:
        thread = threading.Thread(target=lambda: answers.append(client.get("/held").status_code))
        thread.start()
        rule.wait_for_hit()
        assert upstream.asked == [] and answers == []
    thread.join(10)
    assert upstream.asked == ["/held"] and answers == [200]


def test_the_proxy_refuses_as_if_nobody_was_there(proxy, client):
    assert client.get("/").status_code == 200
    proxy.refuse()
    with pytest.raises(httpx.TransportError):
        client.get("/")
    with pytest.raises(httpx.ConnectError), httpx.Client(base_url=proxy.url) as fresh:
        fresh.get("/")
    proxy.accept()
    assert client.get("/").status_code == 200


def test_the_proxy_calls_a_hook_at_a_request(tmp_path, upstream, proxy, client):
    program = Program("victim", tmp_path / "log")
    program.start("sleep", "60")
    client.get("/0")
    with proxy.at(2, lambda exchange: program.kill()):
        client.get("/1")
        assert program.alive()
        assert client.get("/2").status_code == 200
        assert not program.alive() and program.process.returncode == -signal.SIGKILL
        client.get("/3")
    assert upstream.asked == ["/0", "/1", "/2", "/3"]


def test_what_a_hook_finds_wrong_fails_the_test(upstream):
    def hook(exchange):
        assert exchange.path == "/right"

    proxy = FaultProxy(upstream.url).start()
    proxy.rule(hook)
    assert httpx.get(proxy.url + "/right").status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(proxy.url + "/wrong")
    with pytest.raises(AssertionError):
        proxy.close()
