"""`docker stack deploy` as docs/seed.md types it: two of each, a replica that dies, an update, one that must be rolled
back, and secrets that Docker keeps."""

from __future__ import annotations

import concurrent.futures

import jwt
import pytest

from containers.seed import block
from containers.swarm import (
    ACCOUNT, DEPLOYS, SERVICES, STACK, UPDATE_TIMEOUT_S, WHO, Front, Load, image, is_complete, remove, replicas, tasks,
    update_state, wait_until_it_answers,
)
from contract.client import Person, Socket, wait_until


@pytest.fixture(scope="module")
def stack(swarm, checkout):
    swarm.run(block("deploy", **WHO, **DEPLOYS), cwd=checkout)
    wait_until_it_answers(swarm)
    return swarm


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
    (redis,) = tasks(stack, "redis")
    assert len(stack.run(f"docker exec {redis} redis-cli pubsub channels").split()) == 2


def test_a_replica_that_dies_is_replaced(stack):
    before = tasks(stack, "conference-service")
    stack.run(f"docker kill {before[0]}")

    def replaced():
        now = tasks(stack, "conference-service")
        return before[0] not in now and len(now) == 2 and is_complete(stack)

    wait_until(replaced, timeout=120, every=1)
    Person(Front(), "Carol").room()


def test_what_runs_can_be_looked_at(stack):
    said = stack.run(block("manage"), timeout=120)
    for name in SERVICES:
        assert f"{STACK}_{name}" in said
    assert '"message":"listening"' in said


def test_a_service_is_scaled(stack):
    stack.run(block("scale"), timeout=120)
    assert replicas(stack)[f"{STACK}_auth-service"] == "3/3"
    stack.run(f"docker service scale --detach {STACK}_auth-service=2")
    wait_until(lambda: replicas(stack)[f"{STACK}_auth-service"] == "2/2", timeout=60, every=1)


def test_updates_fail_no_request_and_one_that_cannot_start_is_rolled_back(stack):
    for name in ("gateway", "auth-service"):
        at = f"{ACCOUNT}/cloudmeet-{name}"
        stack.run(f"docker tag {at}:latest {at}:v2 && docker push {at}:v2")
    name = f"{ACCOUNT}/cloudmeet-gateway"
    # An image whose server cannot start.
    stack.run(f"printf 'FROM {name}:latest\\nENV ROLE=nothing\\n' | docker build -t {name}:broken - && docker push {name}:broken")
    with Load() as load, concurrent.futures.ThreadPoolExecutor(1) as beside:
        # As it is typed it waits for the end of the update; that of the gateway goes on beside it.
        typed = beside.submit(stack.run, block("update"), timeout=UPDATE_TIMEOUT_S, DOCKER_USERNAME=ACCOUNT)
        stack.run(f"docker service update --detach --image {name}:v2 {STACK}_gateway")
        wait_until(lambda: update_state(stack, "gateway") == "completed", timeout=UPDATE_TIMEOUT_S, every=1)
        typed.result()
        assert update_state(stack, "auth-service") == "completed"
        said = load.said
        assert said > 0 and load.failed == []
        stack.run(f"docker service update --detach --image {name}:broken {STACK}_gateway")
        wait_until(lambda: update_state(stack, "gateway") == "rollback_completed", timeout=UPDATE_TIMEOUT_S, every=1)
        wait_until(lambda: load.said > said + 10, timeout=30)
    assert load.failed == []
    assert image(stack, "gateway") == f"{name}:v2"
    assert image(stack, "auth-service") == f"{ACCOUNT}/cloudmeet-auth-service:v2"


def test_an_update_is_taken_back(stack):
    stack.run(block("rollback", **{"rollback ": "rollback --detach "}))
    assert image(stack, "auth-service") == f"{ACCOUNT}/cloudmeet-auth-service:latest"
    Person(Front(), "Dora").room()


def test_a_stack_that_is_removed_leaves_its_data_until_they_are_removed_too(stack):
    remove(stack)
    assert f"{STACK}_postgres" in stack.run("docker volume ls -q").split()
    stack.run(block("remove-data"))
    assert f"{STACK}_postgres" not in stack.run("docker volume ls -q").split()


def test_secrets_that_docker_keeps_are_in_no_inspection(swarm, checkout):
    """After the stack above is gone."""
    secret = "kept-by-docker-and-told-to-nobody-else"
    swarm.run(block("secrets", **WHO, **DEPLOYS, **{"openssl rand -hex 32": f"printf %s {secret}"}), cwd=checkout)
    wait_until_it_answers(swarm)
    ann = Person(Front(), "Ann")
    ann.room()
    token = ann.http.headers["authorization"].removeprefix("Bearer ")
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    jwt.decode(token, secret, algorithms=["HS256"], options={"verify_aud": False})
    ids = swarm.run("docker ps -q --filter label=com.docker.stack.namespace=cloudmeet").split()
    seen = swarm.run(f"docker service inspect $(docker service ls -q); docker inspect {' '.join(ids)}; docker secret inspect $(docker secret ls -q)")
    assert secret not in seen and "JWT_SECRET_KEY_FILE=/run/secrets/jwt_secret_key" in seen
    logs = "".join(swarm.run(f"docker service logs {STACK}_{name}") for name in ("postgres", *SERVICES))
    assert logs and secret not in logs
    remove(swarm)
