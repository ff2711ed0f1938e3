"""`scripts/deploy.sh` on a Swarm: a first deployment, a next one, and one that must be taken back."""

from __future__ import annotations

import shutil

import pytest
import yaml

from containers.engine import HERE
from containers.swarm import ACCOUNT, SERVICES, STACK, image, is_complete, remove
from contract.client import wait_until

TIMEOUT_S = 600
# Long enough for a start, so that the tests do not take as long as a real deployment.
MONITOR = "20s"
SETTINGS = {
    "DOCKER_USERNAME": ACCOUNT, "JWT_SECRET_KEY": "a-secret-that-only-this-test-has-made-up",
    "POSTGRES_PASSWORD": "a-password-of-this-test",
}


def merge(under: dict, over: dict) -> dict:
    both = {name: merge(under[name], over[name]) for name in under.keys() & over if isinstance(over[name], dict)}
    return under | over | both


@pytest.fixture(scope="module")
def deployment(swarm, checkout, tmp_path_factory):
    """The files that the script takes along to a manager, with the stack's for a machine without IPVS."""
    directory = tmp_path_factory.mktemp("deployment")
    shutil.copytree(checkout / "scripts", directory / "scripts")
    stack, over = (yaml.safe_load(path.read_text()) for path in (checkout / "stack-compose.yml", HERE / "stack-without-ipvs.yml"))
    stack = merge(stack, over)
    for service in stack["services"].values():
        for change in ("update_config", "rollback_config"):
            service["deploy"].setdefault(change, {})["monitor"] = MONITOR
        service["healthcheck"]["start_period"] = MONITOR
    (directory / "stack-compose.yml").write_text(yaml.safe_dump(stack))
    for name in SERVICES:
        at = f"{ACCOUNT}/cloudmeet-{name}"
        swarm.run(f"docker tag {at}:latest {at}:next && docker push {at}:next && docker tag {at}:latest {at}:broken")
    gateway = f"{ACCOUNT}/cloudmeet-gateway"
    swarm.run(f"printf 'FROM {gateway}:latest\\nENV ROLE=nothing\\n' | docker build -t {gateway}:broken -")
    swarm.run(f"for name in {' '.join(SERVICES)}; do docker push {ACCOUNT}/cloudmeet-$name:broken; done")
    yield directory
    remove(swarm)
    swarm.run(f"docker volume rm {STACK}_postgres")


def deploy(swarm, directory, tag: str, status: int = 0) -> str:
    said = swarm.run(
        "scripts/deploy.sh && echo status 0 || echo status $?", cwd=directory, timeout=TIMEOUT_S, IMAGE_TAG=tag, **SETTINGS
    )
    assert f"status {status}" in said.splitlines()[-1], said
    assert not any(SETTINGS[name] in said for name in ("JWT_SECRET_KEY", "POSTGRES_PASSWORD"))
    return said


def images(swarm) -> set[str]:
    return {image(swarm, name).rsplit(":", 1)[1] for name in SERVICES}


def test_it_deploys_goes_on_and_comes_back_from_what_does_not_start(swarm, deployment):
    deploy(swarm, deployment, "latest")
    assert images(swarm) == {"latest"}
    assert "next serves" in deploy(swarm, deployment, "next")
    assert images(swarm) == {"next"}
    said = deploy(swarm, deployment, "broken", status=1)
    assert "broken does not work" in said and "what ran before runs again" in said
    assert images(swarm) == {"next"}
    wait_until(lambda: is_complete(swarm), timeout=60, every=1)
