"""Each connection between two parts is cut for a while, as a cut cable and by resets: afterwards everything goes on, and nothing is missing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import time
from collections.abc import Callable

import httpx
import pytest

from conftest import fresh_databases, fresh_redis
from faults.load import Load
from harness.proxy import Proxy
from harness.server import INNER, Server

LONG = os.environ.get("LONG") == "1"
CUT_S = 30 if LONG else 3
# From the end of a cut until everybody writes again and nobody is behind.
HEALED_S = 15
# Who was given up while their sockets lived are taken back within this.
ROSTER_S = 25
WORK_BETWEEN = 50
# Every part says something to every other at least so often.
IN_USE_S = 10


@dataclasses.dataclass
class Address:
    url: str
    ws_url: str


@dataclasses.dataclass
class System:
    """Two gateways, two conference servers and an auth service, with a proxy at every hop."""

    entrances: list[Address]
    conferences: list[Server]
    hops: dict[str, list[Proxy]]


@pytest.fixture
def system(postgres, redis):
    databases = fresh_databases(postgres)
    redis_url = fresh_redis(redis)["REDIS_URL"]
    with contextlib.ExitStack() as stack:
        proxy_to = lambda port: stack.enter_context(Proxy(port))  # noqa: E731
        server = lambda **settings: stack.enter_context(Server(RATE_LIMITS="off", **INNER | settings))  # noqa: E731
        auth_store, rooms_store, bus = proxy_to(postgres.port), proxy_to(postgres.port), proxy_to(redis.port)
        auth = server(
            ROLE="auth", AUTH_DATABASE_URL=auth_store.url(databases["AUTH_DATABASE_URL"]), REDIS_URL=redis_url
        )
        auth_of_gateways, auth_of_conferences = proxy_to(auth.port), proxy_to(auth.port)
        conferences = [
            server(
                ROLE="conference", REDIS_URL=bus.url(redis_url), AUTH_SERVICE_URL=auth_of_conferences.url(auth.url),
                CONFERENCE_DATABASE_URL=rooms_store.url(databases["CONFERENCE_DATABASE_URL"]),
            )
            for _ in range(2)
        ]
        rooms = [proxy_to(conference.port) for conference in conferences]
        upstreams = {
            "AUTH_SERVICE_URL": auth_of_gateways.url(auth.url),
            "CONFERENCE_SERVICE_URL": ",".join(
                proxy.url(conference.url) for proxy, conference in zip(rooms, conferences)
            ),
        }
        gateways = [
            stack.enter_context(Server(ROLE="gateway", RATE_LIMITS="off", **upstreams)) for _ in range(2)
        ]
        doors = [proxy_to(gateway.port) for gateway in gateways]
        yield System(
            [
                Address(door.url(gateway.url), door.url(gateway.ws_url))
                for door, gateway in zip(doors, gateways)
            ],
            conferences,
            {
                "client → gateway": doors,
                "gateway → conference": rooms,
                "gateway → one conference server of two": rooms[:1],
                "gateway → auth": [auth_of_gateways],
                "conference → auth": [auth_of_conferences],
                "conference → Postgres": [rooms_store],
                "auth → Postgres": [auth_store],
                "conference → Redis": [bus],
            },
        )


@pytest.mark.timeout(3600 if LONG else 400)
def test_every_hop_that_was_cut_heals_without_a_gap(system, capsys):
    summary = asyncio.run(scenario(system))
    with capsys.disabled():
        print(f"\n  {summary}")


async def scenario(system: System) -> str:
    load = await Load(system.entrances).start()
    healed = []
    for hop, proxies in system.hops.items():
        for harm in (Proxy.black_hole, Proxy.reset):
            await load.work(WORK_BETWEEN)
            await cut(load, hop, proxies, harm)
            since = time.monotonic()
            wrote = await load.everyone_writes(since, HEALED_S)
            read = wrote + await load.everyone_reads(HEALED_S)
            roster = await roster_is_right(load, system.conferences)
            healed.append(f"{hop}, {harm.__name__}: {wrote:.1f}, {read:.1f}, {roster:.1f} s")
    stored = await load.finish()
    return (
        f"{len(healed)} cuts of {CUT_S} s, {load.summary(stored)}; after each, all write, all have read, the roster is right:"
        + "".join(f"\n    {line}" for line in healed)
    )


async def cut(load: Load, hop: str, proxies: list[Proxy], harm: Callable[[Proxy], None]) -> None:
    """Cuts a hop for a while. It must be one that is used, and nothing may come through meanwhile."""
    before = [proxy.carried for proxy in proxies]
    used = lambda: all(proxy.carried > count for proxy, count in zip(proxies, before))  # noqa: E731
    await load.until(used, f"{hop} is not used", IN_USE_S)
    for proxy in proxies:
        harm(proxy)
    carried = [proxy.carried for proxy in proxies]
    await asyncio.sleep(CUT_S)
    assert carried == [proxy.carried for proxy in proxies], f"{hop} was not cut"
    for proxy in proxies:
        proxy.heal()


async def roster_is_right(load: Load, conferences: list[Server]) -> float:
    """Waits until every conference server shows who is there, and nobody else; says for how long."""
    began = time.monotonic()
    # They read over REST or follow on a socket; the other two write on sockets that follow nothing.
    there = {person.id for number, person in enumerate(load.people) if number not in (2, 3)}
    maybe = {load.people[number].id for number in (2, 3)}
    token = {"authorization": load.people[0].http.headers["authorization"]}
    async with httpx.AsyncClient(headers=token, timeout=10) as http:
        for conference in conferences:
            while True:
                answer = await http.get(f"{conference.url}/api/rooms/{load.room}")
                if answer.status_code == 200:
                    present = {participant["user_id"] for participant in answer.json()["participants"]}
                    if there <= present <= there | maybe:
                        break
                assert time.monotonic() < began + ROSTER_S, (answer.text, there, maybe)
                await asyncio.sleep(0.1)
    return time.monotonic() - began
