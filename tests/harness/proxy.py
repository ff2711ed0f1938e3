"""A TCP proxy of the tests, between any two parts of a system, that does harm on request.

It runs on a thread of its own, so that synchronous and asynchronous tests use it alike.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
import socket
import struct
import threading
import urllib.parse
from collections.abc import Coroutine

CHUNK = 65536
COMMAND_TIMEOUT_S = 10
# Who cannot be reached at all; a proxy's client is then treated as the target would treat it.
CONNECT_TIMEOUT_S = 5


@functools.cache
def shared_loop() -> asyncio.AbstractEventLoop:
    """One thread moves the bytes of all proxies."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="proxies").start()
    return loop


class Proxy:
    """Hands connections on to a port of this machine, for better or worse.

    `heal()` is how it begins. `delay(s)` lets everything arrive so much later, each way. `reset()`
    resets every connection and refuses new ones. `black_hole()` accepts and keeps connections, and
    nothing comes through; once healed, what waited does, as it would after a cut cable.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self.delay_s = 0.0
        # How many bytes came through, both ways.
        self.carried = 0
        self.listener: asyncio.Server | None = None
        self.connections: set[Connection] = set()
        # Held even while nothing listens, so that nobody else gets the port: clients know it.
        self.place = bound(0)
        self.port = self.place.getsockname()[1]
        self.passing: asyncio.Event | None = None

    def start(self) -> "Proxy":
        command(self._start())
        return self

    def heal(self) -> None:
        command(self._heal(0.0))

    def delay(self, delay_s: float) -> None:
        command(self._heal(delay_s))

    def reset(self) -> None:
        command(self._reset())

    def black_hole(self) -> None:
        command(self._black_hole())

    def close(self) -> None:
        command(self._reset())
        self.place.close()

    def url(self, target: str) -> str:
        """The target's URL, by way of this proxy."""
        parts = urllib.parse.urlsplit(target)
        assert parts.port == self.target_port, target
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}127.0.0.1:{self.port}").geturl()

    def __enter__(self) -> "Proxy":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _start(self) -> None:
        self.passing = asyncio.Event()
        await self._heal(0.0)

    async def _heal(self, delay_s: float) -> None:
        self.delay_s = delay_s
        if self.listener is None:
            self.listener = await asyncio.start_server(self._serve, sock=bound(self.port), limit=CHUNK, backlog=1024)
        self.passing.set()

    async def _reset(self) -> None:
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        for connection in list(self.connections):
            connection.reset()

    async def _black_hole(self) -> None:
        await self._heal(0.0)
        self.passing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, writer)
        if self.listener is None:
            # It came in just before the reset.
            connection.abort()
            return
        self.connections.add(connection)
        try:
            await connection.run(reader)
        finally:
            self.connections.discard(connection)


class Connection:
    """One client's connection and the one that was opened to the target for it."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self.proxy = proxy
        self.writers = [client]
        self.task = asyncio.current_task()

    async def run(self, from_client: asyncio.StreamReader) -> None:
        try:
            await self.proxy.passing.wait()
            opening = asyncio.open_connection("127.0.0.1", self.proxy.target_port, limit=CHUNK)
            from_target, target = await asyncio.wait_for(opening, CONNECT_TIMEOUT_S)
            self.writers.append(target)
            async with asyncio.TaskGroup() as both:
                both.create_task(self.carry(from_client, target))
                both.create_task(self.carry(from_target, self.writers[0]))
            for writer in self.writers:
                writer.close()
        except* (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            # How one end broke off, the other shall see: not as an end in order.
            self.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries bytes one way until their end, each as late as is asked for."""
        under_way: collections.deque[tuple[float, bytes]] = collections.deque()
        news = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def deliver() -> None:
            while True:
                while not under_way:
                    news.clear()
                    await news.wait()
                due, data = under_way.popleft()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                await self.proxy.passing.wait()
                if not data:
                    if writer.can_write_eof():
                        writer.write_eof()
                    return
                if writer.transport.is_closing():
                    return
                self.proxy.carried += len(data)
                writer.write(data)
                await writer.drain()

        delivering = asyncio.create_task(deliver())
        try:
            data = b"begin"
            while data and not delivering.done():
                # Nothing is even taken from a sender while nothing passes: its buffers fill.
                await self.proxy.passing.wait()
                data = await reader.read(CHUNK)
                under_way.append((loop.time() + self.proxy.delay_s, data))
                news.set()
            await delivering
        finally:
            delivering.cancel()

    def reset(self) -> None:
        """Ends both connections at once, without a FIN."""
        self.abort()
        self.task.cancel()

    def abort(self) -> None:
        for writer in self.writers:
            raw = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


def bound(port: int) -> socket.socket:
    """A socket with this port, any free one for 0, that does not listen: who connects is refused."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    raw.bind(("127.0.0.1", port))
    raw.setblocking(False)
    return raw


def command(coroutine: Coroutine) -> None:
    asyncio.run_coroutine_threadsafe(coroutine, shared_loop()).result(COMMAND_TIMEOUT_S)
