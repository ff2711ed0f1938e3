"""A rolling restart of everything, one server after the other, under load through nginx: no request fails, and nobody misses anything."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from conftest import fresh_databases, fresh_redis
from faults import clients
from faults.checker import check
from faults.crowd import Crowd
from harness.nginx import Frontend
from harness.server import Server, Split

LONG = os.environ.get("LONG") == "1"
ROUNDS = 5 if LONG else 1
CALLERS = 8
FOLLOWERS = 6
DRAIN_S = 20
READY_S = 30
# Between two servers the load shows that all is well again.
CALLS_BETWEEN = 100
RESTARTING = 1012


@pytest.mark.timeout(1800 if LONG else 300)
def test_a_rolling_restart_of_everything_fails_no_request_and_loses_nothing(postgres, redis, capsys):
    settings = fresh_databases(postgres) | fresh_redis(redis) | {"RATE_LIMITS": "off"}
    with Split(each=2, auths=2, **settings) as split:
        # The shipped frontend resolves the gateways' name for every call and remembers no failures.
        addresses = [gateway.url.removeprefix("http://") + " max_fails=0" for gateway in split.gateways]
        with Frontend(*addresses) as frontend:
            summary = asyncio.run(scenario(split, frontend))
    with capsys.disabled():
        print(f"\n  {summary}")


class Calls:
    """What was asked over REST, and what failed of it, when."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed: list[tuple[float, str]] = []

    async def one(self, asking: Awaitable[httpx.Response], what: str) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = await asking
        except httpx.HTTPError as error:
            self.failed.append((began, f"{what}: {error!r}"))
            return None
        if not answer.is_success:
            self.failed.append((began, f"{what}: {answer.status_code} {answer.text}"))
            return None
        self.answered += 1
        return answer

    async def go_on(
        self, person: clients.Person, room: int, ledger: clients.Ledger, name: str, stop: asyncio.Event
    ) -> None:
        """Lists rooms, reads a page, says something, again and again. What failed is not tried again."""
        number = 0
        while not stop.is_set():
            await self.one(person.http.get("/api/rooms"), "list")
            await self.one(person.http.get(f"/api/rooms/{room}/messages"), "page")
            await self.one(person.http.get("/api/auth/me"), "me")
            line, number = f"{name}-{number}", number + 1
            body = {"content": ledger.attempt(line), "client_msg_id": line}
            answer = await self.one(person.http.post(f"/api/rooms/{room}/messages", json=body), "send")
            if answer is not None:
                ledger.acknowledge(name, answer.json())


async def scenario(split: Split, frontend: Frontend) -> str:
    people = [clients.Person(frontend.url, frontend.ws_url, f"user{n}@example.org") for n in range(CALLERS + FOLLOWERS)]
    await asyncio.gather(*(person.sign_up() for person in people))
    room = (await people[0].http.post("/api/rooms", json={"name": "Rolling"})).json()["id"]
    for person in people:
        (await person.http.post(f"/api/rooms/{room}/join")).raise_for_status()
    ledger, calls, stop = clients.Ledger(), Calls(), asyncio.Event()
    crowd = Crowd(people[CALLERS:], room, 1).start()
    await crowd.until_level(time.monotonic(), READY_S)
    callers = [
        asyncio.create_task(calls.go_on(person, room, ledger, f"caller-{number}", stop))
        for number, person in enumerate(people[:CALLERS])
    ]
    began = time.monotonic()
    lines, slowest_s = [], 0.0
    for _ in range(ROUNDS):
        for name, server in named(split):
            failed = len(calls.failed)
            await until(lambda enough=calls.answered + CALLS_BETWEEN: calls.answered >= enough)
            restart_began = time.monotonic()
            drained_s = await asyncio.to_thread(restart, server)
            await until_ready(split, server)
            slowest_s = max(slowest_s, drained_s)
            lines += [
                f"{name}, {at - restart_began:+.2f} s of {drained_s:.1f} s: {what}" for at, what in calls.failed[failed:]
            ]
    await until(lambda enough=calls.answered + CALLS_BETWEEN: calls.answered >= enough)
    took_s = time.monotonic() - began
    stop.set()
    await asyncio.wait_for(asyncio.gather(*callers), READY_S)
    await crowd.until_level(time.monotonic(), READY_S)
    stored = await clients.whole_history(people[0], room)
    await crowd.until_seen(stored[-1].seq, READY_S)
    await crowd.end()
    for person in people:
        await person.close()
    complaints = check(ledger.acknowledged, stored, crowd.readers(), ledger.attempted)
    assert complaints == [], "\n".join(complaints[:20])
    codes = sorted({code for follower in crowd.followers for _, code in follower.ends})
    summary = (
        f"{ROUNDS * len(named(split))} servers restarted in turn, {calls.answered} calls answered and {len(calls.failed)} failed, "
        f"{len(stored)} messages, sockets closed with {codes}, slowest drain {slowest_s:.1f} s, in {took_s:.0f} s"
    )
    assert not calls.failed, summary + "\n" + "\n".join(lines[:40])
    assert codes == [RESTARTING], summary
    return summary


def named(split: Split) -> list[tuple[str, Server]]:
    kinds = {"auth": split.own_auths, "conference": split.conferences, "gateway": split.gateways}
    return [(f"{kind} {number}", server) for kind, servers in kinds.items() for number, server in enumerate(servers)]


def restart(server: Server) -> float:
    """Stops a server as an orchestrator does and starts it again; gives how long it took to end."""
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(DRAIN_S)
    assert code == 0, server.read_log()
    drained_s = time.monotonic() - began
    server.start()
    return drained_s


async def until_ready(split: Split, server: Server) -> None:
    """Waits until a server is ready, and everybody who asks it knows."""
    async with httpx.AsyncClient(timeout=10) as http:

        async def is_ready() -> bool:
            return (await http.get(server.url + "/readyz")).status_code == 200

        async def is_known() -> bool:
            for asking in split.gateways + split.conferences:
                text = (await http.get(asking.url + "/metrics")).text
                counts = re.findall(r"^cloudmeet_upstream_servers_ready\S* (\d+)$", text, re.M)
                if not counts or set(counts) != {"2"}:
                    return False
            return True

        deadline = time.monotonic() + READY_S
        while not (await is_ready() and await is_known()):
            assert time.monotonic() < deadline, "a server that was started again is not found"
            await asyncio.sleep(0.05)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_S
    while not condition():
        assert time.monotonic() < deadline, "nothing moves any more"
        await asyncio.sleep(0.02)
