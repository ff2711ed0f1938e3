"""The real `cloudmeet`, called as people and programs call it."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from harness.server import ROOT

BINARY = pathlib.Path(os.environ.get("CLOUDMEET_CLI", ROOT / "target/debug/cloudmeet"))
TIMEOUT_S = 20


class Cloudmeet:
    """The program with a home and an environment of its own; `flags` come with every call."""

    def __init__(self, home: pathlib.Path, *flags: str, **environment: str) -> None:
        self.home = home
        self.flags = flags
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home)} | environment

    def with_flags(self, *flags: str) -> "Cloudmeet":
        other = Cloudmeet(self.home, *self.flags, *flags)
        other.environment = self.environment
        return other

    def run(self, *arguments: object, stdin: str | None = None, code: int = 0) -> subprocess.CompletedProcess:
        """Calls it without a terminal, and checks its exit code."""
        done = subprocess.run(
            [BINARY, *self.flags, *map(str, arguments)], env=self.environment, capture_output=True, text=True,
            input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, timeout=TIMEOUT_S,
        )
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        if code != 0:
            assert "panicked" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: object, stdin: str | None = None):
        """Gives what a program gets."""
        return json.loads(self.run("-o", "json", *arguments, stdin=stdin).stdout)

    def text(self, *arguments: object, stdin: str | None = None) -> str:
        return self.run(*arguments, stdin=stdin).stdout

    def refused(self, *arguments: object, stdin: str | None = None, code: int = 1) -> str:
        """Calls it for what is refused, and gives the one thing that is said, on standard error."""
        done = self.run(*arguments, stdin=stdin, code=code)
        assert done.stdout == "", done.stdout
        assert done.stderr.startswith(("cloudmeet: ", "error: ")), done.stderr
        return done.stderr

    def start(self, *arguments: object, **options: object) -> subprocess.Popen:
        """Starts what goes on until it is stopped."""
        return subprocess.Popen(
            [BINARY, *self.flags, *map(str, arguments)], env=self.environment, stdin=subprocess.DEVNULL,
            # Unbuffered: what was printed is waited for, and not what was read ahead.
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **options,
        )

    def terminal(self, *arguments: object, columns: int = 100) -> "Terminal":
        """Starts it at a terminal of so many columns."""
        return Terminal([BINARY, *self.flags, *map(str, arguments)], self.environment | {"TERM": "xterm"}, columns)


class Terminal:
    """A program at a terminal: what it shows is collected, and keys are typed."""

    def __init__(self, command: list, environment: dict[str, str], columns: int) -> None:
        # The size stands before the program starts.
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        self.process = subprocess.Popen(
            command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self.ours = ours
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def type_hidden(self, keys: str) -> None:
        """Types when the terminal does not show what is typed any more."""
        deadline = time.monotonic() + TIMEOUT_S
        while termios.tcgetattr(self.ours)[3] & termios.ECHO:
            assert time.monotonic() < deadline, "what is typed would be shown"
            time.sleep(0.005)
        self.type(keys)

    def wait_until_shown_again(self) -> None:
        """Waits until the terminal shows what is typed."""
        deadline = time.monotonic() + TIMEOUT_S
        while not termios.tcgetattr(self.ours)[3] & termios.ECHO:
            assert time.monotonic() < deadline, "what is typed is not shown"
            time.sleep(0.005)

    def wait_for(self, text: str, timeout: float = TIMEOUT_S) -> str:
        """Waits until a text was shown, and gives all that was until then; the next wait begins after it."""
        deadline = time.monotonic() + timeout
        while text not in self.shown:
            assert time.monotonic() < deadline, (text, self.shown)
            assert self._read(deadline - time.monotonic()), (text, self.shown, self.process.poll())
        end = self.shown.index(text) + len(text)
        seen, self.shown = self.shown[:end], self.shown[end:]
        return seen

    def end(self, code: int = 0) -> str:
        """Waits for the program's end, checks its exit code, and gives what was shown since the last wait."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._read(deadline - time.monotonic()):
            assert time.monotonic() < deadline, self.shown
        assert self.process.wait(TIMEOUT_S) == code, self.shown
        os.close(self.ours)
        return self.shown

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self.ours], [], [], max(timeout, 0))
        if not ready:
            return True
        try:
            part = os.read(self.ours, 65536)
        except OSError:
            # Linux says so when the other side has closed.
            return False
        self.shown += part.decode(errors="replace")
        return bool(part)


def first_line(process: subprocess.Popen, timeout: float = TIMEOUT_S) -> bytes:
    """Waits for the next line that a program prints."""
    ready, _, _ = select.select([process.stdout], [], [], timeout)
    assert ready, "nothing was printed"
    return process.stdout.readline()


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def width(text: str) -> int:
    """How many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
