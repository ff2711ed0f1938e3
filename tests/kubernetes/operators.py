"""Operators of the tests: processes as a pod would run them, that can be frozen, killed and asked what they count."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import tempfile

import httpx

from harness.postgres import free_port
from harness.server import ROOT
from kubernetes.processes import Program, Started

BINARY = pathlib.Path(os.environ.get("CLOUDMEET_OPERATOR", ROOT / "target/debug/cloudmeet-operator"))
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30
TIMEOUT_S = 5
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """What is counted, at one moment."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: list[tuple[str, dict[str, str], float]] = []
        for line in text.splitlines():
            if found := SAMPLE.match(line):
                name, labels, value = found.groups()
                self.samples.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of a name that have these labels; 0 where there is none."""
        return sum(value for one, has, value in self.samples if one == name and labels.items() <= has.items())

    def names(self) -> set[str]:
        return {name for name, _, _ in self.samples}


class Operator(Started):
    """One replica. `settings` are its environment beside what every one needs; `None` leaves one of those out."""

    def __init__(
        self, *, kubeconfig: pathlib.Path, cloudmeet_url: str, key_file: pathlib.Path, manager: str, namespace: str,
        name: str = "operator-0", **settings: object,
    ) -> None:
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cmoperator-"))
        self.name = name
        self.program = Program(name, self.home / "log")
        self.port = 0
        self.settings = {
            "PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": kubeconfig, "CLOUDMEET_URL": cloudmeet_url,
            "CLOUDMEET_API_KEY_FILE": key_file, "MANAGER": manager, "WATCH_NAMESPACES": namespace,
            "LEASE_NAMESPACE": namespace, "LEASE_NAME": "cloudmeet-operator", "LEASE_DURATION_SECONDS": 15,
            "RESYNC_SECONDS": 600, "POD_NAME": name, "LOG_FORMAT": "json",
        } | settings

    def start(self, ready: bool = True) -> "Operator":
        """Starts it, and waits until it says that it is ready, unless it is not to become so."""
        for _ in range(5):
            # It takes no port from others: another one, where somebody was quicker.
            self.port = free_port()
            settings = self.settings | {"METRICS_ADDR": f"127.0.0.1:{self.port}"}
            environment = {name: str(value) for name, value in settings.items() if value is not None}
            self.program.start(BINARY, "run", environment=environment)
            try:
                self.program.wait_until_listening(self.port, START_TIMEOUT_S)
            except RuntimeError:
                if "in use" in self.program.tail():
                    continue
                raise
            if ready:
                self.program.wait_until(self.is_ready, START_TIMEOUT_S)
            return self
        raise RuntimeError(f"{self.name} finds no port:\n{self.program.tail()}")

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=TIMEOUT_S)

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def is_alive(self) -> bool:
        return self.program.alive()

    def metrics(self) -> Metrics:
        answer = self.get("/metrics")
        assert answer.status_code == 200, answer.text
        return Metrics(answer.text)

    def kill(self) -> None:
        """Ends it as the kernel does when memory is short: it can do nothing about it."""
        self.program.kill()

    def freeze(self) -> None:
        """Stops it in what it does, as a node that hangs."""
        self.program.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.program.signal(signal.SIGCONT)

    def stop(self) -> None:
        """Asks it to end, which it does well."""
        code = self.program.stop(STOP_TIMEOUT_S)
        assert code == 0, f"{self.name} ended with {code}\n{self.program.tail()}"

    def log(self) -> str:
        return self.program.log.read_text(errors="replace") if self.program.log.exists() else ""

    def close(self) -> None:
        self.program.kill()
        shutil.rmtree(self.home, ignore_errors=True)
