"""A real server process: started on a free port in its own directory, ended by its pid."""

from __future__ import annotations

import itertools
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
DEVELOPED = ROOT / "target/debug/cloudmeet-api-server"
BINARY = pathlib.Path(os.environ.get("CLOUDMEET_SERVER", DEVELOPED))
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20
SERVICES = {"all": "gateway", "gateway": "gateway", "auth": "auth-service", "conference": "conference-service"}
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
        # What it is started by, where it is to run in other surroundings; it becomes the server.
        self.prefix: list[str] = []
        # How long the end of a session or a new name may take to be known everywhere.
        self.bites_s = 0

    def start(self) -> "Server":
        settings = dict(self.settings)
        if self.port is not None:
            settings["PORT"] = self.port
        began = self.log.stat().st_size if self.log.exists() else 0
        # What is shipped is static, and takes nothing that is preloaded.
        binary = DEVELOPED if "LD_PRELOAD" in settings else BINARY
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, binary], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(**settings)
            )
        address = self._wait_until_listening(began)
        self.port = int(address.rsplit(":", 1)[1])
        health = httpx.get(self.url + "/health", timeout=10)
        service = SERVICES[self.settings.get("ROLE", "all")]
        assert health.json() == {"status": "healthy", "service": service}, health.text
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

    @property
    def entrance(self) -> "Server":
        """One server that is asked, where what counts is that it is the same one twice."""
        return self

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


class Pair:
    """Two servers that are everything, as one system: who asks for an address is given theirs in turn."""

    def __init__(self, **settings: object) -> None:
        settings = {"INTERNAL_TOKEN": INNER["INTERNAL_TOKEN"]} | settings
        self.pair = [Server(**settings) for _ in range(2)]
        self.turn = itertools.cycle(self.pair)
        self.bites_s = bites_s(settings)

    def start(self) -> "Pair":
        for server in self.pair:
            server.start()
        return self

    @property
    def url(self) -> str:
        return next(self.turn).url

    @property
    def ws_url(self) -> str:
        return next(self.turn).ws_url

    @property
    def port(self) -> int:
        return next(self.turn).port

    @property
    def entrance(self) -> Server:
        return next(self.turn)

    def read_log(self) -> str:
        return "".join(server.read_log() for server in self.servers())

    def servers(self) -> list[Server]:
        return self.pair

    def close(self) -> None:
        for server in self.servers():
            server.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class Split(Pair):
    """The services apart, as one system: auth, conference servers and gateways in front of all, `each` of these.

    Given another system's `auth`, it shares that; given databases, it shares those; of its own auth
    servers there are `auths`. Who asks for an address is given the gateways' in turn.
    """

    def __init__(self, auth: Server | None = None, each: int = 1, auths: int = 1, **settings: object) -> None:
        self.own_auths = [] if auth else [Server(**settings | INNER | {"ROLE": "auth"}) for _ in range(auths)]
        self.auth = auth or self.own_auths[0]
        self.each = each
        self.settings = settings
        self.conferences: list[Server] = []
        self.gateways: list[Server] = []
        self.turn = iter(())
        self.bites_s = bites_s(settings)

    def start(self) -> "Split":
        for server in self.own_auths:
            server.start()
        auth = {"AUTH_SERVICE_URL": ",".join(server.url for server in self.own_auths or [self.auth])}
        for _ in range(self.each):
            self.conferences.append(Server(**self.settings | INNER | auth | {"ROLE": "conference"}).start())
        upstreams = auth | {"CONFERENCE_SERVICE_URL": ",".join(server.url for server in self.conferences)}
        own = ("RATE_LIMITS", "OTEL_EXPORTER_OTLP_ENDPOINT")
        limits = {name: self.settings[name] for name in own if name in self.settings}
        if self.each > 1:
            # Somebody stands in front and balances.
            upstreams |= {"TRUSTED_PROXIES": INNER["TRUSTED_PROXIES"]}
        for _ in range(self.each):
            self.gateways.append(Server(**limits | upstreams | {"ROLE": "gateway"}).start())
        self.turn = itertools.cycle(self.gateways)
        return self

    @property
    def gateway(self) -> Server:
        return self.gateways[0]

    @property
    def conference(self) -> Server:
        return self.conferences[0]

    def servers(self) -> list[Server]:
        """From the outermost on, without an auth service of others."""
        return [*self.gateways, *self.conferences, *self.own_auths]


def bites_s(settings: dict) -> float:
    """How long the end of a session or a new name may take to be known on every server."""
    return 1 if settings.get("REDIS_URL") else 5


INNER = {"TRUSTED_PROXIES": "127.0.0.1", "INTERNAL_TOKEN": "what-the-services-of-the-tests-share"}


def run_to_end(arguments: list[str] = (), timeout: float = 15, **settings: object) -> subprocess.CompletedProcess:
    """Runs the program when it is expected to end by itself."""
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=timeout, env=environment(**settings), check=False
    )
