"""A private Postgres cluster: own data, own socket directory, own port; ended by its pid.

Standard library only, so that `with-postgres.sh` runs it before any virtual environment exists.
"""

from __future__ import annotations

import atexit
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20


class PostgresMissing(RuntimeError):
    """Postgres's programs, or the account to run them as, are not on this machine."""


def bin_dir() -> pathlib.Path:
    """The newest installed Postgres's programs (Debian keeps them off PATH)."""
    installed = [
        directory
        for directory in pathlib.Path("/usr/lib/postgresql").glob("*/bin")
        if (directory / "initdb").exists() and (directory / "postgres").exists()
    ]
    if installed:
        return max(installed, key=lambda directory: int(directory.parent.name.split(".")[0]))
    found = shutil.which("initdb")
    if found:
        return pathlib.Path(found).resolve().parent
    raise PostgresMissing(
        "these tests need Postgres: no initdb under /usr/lib/postgresql/*/bin nor on PATH "
        "(on Debian: apt-get install postgresql)"
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A running cluster; `fsync=False` for tests that never kill it."""

    def __init__(self, *, fsync: bool = False) -> None:
        self.bin = bin_dir()
        self.fsync = fsync
        self.port = 0
        self.process: subprocess.Popen | None = None
        # Postgres refuses to run as root: then its own account runs it.
        self.account: dict = {}
        if os.geteuid() == 0:
            import pwd

            try:
                entry = pwd.getpwnam("postgres")
            except KeyError as error:
                raise PostgresMissing("there is no account `postgres` to run the cluster as") from error
            self.account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        # Short, because a socket's path holds 107 bytes.
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cmpg-", dir="/tmp"))
        if self.account:
            os.chown(self.home, self.account["user"], self.account["group"])
        self.data = self.home / "data"
        self.log = self.home / "log"
        atexit.register(self.destroy)
        try:
            subprocess.run(
                [
                    self.bin / "initdb", "--pgdata", self.data, "--username", "postgres",
                    "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync",
                ],
                check=True, capture_output=True, text=True, cwd=self.home,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, **self.account,
            )
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"initdb failed: {error.stdout}\n{error.stderr}") from error

    def start(self) -> None:
        for _ in range(5):
            # The first start picks a port; later ones keep it, as clients know it.
            port = self.port or free_port()
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    [
                        self.bin / "postgres", "-D", self.data, "-p", str(port), "-k", self.home,
                        "-c", "listen_addresses=127.0.0.1",
                        "-c", f"fsync={'on' if self.fsync else 'off'}",
                        "-c", "max_connections=200",
                    ],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                    env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, **self.account,
                )
            if self._is_ready(port):
                self.port = port
                return
        raise RuntimeError(f"Postgres does not start:\n{self.log.read_text(errors='replace')}")

    def _is_ready(self, port: int) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            answer = subprocess.run(
                [self.bin / "pg_isready", "-q", "-h", self.home, "-p", str(port)], check=False
            )
            if answer.returncode == 0:
                return True
            time.sleep(0.05)
        return False

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Creates an empty database and returns its URL."""
        subprocess.run(
            [self.bin / "createdb", "-h", self.home, "-p", str(self.port), "-U", "postgres", name],
            check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        )
        return self.url(name)

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # "fast": sessions are ended, not awaited
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(STOP_TIMEOUT_S)
        self.process = None

    def crash(self) -> None:
        """Ends the cluster as `pg_ctl stop -m immediate` does: nobody is asked, nothing is written down."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(STOP_TIMEOUT_S)
        self.process = None

    def destroy(self) -> None:
        atexit.unregister(self.destroy)
        # Nothing in it is needed any more.
        self.crash()
        shutil.rmtree(self.home, ignore_errors=True)


def main(command: list[str]) -> int:
    """Runs a command with TEST_DATABASE_URL naming a private cluster's superuser; with --fsync before it, a durable one."""
    fsync = command[:1] == ["--fsync"]
    command = command[fsync:]
    if not command:
        print("usage: with-postgres.sh [--fsync] COMMAND [ARGUMENT…]", file=sys.stderr)
        return 2
    try:
        cluster = Cluster(fsync=fsync)
    except PostgresMissing as error:
        print(f"with-postgres.sh: {error}", file=sys.stderr)
        return 1
    try:
        cluster.start()
        return subprocess.run(
            command, check=False,
            env={**os.environ, "TEST_DATABASE_URL": cluster.url(), "POSTGRES_BIN": str(cluster.bin)},
        ).returncode
    except KeyboardInterrupt:
        return 130
    finally:
        cluster.destroy()


if __name__ == "__main__":
    # A SIGTERM unwinds like Ctrl-C, so that no cluster outlives its command.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
