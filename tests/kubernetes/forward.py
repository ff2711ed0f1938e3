"""A way from this machine into a node's network, for programs that cannot enter it: browsers, and the tests themselves."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import pathlib
import socket
import threading

CLONE_NEWNET = 0x40000000
CONNECT_TIMEOUT_S = 5
STOP_TIMEOUT_S = 10
PIECE_BYTES = 64 * 1024


class Forward:
    """A port of this machine's loopback, whose connections go on inside the node's network.

    The port is known before there is anything to lead to. Who cannot be led is cut off, as by the network itself.
    """

    def __init__(self) -> None:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread: threading.Thread | None = None
        self.tasks: set[asyncio.Task] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/ws"

    def lead_to(self, init: int, host: str, port: int) -> None:
        """Leads connections, from now on, to an address of the network in which a process is; always the same network."""
        self.target = (host, port)
        if self.thread is not None:
            return
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(init, started), daemon=True)
        self.thread.start()
        assert started.wait(STOP_TIMEOUT_S), "the network cannot be entered"

    def _run(self, init: int, started: threading.Event) -> None:
        # This thread's sockets, and nobody else's, are of that network from here on.
        network = os.open(pathlib.Path(f"/proc/{init}/ns/net"), os.O_RDONLY)
        entered = ctypes.CDLL(None, use_errno=True).setns(network, CLONE_NEWNET)
        os.close(network)
        if entered != 0:
            raise OSError(ctypes.get_errno(), "setns")
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, sock=self.listener))
        started.set()
        self.loop.run_forever()
        server.close()
        running = asyncio.all_tasks(self.loop)
        for task in running:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
        self.loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        # Nobody else keeps a task once its client has gone.
        self.tasks.add(task := asyncio.current_task())
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                inner_reader, inner_writer = await asyncio.open_connection(*self.target)
            ends.append(inner_writer)
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        except OSError:
            # TimeoutError is one, too.
            for end in ends:
                end.transport.abort()
        finally:
            self.tasks.discard(task)
            for end in ends:
                end.close()

    def close(self) -> None:
        if self.thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(STOP_TIMEOUT_S)
        self.listener.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
