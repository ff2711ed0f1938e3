"""A server that is asked to stop answers what it has let in, or lets nobody in; it breaks nothing off."""

from __future__ import annotations

import collections
import os
import signal
import socket
import threading
import time

import pytest

from harness.server import Server

LONG = os.environ.get("LONG") == "1"
ROUNDS = 20 if LONG else 3
CLIENTS = 16
TIMEOUT_S = 10
STOP_S = 20
# Something is under way whenever the server may stop.
UNDER_WAY = 200
# How long a client that keeps its connection thinks: less than a server that stops goes on answering.
THINKING_S = 0.05


class Client:
    """Sends one request after the other, and notes what becomes of each: answered, refused, broken off."""

    def __init__(self, port: int, keeps: bool, over: threading.Event) -> None:
        self.port, self.keeps, self.over = port, keeps, over
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        kept = None
        while not self.over.is_set():
            raw, kept = kept, None
            try:
                raw = raw or socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)
            except ConnectionRefusedError:
                self.outcomes["refused"] += 1
                self.over.wait(THINKING_S)
                continue
            except OSError as error:
                self.outcomes[f"connecting: {error!r}"] += 1
                continue
            kept = self.ask(raw)
            if kept:
                self.over.wait(THINKING_S)

    def ask(self, raw: socket.socket) -> socket.socket | None:
        """Sends a request and reads the answer to its end; gives the connection if it may be used again."""
        wish = "keep-alive" if self.keeps else "close"
        answer = b""
        try:
            raw.sendall(
                f"POST /api/rooms HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: {wish}\r\n"
                f"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode()
            )
            while b'"code":"unauthenticated"' not in answer:
                chunk = raw.recv(65536)
                if not chunk:
                    break
                answer += chunk
        except OSError as error:
            self.outcomes[f"broken off: {error!r} after {len(answer)} bytes"] += 1
            return None
        if b'"code":"unauthenticated"' not in answer:
            self.outcomes[f"broken off: ended after {len(answer)} bytes"] += 1
            return None
        self.outcomes["answered"] += 1
        if self.keeps and b"\r\nconnection: close\r\n" not in answer.lower():
            return raw
        raw.close()
        return None


@pytest.mark.timeout(600 if LONG else 120)
@pytest.mark.parametrize("keeps", [False, True], ids=["a connection a request", "connections that are kept"])
def test_a_server_that_stops_answers_or_refuses_and_breaks_nothing_off(keeps, capsys):
    total: collections.Counter[str] = collections.Counter()
    slowest_s = 0.0
    with Server(RATE_LIMITS="off") as server:
        for round_ in range(ROUNDS):
            if round_:
                server.start()
            over = threading.Event()
            clients = [Client(server.port, keeps, over) for _ in range(CLIENTS)]
            answered = lambda: sum(client.outcomes["answered"] for client in clients)  # noqa: B023, E731
            deadline = time.monotonic() + TIMEOUT_S
            while answered() < UNDER_WAY:
                assert time.monotonic() < deadline, "nothing is answered"
                time.sleep(0.01)
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(STOP_S) == 0
            slowest_s = max(slowest_s, time.monotonic() - began)
            over.set()
            for client in clients:
                client.thread.join(2 * TIMEOUT_S)
                total += client.outcomes
    summary = f"{ROUNDS} stops in ≤ {slowest_s:.1f} s: {dict(total)}"
    with capsys.disabled():
        print(f"\n  {summary}")
    assert set(total) <= {"answered", "refused"}, summary
