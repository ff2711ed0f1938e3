"""A Docker engine of the tests' own, in a network of its own (see `run.sh`): the ports are those that the files name."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = pathlib.Path(os.environ["CONTAINERS_CACHE"])
START_TIMEOUT_S = 60
# Debian's programs, which know BuildKit without further parts.
PROGRAMS = "/usr/bin:/usr/sbin:/bin:/sbin:" + os.environ["PATH"]

# Debian 12 has Compose as a program of its own: this lets it be called as everybody calls it.
COMPOSE_PLUGIN = """#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{"SchemaVersion": "0.1.0", "Vendor": "Debian", "ShortDescription": "Docker Compose"}'
else
  shift
  exec docker-compose "$@"
fi
"""

# What a run that was cut short has left: all but the images.
CLEAN = """
set +e
docker swarm leave --force
docker ps -aq | xargs --no-run-if-empty docker rm --force --volumes
docker volume ls -q | xargs --no-run-if-empty docker volume rm
docker network prune --force
"""


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
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"the Docker engine does not start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.2)
        if subprocess.run(["docker", "compose", "version"], env=self.environment, capture_output=True, check=False).returncode:
            plugin = self.home / ".docker/cli-plugins/docker-compose"
            plugin.parent.mkdir(parents=True)
            plugin.write_text(COMPOSE_PLUGIN)
            plugin.chmod(0o755)
        self.run(CLEAN, timeout=120, check=False)

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
        # What earlier runs built is of no use any more.
        self.run("docker image prune --force", check=False)
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        # A build that was cut short leaves its network mounted.
        for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
            if line.split()[1].startswith(f"{self.home}/"):
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False)
        shutil.rmtree(self.home, ignore_errors=True)
