"""The fault proxy does the harm that it is asked for, and none that it is not."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from harness.proxy import Proxy, bound

TIMEOUT_S = 5
SHORT_S = 0.3


class Echo:
    """Says back what it hears."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while chunk := connection.recv(65536):
                    connection.sendall(chunk)
            except OSError:
                return


@pytest.fixture
def proxy():
    echo = Echo()
    with Proxy(echo.port) as running:
        yield running
    echo.listener.close()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=TIMEOUT_S)


def says_back(connection: socket.socket, said: bytes = b"hi") -> float:
    """Checks the echo, and gives how long it took."""
    began = time.monotonic()
    connection.sendall(said)
    hears(connection, said)
    return time.monotonic() - began


def hears(connection: socket.socket, said: bytes) -> None:
    heard = b""
    while len(heard) < len(said):
        chunk = connection.recv(65536)
        assert chunk, "it ended"
        heard += chunk
    assert heard == said


def test_a_healthy_proxy_carries_everything_to_the_end(proxy):
    with connect(proxy) as connection:
        said = bytes(range(256)) * 4096
        sending = threading.Thread(target=connection.sendall, args=(said,))
        sending.start()
        hears(connection, said)
        sending.join()
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_a_delay_is_paid_each_way_and_only_once_by_what_is_sent_together(proxy):
    with connect(proxy) as connection:
        assert says_back(connection) < 0.1
        proxy.delay(0.1)
        assert 0.2 <= says_back(connection) < 0.4
        began = time.monotonic()
        for _ in range(5):
            connection.sendall(b"x")
            time.sleep(0.01)
        hears(connection, b"x" * 5)
        assert time.monotonic() - began < 0.5
        proxy.heal()
        assert says_back(connection) < 0.1


def test_a_reset_proxy_ends_connections_and_refuses_new_ones_until_it_is_healed(proxy):
    with connect(proxy) as connection:
        says_back(connection)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.heal()
    with connect(proxy) as connection:
        says_back(connection)


def test_a_black_hole_keeps_connections_and_gives_up_what_it_swallowed_when_healed(proxy):
    with connect(proxy) as old:
        says_back(old)
        proxy.black_hole()
        with connect(proxy) as new:
            for connection in (old, new):
                connection.sendall(b"lost?")
                connection.settimeout(SHORT_S)
                with pytest.raises(TimeoutError):
                    connection.recv(1)
            proxy.heal()
            for connection in (old, new):
                connection.settimeout(TIMEOUT_S)
                hears(connection, b"lost?")


def test_a_target_that_is_gone_is_seen_as_a_connection_that_breaks():
    # A port that is taken, and where nobody listens.
    with bound(0) as nobody, Proxy(nobody.getsockname()[1]) as proxy:
        with pytest.raises(ConnectionResetError), connect(proxy) as connection:
            connection.recv(1)
