"""`docker compose` as the README types it: everything built, a meeting, services that die, data that stays."""

from __future__ import annotations

import json

import httpx
import pytest

from containers.engine import Engine
from containers.seed import block
from contract.client import Person, Socket, wait_until

COMPOSE = "docker compose"
HEALTH = {80: "frontend", 8000: "gateway", 8001: "auth-service", 8002: "conference-service"}
BUILD_TIMEOUT_S = 2400
UP_TIMEOUT_S = 180


class Front:
    """The system as a client of its frontend sees it."""

    url = "http://localhost"
    ws_url = "ws://localhost/api/ws"
    port = 80


@pytest.fixture(scope="module")
def system(engine: Engine, checkout):
    engine.run(block("settings"), cwd=checkout)
    try:
        said = engine.run(block("start"), cwd=checkout, timeout=BUILD_TIMEOUT_S)
        # BuildKit takes what one image compiled for the other three.
        assert said.count("Finished `dist`") <= 1
        yield engine
    finally:
        print(engine.run(f"{COMPOSE} logs --no-color --tail 30", cwd=checkout, check=False))
        engine.run(f"{COMPOSE} down --volumes --remove-orphans", cwd=checkout, timeout=UP_TIMEOUT_S, check=False)


def containers(engine: Engine, checkout) -> dict[str, dict]:
    """What the engine knows of each service's container."""
    ids = engine.run(f"{COMPOSE} ps -q", cwd=checkout).split()
    inspected = json.loads(engine.run("docker inspect " + " ".join(ids)))
    return {found["Config"]["Labels"]["com.docker.compose.service"]: found for found in inspected}


def all_healthy(engine: Engine, checkout) -> bool:
    states = {name: found["State"] for name, found in containers(engine, checkout).items() if name != "secrets"}
    return len(states) == 6 and all(state.get("Health", {}).get("Status") == "healthy" for state in states.values())


def test_the_four_services_answer_for_themselves(system, checkout):
    wait_until(lambda: all_healthy(system, checkout), timeout=UP_TIMEOUT_S, every=1)
    for port, service in HEALTH.items():
        answer = json.loads(system.run(f"curl --fail --silent http://localhost:{port}/health"))
        assert answer == {"status": "healthy", "service": service}
    for path in (":8000/docs", ":8000/redoc", ":8001/docs", ":8002/docs"):
        assert "<html" in system.run(f"curl --fail --silent http://localhost{path}").lower()


def test_the_services_hear_of_each_other_over_redis(system, checkout):
    """They would go on without it, so it must be asked."""
    assert len(system.run(f"{COMPOSE} exec -T redis redis-cli pubsub channels", cwd=checkout).split()) == 2


def test_the_smoke_run_is_content(system, checkout):
    assert system.run("scripts/smoke.sh http://localhost", cwd=checkout, timeout=120).count("ok: ") > 10


def test_images_hold_nothing_to_attack(system, checkout):
    for name, found in containers(system, checkout).items():
        if name in ("gateway", "auth-service", "conference-service"):
            assert found["Config"]["User"] == "65532:65532"
            assert found["HostConfig"]["ReadonlyRootfs"] and found["HostConfig"]["CapDrop"] == ["ALL"]
            listing = system.run(f"docker export {found['Id']} | tar -t")
            files = {line for line in listing.split() if not line.startswith(("dev", "proc", "sys", "etc", "run", ".dockerenv"))}
            tools = {"cloudmeet"} if name == "auth-service" else set()
            assert files == {"cloudmeet-api-server", "data/"} | tools, files
            assert "SECRET" not in json.dumps(found["Config"]["Env"]).replace("JWT_SECRET_KEY=", "")


def test_who_administers_has_the_command_line_beside_the_accounts(system, checkout):
    direct = f"{COMPOSE} exec -T auth-service /cloudmeet --direct"
    made = system.run(f"{direct} -o json users create --email chief@example.org --name Chief --admin --no-password", cwd=checkout)
    assert json.loads(made)["is_admin"]
    assert "chief@example.org" in system.run(f"{direct} users list", cwd=checkout)
    assert "up to date" in system.run(f"{direct} db status", cwd=checkout)


def test_people_meet_through_the_frontend_and_a_service_that_dies_comes_back(system, checkout):
    ann, bob = Person(Front(), "Ann"), Person(Front(), "Bob")
    room = ann.room()
    bob.join(room)
    there = Socket(Front(), bob.ticket())
    there.subscribe(room)
    said = ann.say(room, "hello")
    assert there.receive("message")["message"] == said
    state = containers(system, checkout)["conference-service"]["State"]
    system.run(f"kill -9 {state['Pid']}")
    assert there.closed(timeout=30) in (1006, 1011, 1012)

    def history():
        answer = ann.get(f"/api/rooms/{room}/messages")
        assert answer.status_code in (200, 502, 503, 504), answer.text
        return answer.status_code == 200 and answer.json()["messages"]

    assert wait_until(history, timeout=60, every=0.5) == [said]
    assert wait_until(lambda: all_healthy(system, checkout), timeout=60, every=1)
    ann.close()
    bob.close()


def test_data_stays_without_the_containers_and_goes_with_the_volumes(system, checkout):
    ann = Person(Front(), "Ann")
    room = ann.room("Standing room")
    system.run(f"{COMPOSE} down", cwd=checkout, timeout=UP_TIMEOUT_S)
    system.run(f"{COMPOSE} up -d", cwd=checkout, timeout=UP_TIMEOUT_S)
    wait_until(lambda: all_healthy(system, checkout), timeout=UP_TIMEOUT_S, every=1)
    assert ann.detail(room)["name"] == "Standing room"
    system.run(f"{COMPOSE} down --volumes --remove-orphans", cwd=checkout, timeout=UP_TIMEOUT_S)
    assert system.run("docker volume ls -q").split() == []
    system.run(f"{COMPOSE} up -d", cwd=checkout, timeout=UP_TIMEOUT_S)
    wait_until(lambda: all_healthy(system, checkout), timeout=UP_TIMEOUT_S, every=1)
    login = {"email": ann.email, "password": "correct-horse-battery"}
    assert httpx.post("http://localhost/api/auth/login", json=login).status_code == 401
    ann.close()
