"""An engine, what is built on it, and a Swarm with a registry."""

from __future__ import annotations

import os
import subprocess

import pytest

from containers.engine import CACHE, HERE, ROOT, Engine
from containers.seed import block
from containers.swarm import BUILD_TIMEOUT_S, REGISTRY, SERVICES, STACK, WHO


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


@pytest.fixture(scope="module")
def registry(engine: Engine, tmp_path_factory):
    directory = tmp_path_factory.mktemp("registry")
    (directory / "configuration.yml").write_text(REGISTRY.format(directory=directory))
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", directory / "configuration.yml"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        engine.run("curl --silent --retry 20 --retry-connrefused --retry-delay 1 http://localhost:5000/v2/")
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def swarm(engine: Engine, checkout, registry):
    """A swarm of one machine, and the images in a registry."""
    engine.run(block("images", **WHO), cwd=checkout, timeout=BUILD_TIMEOUT_S)
    engine.run(block("swarm-init", **{"swarm init": "swarm init --advertise-addr 192.0.2.1"}))
    try:
        yield engine
    finally:
        for name in ("postgres", *SERVICES):
            print(engine.run(f"docker service logs --tail 20 {STACK}_{name}", check=False))
        print(engine.run(f"docker stack ps --no-trunc {STACK}", check=False))
        engine.run(f"docker stack rm {STACK}", check=False)
        engine.run("docker swarm leave --force", check=False)
