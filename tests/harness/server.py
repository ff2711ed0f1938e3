"""A real server process: started on a free port in its own directory, ended by its pid."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("CLOUDMEET_SERVER", ROOT / "target/debug/cloudmeet-api-server"))
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20
LISTENING = re.compile(r"""listening["\s,]*"?address["=:]+([0-9.:]+)""")


def environment(**settings: object) -> dict[str, str]:
    """Nothing of the caller's settings reaches the server, only these."""
    base = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "HOST": "127.0.0.1", "PORT": "0"}
    return base | {name: str(value) for name, value in settings.items() if value is not None}


class Server:
    """A server that can be stopped, killed and started again on the same directory and port."""

    def __init__(self, **settings: object) -> None:
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cloudmeet-"))
        self.settings = {"DATA_DIR": self.home / "data"} | settings
        self.log = self.home / "log"
        self.process: subprocess.Popen | None = None
        self.port: int | None = None

    def start(self) -> "Server":
        settings = dict(self.settings)
        if self.port is not None:
            settings["PORT"] = self.port
        began = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(**settings)
            )
        address = self._wait_until_listening(began)
        self.port = int(address.rsplit(":", 1)[1])
        health = httpx.get(self.url + "/health", timeout=10)
        assert health.json() == {"status": "healthy", "service": "gateway"}, health.text
        # Whoever answered there, it must be the one that was started.
        assert self.process.poll() is None, self.read_log()
        return self

    def _wait_until_listening(self, began: int) -> str:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            text = self.log.read_bytes()[began:].decode(errors="replace")
            found = LISTENING.search(text)
            if found:
                return found.group(1)
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{text}")
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"the server does not listen:\n{self.read_log()}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/ws"

    def read_log(self) -> str:
        return self.log.read_text(errors="replace")

    def terminate(self) -> int:
        """Asks the server to end and returns its exit code; it has 20 s."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def run_to_end(arguments: list[str] = (), timeout: float = 15, **settings: object) -> subprocess.CompletedProcess:
    """Runs the program when it is expected to end by itself."""
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=timeout, env=environment(**settings), check=False
    )
