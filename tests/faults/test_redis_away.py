"""Redis slow, silent, gone or frozen, under load on two servers: no answer is refused or late, and the other server's messages come."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import time

import httpx
import pytest
import websockets

from conftest import fresh_databases
from faults import clients
from harness.proxy import Proxy
from harness.redis import Redis
from harness.server import Pair, Server

LONG = os.environ.get("LONG") == "1"
HARMED_S = 30 if LONG else 3
# What is promised while Redis is away.
P99_S = 0.5
ELSEWHERE_S = 3
# How often each of them says something, and reads a page: a load, not a trial of strength.
EVERY_S = 0.1
TALKERS = 6
# Until a server says that it has its Redis back.
NOTICED_S = 10


@pytest.fixture
def redis():
    """A Redis of the test's own, that it may harm."""
    with Redis() as running:
        yield running


@pytest.mark.timeout(1200 if LONG else 240)
def test_whatever_redis_does_no_answer_is_refused_or_late_and_the_other_servers_messages_come(postgres, redis, capsys):
    shared = fresh_databases(postgres) | {"RATE_LIMITS": "off"}
    with Proxy(redis.port) as proxy, Pair(REDIS_URL=proxy.url(redis.url()), **shared) as pair:
        harms = {
            "100 ms away": (lambda: proxy.delay(0.1), proxy.heal),
            "400 ms away": (lambda: proxy.delay(0.4), proxy.heal),
            "reset": (proxy.reset, proxy.heal),
            "a black hole": (proxy.black_hole, proxy.heal),
            "frozen": (redis.freeze, redis.thaw),
            "killed": (redis.kill, redis.start),
        }
        summary = asyncio.run(scenario(pair.pair, harms))
    with capsys.disabled():
        print(f"\n  {summary}")


@dataclasses.dataclass
class Seen:
    """How long answers and other servers' messages took, and what went wrong."""

    sends_s: list[float] = dataclasses.field(default_factory=list)
    pages_s: list[float] = dataclasses.field(default_factory=list)
    elsewhere_s: list[float] = dataclasses.field(default_factory=list)
    faults: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(self.sends_s)} sends p99 {p99(self.sends_s) * 1000:.0f} ms, pages p99 {p99(self.pages_s) * 1000:.0f} ms, "
            f"elsewhere ≤ {max(self.elsewhere_s):.1f} s"
        )


class Meeting:
    """In each of two rooms people talk and read on one server, and somebody listens on the other.

    Nobody talks there: a message of its own would show the listener's server what it misses.
    """

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        self.people = [
            clients.Person(servers[number % 2].url, servers[number % 2].ws_url, f"user{number}@example.org")
            for number in range(TALKERS + 2)
        ]
        self.seen = Seen()
        # When each message was acknowledged, and which were heard, by their texts.
        self.said: dict[str, float] = {}
        self.heard: set[str] = set()

    async def start(self) -> None:
        await asyncio.gather(*(person.sign_up() for person in self.people))
        self.rooms = [
            (await person.http.post("/api/rooms", json={"name": "Talk"})).json()["id"] for person in self.people[:2]
        ]
        self.tasks = []
        for number, person in enumerate(self.people):
            room = self.rooms[number % 2 if number < TALKERS else 1 - number % 2]
            (await person.http.post(f"/api/rooms/{room}/join")).raise_for_status()
            if number >= TALKERS:
                socket = await person.socket()
                await socket.send(json.dumps({"type": "subscribe", "room_id": room}))
                # Nobody has said anything yet, so everything comes as a message of its own.
                while (await clients.receive(socket, NOTICED_S))["type"] != "subscribed":
                    pass
                self.tasks.append(asyncio.create_task(self.listen(socket)))
        self.tasks += [asyncio.create_task(self.talk(number)) for number in range(TALKERS)]

    async def talk(self, number: int) -> None:
        person, path = self.people[number], f"/api/rooms/{self.rooms[number % 2]}/messages"
        await asyncio.sleep(EVERY_S * number / TALKERS)
        for line in range(1_000_000):
            began = time.monotonic()
            content = f"{number}-{line}"
            answer = await person.http.post(path, json={"content": content})
            self.note(answer, 201, self.seen.sends_s)
            self.said[content] = time.monotonic()
            answer = await person.http.get(path)
            self.note(answer, 200, self.seen.pages_s)
            await asyncio.sleep(max(0, began + EVERY_S - time.monotonic()))

    def note(self, answer: httpx.Response, expected: int, took_s: list[float]) -> None:
        took_s.append(answer.elapsed.total_seconds())
        if answer.status_code != expected:
            self.seen.faults.append(f"{answer.request.method}: {answer.status_code} {answer.text}")

    async def listen(self, socket: websockets.ClientConnection) -> None:
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "message":
                content = frame["message"]["content"]
                assert content not in self.heard, "a message came twice"
                self.heard.add(content)
                # It may overtake the answer to its sender.
                self.seen.elsewhere_s.append(time.monotonic() - self.said.get(content, time.monotonic()))

    async def measure(self, duration_s: float) -> Seen:
        """Gives what was seen from now on for a while."""
        self.seen = seen = Seen()
        await asyncio.sleep(duration_s)
        # What was said meanwhile must have come everywhere, too.
        until = time.monotonic() + ELSEWHERE_S
        said = set(self.said)
        while not said <= self.heard:
            assert time.monotonic() < until, f"not heard: {sorted(said - self.heard)[:5]}"
            await asyncio.sleep(0.05)
        for task in self.tasks:
            if task.done():
                task.result()
        return seen

    async def until_redis_is_up(self) -> None:
        async with httpx.AsyncClient() as http:
            until = time.monotonic() + NOTICED_S
            for server in self.servers:
                while (await http.get(server.url + "/readyz")).json()["redis"] != "up":
                    assert time.monotonic() < until, "Redis is back, and a server does not notice"
                    await asyncio.sleep(0.05)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for person in self.people:
            await person.close()


async def scenario(servers: list[Server], harms: dict) -> str:
    meeting = Meeting(servers)
    await meeting.start()
    await meeting.until_redis_is_up()
    results = {"healthy": await meeting.measure(HARMED_S)}
    for name, (harm, heal) in harms.items():
        await asyncio.to_thread(harm)
        results[name] = await meeting.measure(HARMED_S)
        await asyncio.to_thread(heal)
        await meeting.until_redis_is_up()
    await meeting.end()
    summary = "Redis " + "\n        ".join(f"{name}: {seen}" for name, seen in results.items())
    for name, seen in results.items():
        assert not seen.faults, f"{name}: {seen.faults[:5]}"
        assert max(seen.elsewhere_s) <= ELSEWHERE_S, summary
        assert p99(seen.sends_s) < P99_S and p99(seen.pages_s) < P99_S, summary
    return summary


def p99(times: list[float]) -> float:
    return sorted(times)[int(0.99 * (len(times) - 1))]
