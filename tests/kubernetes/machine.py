"""A whole Kubernetes of one node, by the scripts in `node/`: pods run there, from images that are loaded."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable

from kubernetes.api import Kubectl
from kubernetes.cluster import binaries
from kubernetes.processes import Started

SCRIPTS = pathlib.Path(__file__).resolve().parent / "node"
START_TIMEOUT_S = 120
COMMAND_TIMEOUT_S = 120
# Where Debian has the programs that a user need not find.
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


class Node(Started):
    """One node, in namespaces of its own: its network is reached by `enter` alone. Needs root."""

    def __init__(self) -> None:
        self.binaries = binaries()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cmnode-"))
        self.kubeconfig = self.home / "admin.kubeconfig"
        # The node holds one end, and is gone when nobody holds the other any more, however the test run ended.
        self.lifeline: int | None = None

    def start(self) -> "Node":
        theirs, self.lifeline = os.pipe()
        try:
            self._script("up.sh", self.binaries, self.home, timeout=START_TIMEOUT_S, pass_fds=[theirs], LIFELINE=str(theirs))
        finally:
            os.close(theirs)
        return self

    @property
    def init(self) -> int:
        """Pid 1 of the node, as it is called outside: whose namespaces the node's are."""
        return int((self.home / "init.pid").read_text())

    def kubectl(self, namespace: str = "default") -> Kubectl:
        return Kubectl(self.binaries / "kubectl", self.kubeconfig, namespace, [SCRIPTS / "enter.sh", self.home])

    def enter(
        self, *command: object, input: str | None = None, check: bool = True, timeout: float = COMMAND_TIMEOUT_S,
        **environment: str,
    ) -> subprocess.CompletedProcess:
        """Runs a command inside the node's network, where pods and Services are reached by their addresses."""
        done = self._run([SCRIPTS / "enter.sh", self.home, *command], timeout, input, environment)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def helm(self, *words: object, major: int = 4, check: bool = True, timeout: float = 300) -> subprocess.CompletedProcess:
        """Runs `helm3` or `helm4` of the directory that HELM names."""
        named = os.environ.get("HELM")
        assert named, "HELM names the directory of helm: run `make test-kubernetes`"
        home = {f"HELM_{part}_HOME": str(self.home / f"helm-{part.lower()}") for part in ("CACHE", "CONFIG", "DATA")}
        return self.enter(pathlib.Path(named) / f"helm{major}", *words, check=check, timeout=timeout, **home)

    def image(self, name: str, *files: pathlib.Path, user: str = "65532:65532") -> str:
        """Makes an image FROM scratch of files, the first of which it starts, and loads it; its tag is not `latest`."""
        assert ":" in name and not name.endswith(":latest"), name
        archive = self.home / "image.tar"
        self._script("mkimage.sh", name, archive, *files, UID_GID=user)
        self.load(archive)
        archive.unlink()
        return name

    def image_of(self, name: str, make: Callable[[pathlib.Path], dict]) -> str:
        """Makes an image FROM scratch of files that `make` puts into a directory, giving the image's configuration."""
        root, archive = self.home / "image", self.home / "image.tar"
        self._script("mkimage.sh", name, archive, root, CONFIG=json.dumps(make(root)))
        shutil.rmtree(root)
        self.load(archive)
        archive.unlink()
        return name

    def load(self, *archives: pathlib.Path) -> None:
        self._script("load.sh", self.home, *archives)

    def tail(self, lines: int = 20) -> str:
        logs = sorted((self.home / "log").glob("*.log"))
        return "\n".join(
            f"— {log.stem}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) for log in logs
        )

    def _script(
        self, name: str, *arguments: object, timeout: float = COMMAND_TIMEOUT_S, pass_fds: list[int] = (), **environment: str
    ) -> None:
        done = self._run([SCRIPTS / name, *arguments], timeout, None, environment, pass_fds)
        assert done.returncode == 0, f"{name}: {done.returncode}\n{done.stdout}{done.stderr}"

    def _run(
        self, command: list, timeout: float, input: str | None, environment: dict, pass_fds: list[int] = ()
    ) -> subprocess.CompletedProcess:
        # Into files, not pipes: what a script leaves running keeps them open.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, tempfile.TemporaryFile("w+") as given:
            given.write(input or "")
            given.seek(0)
            done = subprocess.run(
                [*map(str, command)], stdin=given, stdout=out, stderr=err, timeout=timeout, check=False,
                pass_fds=pass_fds, env={"PATH": f"{self.binaries}:{PATH}", "HOME": str(self.home)} | environment,
            )
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())

    def close(self) -> None:
        if self.lifeline is not None:
            os.close(self.lifeline)
            self._script("down.sh", self.home)
        shutil.rmtree(self.home, ignore_errors=True)
