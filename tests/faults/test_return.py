"""A crowd of sockets whose server is restarted or dies: all are back soon, have missed nothing, and the room shows who is there."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from conftest import fresh_databases, fresh_redis
from faults import clients
from faults.checker import check
from faults.crowd import Crowd
from harness.server import Server, Split

LONG = os.environ.get("LONG") == "1"
PEOPLE, SOCKETS_EACH = (50, 20) if LONG else (30, 10)
# Everybody hears everything: what is said in a second is heard by all of them.
SAID_EVERY_S = 0.25 if LONG else 0.1
# From when the server listens again.
BACK_S = 10
# However busy the machine is.
ARRIVED_S = 60
ROSTER_S = 5


@pytest.mark.timeout(600 if LONG else 240)
@pytest.mark.parametrize("topology", ["whole", "in parts"])
def test_a_crowd_of_sockets_is_back_soon_after_a_restart_and_after_a_death(postgres, redis, topology, capsys):
    settings = fresh_databases(postgres) | {"RATE_LIMITS": "off"}
    if topology == "whole":
        with Server(**settings) as server:
            summary = asyncio.run(scenario(server, server))
    else:
        with Split(**settings | fresh_redis(redis)) as split:
            summary = asyncio.run(scenario(split.gateway, split.conference))
    with capsys.disabled():
        print(f"\n  {summary}")


async def scenario(entrance: Server, restarted: Server) -> str:
    people = [clients.Person(entrance.url, entrance.ws_url, f"user{n}@example.org") for n in range(PEOPLE + 2)]
    await asyncio.gather(*(person.sign_up() for person in people))
    owner, *crowd_people, gone = people
    room = (await owner.http.post("/api/rooms", json={"name": "Crowd", "capacity": 1000})).json()["id"]
    for person in people[1:]:
        (await person.http.post(f"/api/rooms/{room}/join")).raise_for_status()
    # Somebody who went before must not come back with the others.
    (await gone.http.post(f"/api/rooms/{room}/leave")).raise_for_status()

    ledger, stop = clients.Ledger(), asyncio.Event()
    talking = asyncio.create_task(
        clients.write_over_rest(owner, room, "talk", ledger, stop, pause_s=SAID_EVERY_S)
    )
    crowd = Crowd(crowd_people, room, SOCKETS_EACH).start()
    began = time.monotonic()
    arrived_s = await crowd.until_level(began, ARRIVED_S)
    results = [f"arrived in {arrived_s:.1f} s"]
    for name, end in (("restart", restarted.terminate), ("kill -9", restarted.kill)):
        ended = time.monotonic()
        await asyncio.to_thread(end)
        await asyncio.to_thread(restarted.start)
        listening = time.monotonic()
        back_s = await crowd.until_level(listening, ARRIVED_S)
        assert all(follower.level_at[-1] > ended for follower in crowd.followers), "a socket outlived its server"
        roster_s = await until_there(owner, room, {person.id for person in crowd_people})
        codes = sorted({code for follower in crowd.followers for at, code in follower.ends if at >= ended})
        results.append(f"{name}: away {listening - ended:.1f} s, all back after {back_s:.1f} s, closed with {codes}")
        # What else the machine does shows in how long they took to come the first time, all at once.
        allowed_s = BACK_S if LONG else max(BACK_S, 2 * arrived_s)
        assert back_s <= allowed_s, results
        assert roster_s <= ROSTER_S, results
        if name == "restart":
            assert codes == [1012], "whoever was there should have been told"
    stop.set()
    await talking
    stored = await clients.whole_history(owner, room)
    await crowd.until_seen(stored[-1].seq, BACK_S)
    await crowd.end()
    for person in people:
        await person.close()
    complaints = check(ledger.acknowledged, stored, crowd.readers(), ledger.attempted)
    assert complaints == [], "\n".join(complaints[:20])
    assert all(seen[0].seq == 1 for seen in crowd.readers().values())
    return f"{len(crowd.followers)} sockets of {PEOPLE} people, {len(stored)} messages: {'; '.join(results)}"


async def until_there(asking: clients.Person, room: int, expected: set[int]) -> float:
    """Waits until the room shows exactly these people, and says for how long."""
    began = time.monotonic()
    while True:
        detail = (await asking.http.get(f"/api/rooms/{room}")).json()
        present = {participant["user_id"] for participant in detail["participants"]}
        if present == expected:
            assert detail["participants_count"] == len(expected)
            return time.monotonic() - began
        assert time.monotonic() < began + 4 * ROSTER_S, (present - expected, expected - present)
        await asyncio.sleep(0.05)
