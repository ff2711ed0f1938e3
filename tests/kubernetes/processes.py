"""Programs that a test starts: each has a log, holds its port, and ends with the test run, however that ends."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import signal
import socket
import subprocess
import time
import weakref

STOP_TIMEOUT_S = 20
WAIT_TIMEOUT_S = 20
LISTENING = "0A"
STARTER = "setpriv"
# The kernel tells a child that its parent is gone when the thread that started it is: one thread starts them all, and
# lives as long as the test run.
_starter = concurrent.futures.ThreadPoolExecutor(1, "starter")
# What a test that fails shows of them.
running: weakref.WeakSet["Program"] = weakref.WeakSet()


class NotYet(AssertionError):
    """A condition that did not come true in time."""


def wait_for(condition, timeout: float = WAIT_TIMEOUT_S, what: str = "", every: float = 0.02):
    """Waits until a condition gives something true, and gives that.

    Assertions that fail and connections that are refused in it count as not yet, and are what the error says last.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            value = last = condition()
        except (AssertionError, OSError) as error:
            value, last = None, error
        if value:
            return value
        if time.monotonic() > deadline:
            said = what or getattr(condition, "__doc__", None) or "the condition"
            raise NotYet(f"{said} did not come true in {timeout} s; at last: {last!r}")
        time.sleep(every)


def held_port() -> socket.socket:
    """A socket that keeps a free port for programs which let others share theirs, and refuses who connects."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    raw.bind(("127.0.0.1", 0))
    return raw


def listens(pid: int, port: int) -> bool:
    """Says whether it is this process that listens on a port."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and int(local.rsplit(":", 1)[1], 16) == port:
                sockets.add(f"socket:[{inode}]")
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(descriptor) in sockets:
                return True
        except OSError:
            # Closed since it was listed.
            continue
    return False


class Started:
    """Something that starts where a block begins, and ends with it, and also where it could not start."""

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()


class Program:
    """A process group: a program and all that it starts."""

    def __init__(self, name: str, log: pathlib.Path) -> None:
        self.name = name
        self.log = log
        self.process: subprocess.Popen | None = None
        running.add(self)

    def start(self, *command: object, environment: dict[str, str] | None = None) -> None:
        assert not self.alive(), f"{self.name} runs already"
        words = [STARTER, "--pdeathsig", "KILL", "--", *map(str, command)]
        with open(self.log, "ab") as log:
            self.process = _starter.submit(
                subprocess.Popen, words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True,
            ).result()
        # Only then does it end with the test run.
        wait_for(lambda: not self.alive() or self._became() != STARTER, what=f"{self.name} being started")

    def _became(self) -> str:
        return pathlib.Path(f"/proc/{self.process.pid}/comm").read_text().strip()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_until(self, ready, timeout: float) -> None:
        """Waits until it is ready, or fails as soon as it has ended."""
        def ready_or_ended():
            return self.process.poll() is not None or ready()

        try:
            wait_for(ready_or_ended, timeout, f"{self.name} being ready")
            assert self.alive(), f"{self.name} ended with {self.process.returncode}"
        except AssertionError as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.tail()}") from None

    def wait_until_listening(self, port: int, timeout: float) -> None:
        self.wait_until(lambda: listens(self.process.pid, port), timeout)

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        if self.process is None:
            return
        try:
            # Even where the program itself has ended: something that it has started may live.
            self.signal(signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(STOP_TIMEOUT_S)

    def stop(self, timeout: float = STOP_TIMEOUT_S) -> int:
        """Asks it to end, and gives its exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {timeout} s\n{self.tail()}") from None
        finally:
            self.kill()

    def tail(self, lines: int = 40) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
