"""A Swarm of one machine, as the tests of the stack look at it."""

from __future__ import annotations

import json
import threading
import time

import httpx

from containers.engine import HERE, Engine
from containers.seed import block
from contract.client import Person, wait_until

STACK = "cloudmeet"
SERVICES = ("auth-service", "conference-service", "gateway", "frontend")
BUILD_TIMEOUT_S = 2400
DEPLOY_TIMEOUT_S = 240
UPDATE_TIMEOUT_S = 400
# A registry of the tests' own takes the place of the account.
ACCOUNT = "localhost:5000/example"
REGISTRY = """
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {directory}/images}}}}
http: {{addr: "localhost:5000"}}
"""
WHO = {"your_username": ACCOUNT}
# Where the kernel has no IPVS the engine cannot balance by itself; names with several addresses do it then.
DEPLOYS = {f" {STACK}\n": f" -c {HERE}/stack-without-ipvs.yml {STACK}\n"}


class Front:
    """The system as a client of its frontend sees it."""

    url = "http://localhost"
    ws_url = "ws://localhost/api/ws"
    port = 80


def replicas(engine: Engine) -> dict[str, str]:
    listed = engine.run("docker stack services cloudmeet --format '{{.Name}} {{.Replicas}}'")
    return dict(line.split(" ")[:2] for line in listed.splitlines())


def is_complete(engine: Engine) -> bool:
    return all(text.split("/")[0] == text.split("/")[1] != "0" for text in replicas(engine).values())


def tasks(engine: Engine, service: str) -> list[str]:
    """The containers that run for a service now."""
    return engine.run(f"docker ps -q --filter label=com.docker.swarm.service.name={STACK}_{service}").split()


def inspect(engine: Engine, service: str) -> dict:
    return json.loads(engine.run(f"docker service inspect {STACK}_{service}"))[0]


def image(engine: Engine, service: str) -> str:
    """What a service is to run, without the digest that the registry added."""
    return inspect(engine, service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].split("@")[0]


def update_state(engine: Engine, service: str) -> str:
    return inspect(engine, service).get("UpdateStatus", {}).get("State", "none")


def wait_until_it_answers(engine: Engine) -> None:
    wait_until(lambda: is_complete(engine), timeout=DEPLOY_TIMEOUT_S, every=1)
    wait_until(lambda: answers(), timeout=60, every=0.5)


def remove(engine: Engine) -> None:
    """Removes the stack, and waits for what Swarm does afterwards by itself."""
    engine.run(block("remove"))
    label = f"--filter label=com.docker.stack.namespace={STACK}"
    wait_until(lambda: engine.run(f"docker ps -aq {label}; docker network ls -q {label}") == "", timeout=120, every=1)


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
