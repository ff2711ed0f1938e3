"""`docker stack deploy` as the README types it: two of each, a replica that dies, an update, one that must be rolled back."""

from __future__ import annotations

import json
import threading
import time

import httpx
import pytest

from containers.conftest import HERE, Engine
from contract.client import Person, Socket, wait_until

STACK = "cloudmeet"
SERVICES = ("auth-service", "conference-service", "gateway", "frontend")
BUILD_TIMEOUT_S = 2400
DEPLOY_TIMEOUT_S = 240
UPDATE_TIMEOUT_S = 400
ACCOUNT = "example"


class Front:
    """The system as a client of its frontend sees it."""

    url = "http://localhost"
    ws_url = "ws://localhost/api/ws"
    port = 80


def images(engine: Engine, checkout) -> None:
    for name in SERVICES:
        engine.run(
            f"docker build -t $DOCKER_USERNAME/cloudmeet-{name}:latest -f docker/{name}/Dockerfile .",
            cwd=checkout, timeout=BUILD_TIMEOUT_S, DOCKER_USERNAME=ACCOUNT,
        )


def replicas(engine: Engine) -> dict[str, str]:
    listed = engine.run("docker stack services cloudmeet --format '{{.Name}} {{.Replicas}}'")
    return dict(line.split(" ")[:2] for line in listed.splitlines())


def is_complete(engine: Engine) -> bool:
    return all(text.split("/")[0] == text.split("/")[1] != "0" for text in replicas(engine).values())


def tasks(engine: Engine, service: str) -> list[str]:
    """The containers that run for a service now."""
    return engine.run(f"docker ps -q --filter label=com.docker.swarm.service.name={STACK}_{service}").split()


def update_state(engine: Engine, service: str) -> str:
    inspected = json.loads(engine.run(f"docker service inspect {STACK}_{service}"))
    return inspected[0].get("UpdateStatus", {}).get("State", "none")


@pytest.fixture(scope="module")
def stack(engine: Engine, checkout):
    images(engine, checkout)
    secrets = {
        "DOCKER_USERNAME": ACCOUNT, "JWT_SECRET_KEY": "a-secret-that-only-this-test-has-made-up",
        "POSTGRES_PASSWORD": "a-password-of-this-test",
    }
    engine.run("docker swarm init --advertise-addr 192.0.2.1")
    try:
        # Where the kernel has no IPVS the engine cannot balance by itself; names with several addresses do it then.
        engine.run(
            f"docker stack deploy -c stack-compose.yml -c {HERE}/stack-without-ipvs.yml {STACK}", cwd=checkout, **secrets
        )
        wait_until(lambda: is_complete(engine), timeout=DEPLOY_TIMEOUT_S, every=1)
        wait_until(lambda: answers(), timeout=60, every=0.5)
        yield engine
    finally:
        for name in ("postgres", *SERVICES):
            print(engine.run(f"docker service logs --tail 20 {STACK}_{name}", check=False))
        print(engine.run(f"docker stack ps --no-trunc {STACK}", check=False))
        engine.run(f"docker stack rm {STACK}", check=False)
        engine.run("docker swarm leave --force", check=False)


def answers() -> bool:
    try:
        return httpx.get("http://localhost/api/rooms", timeout=5).status_code == 401
    except httpx.HTTPError:
        return False


class Load:
    """Somebody who says something all the time; what is refused or goes unanswered is noted."""

    def __init__(self) -> None:
        self.ann = Person(Front(), "Ann")
        self.room = self.ann.room()
        self.said = 0
        self.failed: list[str] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.over.wait(0.05):
            try:
                answer = self.ann.post(
                    f"/api/rooms/{self.room}/messages", content="hi", client_msg_id=f"line-{self.said}"
                )
                if answer.status_code == 201:
                    self.said += 1
                else:
                    self.failed.append(f"{time.monotonic():.2f} {answer.status_code} {answer.text}")
            except httpx.HTTPError as error:
                self.failed.append(f"{time.monotonic():.2f} {error!r}")

    def __enter__(self) -> "Load":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


def test_two_of_each_hold_a_meeting(stack):
    assert {name: len(tasks(stack, name)) for name in ("auth-service", "conference-service", "gateway")} == {
        "auth-service": 2, "conference-service": 2, "gateway": 2
    }
    ann, bob = Person(Front(), "Ann"), Person(Front(), "Bob")
    room = ann.room()
    bob.join(room)
    there = Socket(Front(), bob.ticket())
    there.subscribe(room)
    said = [ann.say(room, f"line {number}") for number in range(20)]
    assert [there.receive("message")["message"] for _ in said] == said


def test_a_replica_that_dies_is_replaced(stack):
    before = tasks(stack, "conference-service")
    stack.run(f"docker kill {before[0]}")

    def replaced():
        now = tasks(stack, "conference-service")
        return before[0] not in now and len(now) == 2 and is_complete(stack)

    wait_until(replaced, timeout=120, every=1)
    Person(Front(), "Carol").room()


def test_a_service_is_scaled(stack):
    stack.run("docker service scale --detach cloudmeet_auth-service=3")
    wait_until(lambda: replicas(stack)["cloudmeet_auth-service"] == "3/3", timeout=90, every=1)
    stack.run("docker service scale --detach cloudmeet_auth-service=2")
    wait_until(lambda: replicas(stack)["cloudmeet_auth-service"] == "2/2", timeout=90, every=1)


def test_an_update_fails_no_request_and_one_that_cannot_start_is_rolled_back(stack):
    name = f"{ACCOUNT}/cloudmeet-gateway"
    stack.run(f"docker tag {name}:latest {name}:v2")
    # An image whose server cannot start.
    stack.run(f"printf 'FROM {name}:latest\\nENV ROLE=nothing\\n' | docker build -t {name}:broken -")
    with Load() as load:
        stack.run(f"docker service update --detach --image {name}:v2 cloudmeet_gateway")
        wait_until(lambda: update_state(stack, "gateway") == "completed", timeout=UPDATE_TIMEOUT_S, every=1)
        said = load.said
        assert said > 0 and load.failed == []
        stack.run(f"docker service update --detach --image {name}:broken cloudmeet_gateway")
        wait_until(lambda: update_state(stack, "gateway") == "rollback_completed", timeout=UPDATE_TIMEOUT_S, every=1)
        wait_until(lambda: load.said > said + 10, timeout=30)
    assert load.failed == []
    image = json.loads(stack.run("docker service inspect cloudmeet_gateway"))[0]["Spec"]["TaskTemplate"]
    assert image["ContainerSpec"]["Image"].startswith(f"{name}:v2")
