"""An HTTP proxy that writes down what is asked, and does harm on request: between an operator and whom it asks.

Answers are handed on as they come, so that watches and event streams pass. Hooks run on the thread of the connection that
they are about, and may take their time: only that one waits.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable

import h11

from harness.proxy import bound
from kubernetes.conversation import DROP, HOLD, Action, Answer, Conversation, Delay
from kubernetes.processes import WAIT_TIMEOUT_S, wait_for

__all__ = ["DROP", "HOLD", "Answer", "Delay", "Exchange", "FaultProxy", "Rule"]


@dataclasses.dataclass
class Exchange:
    """A request, and what became of it."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    # Without the credential.
    headers: dict[str, str]
    body: bytes
    # By the monotonic clock.
    began_s: float
    status: int | None = None
    ended_s: float | None = None
    # Whether somebody other than the proxy was asked.
    forwarded: bool = False

    def is_about(self, method: str | None, path: str | None) -> bool:
        return (method is None or self.method == method) and (path is None or re.search(path, self.path) is not None)


class Rule:
    """What is done to the requests that it is about, as long as it is not lifted."""

    def __init__(self, proxy: "FaultProxy", what: Callable[[Exchange], Action] | Action, when: str, **about: object) -> None:
        assert when in ("before", "after"), when
        self.proxy = proxy
        self.what = what
        self.when = when
        self.method, self.path = about["method"], about["path"]
        self.skip, self.times = about["skip"], about["times"]
        # What it was applied to.
        self.hits: list[Exchange] = []
        self.matched = 0
        self.lifted = threading.Event()

    def applies(self, exchange: Exchange, when: str) -> bool:
        """Counts, so it is asked once for each request; under the proxy's lock."""
        if self.when != when or not exchange.is_about(self.method, self.path):
            return False
        self.matched += 1
        if self.matched <= self.skip or (self.times is not None and len(self.hits) >= self.times):
            return False
        self.hits.append(exchange)
        return True

    def lift(self) -> None:
        self.lifted.set()
        with self.proxy.changed:
            if self in self.proxy.rules:
                self.proxy.rules.remove(self)

    def wait_for_hit(self, count: int = 1, timeout: float = WAIT_TIMEOUT_S) -> Exchange:
        what = f"{count} requests that the rule is about"
        return wait_for(lambda: len(self.hits) >= count and self.hits[count - 1], timeout, what)

    def __enter__(self) -> "Rule":
        return self

    def __exit__(self, *_: object) -> None:
        self.lift()


class FaultProxy:
    """Listens on a port of this machine for plain HTTP, and hands on to `http:` or, given its authority, `https:`.

    With a context of its own it is itself an `https:` server.
    """

    def __init__(self, upstream: str, ca: pathlib.Path | None = None, server_tls: ssl.SSLContext | None = None) -> None:
        self.server_tls = server_tls
        self.upstream = urllib.parse.urlsplit(upstream)
        self.tls = None
        if self.upstream.scheme == "https":
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.tls.load_verify_locations(ca)
        self.changed = threading.Condition()
        self.requests: list[Exchange] = []
        self.rules: list[Rule] = []
        self.conversations: set[Conversation] = set()
        # What went wrong in hooks.
        self.errors: list[Exception] = []
        self.listener: socket.socket | None = None
        # Held even while nothing listens, so that nobody else gets the port: clients know it.
        self.place = bound(0)
        self.port = self.place.getsockname()[1]
        self.closed = threading.Event()

    @property
    def url(self) -> str:
        return f"{'http' if self.server_tls is None else 'https'}://127.0.0.1:{self.port}"

    def start(self) -> "FaultProxy":
        self.accept()
        return self

    def rule(
        self, what: Callable[[Exchange], Action] | Action, *, method: str | None = None, path: str | None = None,
        when: str = "before", skip: int = 0, times: int | None = None,
    ) -> Rule:
        """Does something to requests: an action, or what a function that is given the request returns (`None`: pass).

        Of the requests with this method whose path this pattern is found in, it leaves out the first `skip`, and is done
        with after `times`. It happens before the upstream is asked, or after it has begun to answer.
        """
        made = Rule(self, what, when, method=method, path=path, skip=skip, times=times)
        with self.changed:
            self.rules.append(made)
        return made

    def at(self, number: int, hook: Callable[[Exchange], Action] | Action, **about: object) -> Rule:
        """Does something once, to the request of this number among those that come from now on; the first is 1."""
        return self.rule(hook, skip=number - 1, times=1, **about)

    def refuse(self) -> None:
        """Cuts every connection, and refuses new ones as if nobody listened."""
        with self.changed:
            listener, self.listener = self.listener, None
        if listener is not None:
            # Wakes the thread that accepts.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def accept(self) -> None:
        """Takes connections, as in the beginning."""
        with self.changed:
            if self.listener is not None:
                return
            self.listener = bound(self.port)
            self.listener.setblocking(True)
            self.listener.listen(1024)
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True, name="fault proxy").start()

    def cut(self) -> None:
        """Resets every connection that is open; new ones are taken."""
        with self.changed:
            conversations = list(self.conversations)
        for conversation in conversations:
            conversation.cut()

    def seen(self, method: str | None = None, path: str | None = None) -> list[Exchange]:
        """The requests so far, by method and by a pattern of the path."""
        with self.changed:
            return [one for one in self.requests if one.is_about(method, path)]

    def going_on(self, method: str | None = None, path: str | None = None) -> list[Exchange]:
        """Those whose answer has begun and not ended: watches and streams."""
        return [one for one in self.seen(method, path) if one.status is not None and one.ended_s is None]

    def wait_for(
        self, method: str | None = None, path: str | None = None, count: int = 1, timeout: float = WAIT_TIMEOUT_S
    ) -> list[Exchange]:
        """Waits until so many requests have been answered, or have begun to be."""
        def answered():
            found = [one for one in self.seen(method, path) if one.status is not None]
            return len(found) >= count and found

        return wait_for(answered, timeout, f"{count} × {method or 'any'} {path or ''} answered")

    def forget(self) -> None:
        with self.changed:
            self.requests.clear()

    def close(self) -> None:
        self.closed.set()
        for rule in list(self.rules):
            rule.lift()
        self.refuse()
        self.place.close()
        if self.errors:
            raise self.errors[0]

    def __enter__(self) -> "FaultProxy":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            conversation = Conversation(self, client)
            with self.changed:
                taken = self.listener is listener
                if taken:
                    self.conversations.add(conversation)
            if taken:
                threading.Thread(target=conversation.run, daemon=True, name="fault proxy").start()
            else:
                # It came in just before the refusal.
                conversation.close()

    def noted(self, request: h11.Request, body: bytes) -> Exchange:
        target = urllib.parse.urlsplit(request.target.decode())
        headers = {name.decode(): value.decode() for name, value in request.headers if name != b"authorization"}
        with self.changed:
            exchange = Exchange(
                len(self.requests) + 1, request.method.decode(), target.path, dict(urllib.parse.parse_qsl(target.query)),
                headers, body, time.monotonic(),
            )
            self.requests.append(exchange)
        return exchange

    def decided(self, exchange: Exchange, when: str) -> tuple[Action, Rule | None]:
        with self.changed:
            applied = [rule for rule in self.rules if rule.applies(exchange, when)]
        for rule in applied:
            action = rule.what(exchange) if callable(rule.what) else rule.what
            if action is not None:
                return action, rule
        return None, None
