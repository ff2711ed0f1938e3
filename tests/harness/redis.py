"""A private Redis: own directory, own port, nothing kept on disk; ended by its pid."""

from __future__ import annotations

import atexit
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness.postgres import free_port

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10
# What a Redis says to a PING, with or without a password set.
ANSWERS = (b"-NOAUTH", b"+PONG")


class Redis:
    """A Redis that can be frozen, thawed, killed and started again on the same port."""

    def __init__(self, *options: str) -> None:
        self.program = shutil.which("redis-server")
        assert self.program, "these tests need Redis (on Debian: apt-get install redis-server)"
        self.options = options
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cmredis-", dir="/tmp"))
        self.log = self.home / "log"
        self.port = 0
        self.process: subprocess.Popen | None = None
        atexit.register(self.close)

    def start(self, *options: str) -> "Redis":
        for _ in range(5):
            # The first start picks a port; later ones keep it, as clients know it.
            port = self.port or free_port()
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    [
                        self.program, "--port", str(port), "--bind", "127.0.0.1", "--dir", self.home,
                        "--save", "", "--appendonly", "no", *self.options, *options,
                    ],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                )
            if self._answers(port):
                self.port = port
                return self
        raise RuntimeError(f"Redis does not start:\n{self.log.read_text(errors='replace')}")

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                answer = command(port, "PING")
            except OSError:
                time.sleep(0.02)
                continue
            # Another's Redis on this port would leave this one dead.
            return answer.startswith(ANSWERS) and self.process.poll() is None
        return False

    def url(self, database: int = 0, user: str = "") -> str:
        return f"redis://{user}127.0.0.1:{self.port}/{database}"

    def command(self, *words: str) -> bytes:
        return command(self.port, *words)

    def keys(self) -> list[str]:
        return [line.decode() for line in self.command("KEYS", "*").split(b"\r\n") if line[:1] not in (b"*", b"$", b"")]

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def close(self) -> None:
        atexit.unregister(self.close)
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> "Redis":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def command(port: int, *words: str) -> bytes:
    """Sends one command on a connection of its own and gives the first line of the answer, or more."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        connection.sendall(f"*{len(words)}\r\n{parts}".encode())
        return connection.recv(65536)
