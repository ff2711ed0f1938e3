"""Debian's nginx with the configuration that the frontend's image ships, in front of a gateway."""

from __future__ import annotations

import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import httpx

from harness.postgres import free_port
from harness.server import BINARY, ROOT

CONFIGURATION = ROOT / "docker/frontend/nginx.conf"
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20


class Frontend:
    """The frontend; only its own port, the gateways' addresses and the paths differ from the image."""

    bites_s = 1

    def __init__(self, *gateways: str) -> None:
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert program, "these tests need nginx (on Debian: apt-get install nginx-light)"
        self.program = program
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cmnginx-", dir="/tmp"))
        self.gateways = gateways
        self.port = 0
        self.process: subprocess.Popen | None = None

    def configuration(self, port: int) -> str:
        text = CONFIGURATION.read_text()
        servers = "".join(f"server {gateway}; " for gateway in self.gateways)
        changes = {
            r"listen 80 default_server;": f"listen 127.0.0.1:{port} default_server;",
            r"set \$gateway gateway:8000;": "set $gateway gateways;",
            r"(?m)^http \{$": f"http {{\n    upstream gateways {{ {servers}}}",
            r"/tmp/(\w+)": rf"{self.home}/\1",
            r"/usr/share/nginx/html": f"{self.home}/html",
            r"/dev/stdout": f"{self.home}/access",
        }
        for pattern, replacement in changes.items():
            text, count = re.subn(pattern, replacement, text)
            assert count, f"the shipped configuration has no {pattern}"
        return text

    def start(self) -> "Frontend":
        subprocess.run([BINARY, "web-ui", self.home / "html"], check=True, timeout=30)
        # Workers that are not root must get there.
        for path in (self.home, *self.home.rglob("*")):
            path.chmod(0o755)
        for _ in range(5):
            port = free_port()
            (self.home / "nginx.conf").write_text(self.configuration(port))
            with open(self.home / "log", "ab") as log:
                self.process = subprocess.Popen(
                    [self.program, "-p", self.home, "-c", self.home / "nginx.conf", "-g", "daemon off;"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )
            if self._answers(port):
                self.port = port
                return self
        raise RuntimeError(f"nginx does not start:\n{self.read_log()}")

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/health", timeout=2)
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            assert answer.json() == {"status": "healthy", "service": "frontend"}, answer.text
            return self.process.poll() is None
        return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/ws"

    def read_log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def read_accesses(self) -> str:
        return (self.home / "access").read_text(errors="replace")

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_TIMEOUT_S)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> "Frontend":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()
