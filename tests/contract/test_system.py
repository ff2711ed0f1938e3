"""How the installation runs, as administrators read it: one process, two, and the services apart."""

from __future__ import annotations

import datetime

import httpx
import pytest

from conftest import fresh_databases
from contract.client import Person, first_administrator, problem, wait_until
from harness.server import Server, Split

CENSUS = {"rooms", "live_rooms", "people_online", "people_in_call"}
SERVER = {"role", "status", "version", "started_at", "stores", "redis", "sockets"}
STORE = {"holds", "engine", "status", "latency_ms"}
NOTHING = {"status": "away", "version": None, "started_at": None, "stores": [], "redis": None, "sockets": None}


def read(administrator: Person) -> dict:
    answer = administrator.get("/api/system")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_server_says_its_release_its_role_and_how_its_stores_do(server, administrator):
    system = read(administrator)
    assert set(system) == {"census", "servers"} and set(system["census"]) == CENSUS
    apart, whole = isinstance(server, Split), isinstance(server, Server)
    assert [one["role"] for one in system["servers"]] == (["conference", "auth"] if apart else ["all"])
    version = httpx.get(server.url + "/openapi.json").json()["info"]["version"]
    for one in system["servers"]:
        assert set(one) == SERVER
        assert (one["status"], one["version"]) == ("up", version)
        assert datetime.datetime.fromisoformat(one["started_at"]) <= datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
        assert (one["sockets"] is None) == (one["role"] == "auth")
        for store in one["stores"]:
            assert set(store) == STORE and store["status"] == "up" and 0 <= store["latency_ms"] < 2000
            assert store["engine"] == ("sqlite" if whole else "postgres")
        assert one["redis"] is None if whole else one["redis"]["status"] in ("up", "away")
    assert [store["holds"] for one in system["servers"] for store in one["stores"]] == (
        ["rooms", "accounts"] if apart else ["accounts", "rooms"]
    )


def test_redis_is_up_once_a_hint_has_come_back(server, administrator):
    if isinstance(server, Server):
        assert read(administrator)["servers"][0]["redis"] is None
        return
    redis = lambda: [one["redis"] for one in read(administrator)["servers"]]  # noqa: E731
    wait_until(lambda: all(one["status"] == "up" and one["latency_ms"] > 0 for one in redis()), timeout=10)


def test_it_is_for_administrators(server, administrator, people):
    ann = people("Ann")
    problem(ann.get("/api/system"), 403, "forbidden")
    problem(httpx.get(server.url + "/api/system"), 401, "unauthenticated")
    key = administrator.post("/api/api-keys", name="Key", scopes=["rooms:manage"]).json()["key"]
    problem(httpx.get(server.url + "/api/system", headers={"authorization": f"Bearer {key}"}), 403, "forbidden")


def test_people_and_rooms_are_counted_once():
    with Server(RATE_LIMITS="off") as server:
        administrator = first_administrator(server)
        ann, bob = Person(server, "Ann"), Person(server, "Bob")
        assert read(administrator)["census"] == dict.fromkeys(CENSUS, 0)
        rooms = [ann.room(), ann.room(), ann.room()]
        for room in rooms[:2]:
            ann.join(room)
        socket = bob.socket()
        bob.join(rooms[0])
        socket.subscribe(rooms[0], status="online")
        # Ann is inside two rooms, Bob has one of them open; the third is empty.
        assert read(administrator)["census"] == {"rooms": 3, "live_rooms": 2, "people_online": 2, "people_in_call": 1}
        assert read(administrator)["servers"][0]["sockets"] == 1
        assert ann.delete(f"/api/rooms/{rooms[1]}").status_code == 204
        assert read(administrator)["census"] == {"rooms": 2, "live_rooms": 1, "people_online": 2, "people_in_call": 1}
        for person in (administrator, ann, bob):
            person.close()


def test_an_auth_service_that_is_away_is_said_to_be(postgres):
    with Split(RATE_LIMITS="off", **fresh_databases(postgres)) as split:
        administrator = first_administrator(split)
        assert [one["status"] for one in read(administrator)["servers"]] == ["up", "up"]
        split.auth.kill()
        here, there = read(administrator)["servers"]
        assert (here["role"], here["status"]) == ("conference", "up")
        assert there == NOTHING | {"role": "auth"}
        administrator.close()


@pytest.mark.parametrize("token", [None, "not-the-secret-that-the-services-share"])
def test_what_the_services_tell_each_other_is_nobodys_business(postgres, token):
    with Split(RATE_LIMITS="off", **fresh_databases(postgres)) as split:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        for server in (split.auth, split.gateway):
            problem(httpx.get(server.url + "/internal/server", headers=headers), 404, "not_found")
