"""One connection of a client with the fault proxy, and the one to the upstream that goes with it."""

from __future__ import annotations

import contextlib
import dataclasses
import select
import socket
import ssl
import struct
import threading
import time
import typing

import h11

if typing.TYPE_CHECKING:
    from kubernetes.faults import Exchange, FaultProxy

CONNECT_TIMEOUT_S = 5
SEND_TIMEOUT_S = 30
PIECE = 65536
# What is said about one connection and not about the answer.
OF_CONNECTION = {b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"te"}
RESET = struct.pack("ii", 1, 0)
NOTHING_YET = (ssl.SSLWantReadError, BlockingIOError)


@dataclasses.dataclass(frozen=True)
class Answer:
    """The proxy answers itself; after the upstream has answered, instead of that answer."""

    status: int
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""


@dataclasses.dataclass(frozen=True)
class Delay:
    """It goes on so much later."""

    seconds: float


# The connection is reset.
DROP = "drop"
# Nothing goes on until the rule is lifted.
HOLD = "hold"
Action = Answer | Delay | str | None


class Cut(Exception):
    """The connection is to end at once."""


class Conversation:
    """One connection of a client, and one to the upstream that goes with it."""

    def __init__(self, proxy: "FaultProxy", client: socket.socket) -> None:
        self.proxy = proxy
        self.client = client
        self.client_http = h11.Connection(h11.SERVER)
        self.upstream: socket.socket | None = None
        self.upstream_http: h11.Connection | None = None
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(SEND_TIMEOUT_S)
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            if self.proxy.server_tls is not None:
                self.client = self.proxy.server_tls.wrap_socket(self.client, server_side=True)
            while self._one_request():
                pass
        except (Cut, OSError, h11.ProtocolError):
            with contextlib.suppress(OSError):
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        except Exception as error:
            # What a hook found wrong: the test hears of it when the proxy is closed.
            self.proxy.errors.append(error)
        finally:
            self.close()
            with self.proxy.changed:
                self.proxy.conversations.discard(self)

    def cut(self) -> None:
        """Wakes the thread of this connection, and it ends; called from another."""
        self.ended.set()
        with contextlib.suppress(OSError):
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.client.close()
        if self.upstream is not None:
            self.upstream.close()

    def _one_request(self) -> bool:
        request = self._from_client()
        if not isinstance(request, h11.Request):
            return False
        body = b""
        while isinstance(event := self._from_client(), h11.Data):
            body += event.data
        if not isinstance(event, h11.EndOfMessage):
            return False
        exchange = self.proxy.noted(request, body)
        try:
            self._answer(exchange, request, body)
        finally:
            exchange.ended_s = time.monotonic()
        if self.client_http.our_state is not h11.DONE or self.client_http.their_state is not h11.DONE:
            return False
        self.client_http.start_next_cycle()
        return True

    def _answer(self, exchange: Exchange, request: h11.Request, body: bytes) -> None:
        if self._harmed(exchange, "before"):
            return
        response = self._ask(exchange, request, body)
        if self._harmed(exchange, "after"):
            # The rest of the upstream's answer is nobody's.
            self._leave_upstream()
            return
        exchange.status = response.status_code
        headers = [pair for pair in response.headers if pair[0] not in OF_CONNECTION]
        self._to_client(h11.Response(status_code=response.status_code, reason=response.reason, headers=headers))
        while isinstance(event := self._from_upstream(), h11.Data):
            self._to_client(h11.Data(data=bytes(event.data)))
        if not isinstance(event, h11.EndOfMessage):
            raise Cut
        self._to_client(h11.EndOfMessage())
        if self.upstream_http.our_state is h11.DONE and self.upstream_http.their_state is h11.DONE:
            self.upstream_http.start_next_cycle()
        else:
            self._leave_upstream()

    def _harmed(self, exchange: Exchange, when: str) -> bool:
        """Does what the rules say; says whether that was all that happens to the request."""
        action, rule = self.proxy.decided(exchange, when)
        if action == DROP:
            raise Cut
        if action == HOLD:
            while not rule.lifted.wait(0.02):
                self._look_after_client()
        elif isinstance(action, Delay):
            end = time.monotonic() + action.seconds
            while (left := end - time.monotonic()) > 0 and not self.proxy.closed.is_set():
                self._look_after_client()
                self.proxy.closed.wait(min(left, 0.02))
        elif isinstance(action, Answer):
            headers = {"content-type": "text/plain"} | {name.lower(): value for name, value in action.headers.items()}
            headers["content-length"] = str(len(action.body))
            exchange.status = action.status
            self._to_client(h11.Response(status_code=action.status, headers=list(headers.items())))
            if action.body:
                self._to_client(h11.Data(data=action.body))
            self._to_client(h11.EndOfMessage())
            return True
        else:
            assert action is None, action
        return False

    def _ask(self, exchange: Exchange, request: h11.Request, body: bytes) -> h11.Response:
        self._reach_upstream()
        exchange.forwarded = True
        headers = [pair for pair in request.headers if pair[0] not in OF_CONNECTION | {b"expect", b"transfer-encoding"}]
        if body and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", str(len(body)).encode()))
        sent = self.upstream_http.send(h11.Request(method=request.method, target=request.target, headers=headers))
        if body:
            sent += self.upstream_http.send(h11.Data(data=body))
        sent += self.upstream_http.send(h11.EndOfMessage())
        self.upstream.sendall(sent)
        while isinstance(event := self._from_upstream(), h11.InformationalResponse):
            pass
        if not isinstance(event, h11.Response):
            raise Cut
        return event

    def _reach_upstream(self) -> None:
        """Keeps the connection of the request before, unless the upstream has ended it since."""
        if self.upstream is not None and self._is_silent():
            return
        self._leave_upstream()
        place = self.proxy.upstream
        raw = socket.create_connection((place.hostname, place.port), CONNECT_TIMEOUT_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.upstream = self.proxy.tls.wrap_socket(raw, server_hostname=place.hostname) if self.proxy.tls else raw
        self.upstream.settimeout(SEND_TIMEOUT_S)
        self.upstream_http = h11.Connection(h11.CLIENT)

    def _leave_upstream(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        self.upstream = self.upstream_http = None

    def _from_client(self):
        while (event := self.client_http.next_event()) is h11.NEED_DATA:
            if self.client_http.they_are_waiting_for_100_continue:
                self.client.sendall(self.client_http.send(h11.InformationalResponse(status_code=100, headers=[])))
            select.select([self.client], [], [])
            self.client_http.receive_data(self.client.recv(PIECE))
        return event

    def _from_upstream(self):
        while (event := self.upstream_http.next_event()) is h11.NEED_DATA:
            self.upstream_http.receive_data(self._next_piece())
        return event

    def _next_piece(self) -> bytes:
        """What the upstream says next, however long that takes, as long as the client waits for it."""
        watched = [self.upstream, self.client]
        self.upstream.setblocking(False)
        try:
            while True:
                with contextlib.suppress(*NOTHING_YET):
                    return self.upstream.recv(PIECE)
                if self.client in select.select(watched, [], [])[0]:
                    self._look_after_client()
                    # What it says already is for later.
                    watched.remove(self.client)
        finally:
            self.upstream.settimeout(SEND_TIMEOUT_S)

    def _is_silent(self) -> bool:
        """Whether the upstream has said nothing after its answer, nor ended the connection: TLS may say something of its own."""
        self.upstream.setblocking(False)
        try:
            self.upstream.recv(1)
        except NOTHING_YET:
            return True
        except OSError:
            return False
        finally:
            self.upstream.settimeout(SEND_TIMEOUT_S)
        return False

    def _look_after_client(self) -> None:
        """Ends with the client: nobody waits for the answer any more."""
        if self.ended.is_set():
            raise Cut
        if select.select([self.client], [], [], 0)[0] and not self.client.recv(1, socket.MSG_PEEK):
            raise Cut

    def _to_client(self, event) -> None:
        if data := self.client_http.send(event):
            self.client.sendall(data)
