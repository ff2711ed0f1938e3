"""A Docker engine of the tests' own, with stand-ins for the images that ours are built on.

It all happens in a network of its own (see `run.sh`), so that the ports are those that the files name.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = pathlib.Path(os.environ["CONTAINERS_CACHE"])
START_TIMEOUT_S = 60
# Debian's programs, which know BuildKit without further parts.
PROGRAMS = "/usr/bin:/usr/sbin:/bin:/sbin:" + os.environ["PATH"]


class Engine:
    """A running engine; its images stay in the cache between runs."""

    def __init__(self) -> None:
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cmdocker-", dir="/tmp"))
        self.log = self.home / "log"
        self.environment = {
            "PATH": PROGRAMS, "HOME": str(self.home), "DOCKER_HOST": f"unix://{self.home}/socket",
            "DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1", "BUILDKIT_PROGRESS": "plain",
        }
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [
                    "dockerd", "--data-root", CACHE / "engine", "--exec-root", self.home / "exec",
                    "--pidfile", self.home / "pid", "--host", self.environment["DOCKER_HOST"],
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while subprocess.run(["docker", "info"], env=self.environment, capture_output=True, check=False).returncode:
            assert self.process.poll() is None and time.monotonic() < deadline, (
                f"the Docker engine does not start:\n{self.log.read_text(errors='replace')[-4000:]}"
            )
            time.sleep(0.2)

    def run(self, command: str, timeout: float = 60, check: bool = True, cwd=ROOT, **environment: str) -> str:
        """Runs a command line as a person would type it, and gives what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=cwd, timeout=timeout, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.environment | environment,
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-8000:]}"
        return done.stdout

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture(scope="session")
def engine():
    running = Engine()
    try:
        running.run(f"{HERE}/stand-ins.sh {CACHE}/stand-ins", timeout=1200, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin",
                    HOME=os.environ["HOME"])
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def checkout(engine, tmp_path_factory):
    """The files that a stranger clones, and nothing else."""
    directory = tmp_path_factory.mktemp("clone") / "cloudmeet"
    directory.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "--null", "-T", "-", "-cf", directory.parent / "tree.tar"], cwd=ROOT, check=True, input=listed)
    subprocess.run(["tar", "-xf", directory.parent / "tree.tar", "-C", directory], check=True)
    return directory
