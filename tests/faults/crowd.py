"""Many sockets that come back by themselves, with the jitter of the pages, and follow a room."""

from __future__ import annotations

import asyncio
import json
import random
import time

import httpx
import websockets

from faults import clients
from faults.checker import Entry

# As frontend/static/js/backoff.js and socket.js have it.
BASE_S, CAP_S, FLOOR_S, STEADY_S = 1.0, 20.0, 0.3, 5.0
NO_CODE = 1006


class Follower:
    """One socket of a person, that follows a room for as long as it is let."""

    def __init__(self, person: clients.Person, room: int, name: str) -> None:
        self.person, self.room, self.name = person, room, name
        self.seen: list[Entry] = []
        # When it had everything again after each loss, and how the sockets ended.
        self.level_at: list[float] = []
        self.ends: list[tuple[float, int]] = []
        self.refusals: list[tuple[float, str]] = []
        self.is_level = False
        self.attempt = 0

    async def run(self) -> None:
        while True:
            opened_at = None
            try:
                async with await self.person.socket() as socket:
                    opened_at = time.monotonic()
                    await self.follow(socket)
            except websockets.ConnectionClosed as closed:
                self.ends.append((time.monotonic(), closed.rcvd.code if closed.rcvd else NO_CODE))
            except httpx.HTTPStatusError as error:
                self.refusals.append((time.monotonic(), f"{error.response.status_code} {error.response.text}"))
            except clients.BROKEN as error:
                self.refusals.append((time.monotonic(), repr(error)))
            self.is_level = False
            if opened_at is not None and time.monotonic() - opened_at > STEADY_S:
                self.attempt = 0
            await asyncio.sleep(max(FLOOR_S, random.uniform(0, min(CAP_S, BASE_S * 2**self.attempt))))
            self.attempt += 1

    async def follow(self, socket: websockets.ClientConnection) -> None:
        await self.subscribe(socket)
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "message":
                self.seen.append(clients.entry(frame["message"]))
            elif frame["type"] == "subscribed":
                self.seen.extend(clients.entry(message) for message in frame["messages"])
                if frame["truncated"]:
                    await self.subscribe(socket)
                else:
                    self.is_level = True
                    self.level_at.append(time.monotonic())
            elif frame["type"] == "error":
                # The page asks again after a moment; here the socket does, for the same reason.
                self.refusals.append((time.monotonic(), frame["code"]))
                await asyncio.sleep(FLOOR_S)
                await self.subscribe(socket)

    async def subscribe(self, socket: websockets.ClientConnection) -> None:
        after = self.seen[-1].seq if self.seen else 0
        await socket.send(
            json.dumps({"type": "subscribe", "room_id": self.room, "after_seq": after, "after_rev": 0, "status": "online"})
        )


class Crowd:
    """Followers of one room, several of each person."""

    def __init__(self, people: list[clients.Person], room: int, each: int) -> None:
        self.followers = [
            Follower(person, room, f"{person.email} {number}") for person in people for number in range(each)
        ]
        self.tasks: list[asyncio.Task] = []

    def start(self) -> "Crowd":
        self.tasks = [asyncio.create_task(follower.run()) for follower in self.followers]
        return self

    def raise_faults(self) -> None:
        for task in self.tasks:
            if task.done():
                task.result()

    async def until_level(self, since: float, timeout_s: float) -> float:
        """Waits until all follow again what they followed, and says how long after `since` the last one did."""
        began = time.monotonic()
        while missing := [follower for follower in self.followers if not follower.is_level]:
            assert time.monotonic() < began + timeout_s, f"{len(missing)} are not back: {missing[0].refusals[-3:]}"
            self.raise_faults()
            await asyncio.sleep(0.02)
        return max(follower.level_at[-1] for follower in self.followers) - since

    async def until_seen(self, seq: int, timeout_s: float) -> None:
        """Waits until all have a message."""
        began = time.monotonic()
        while any(not follower.seen or follower.seen[-1].seq < seq for follower in self.followers):
            assert time.monotonic() < began + timeout_s, f"not all have message {seq}"
            self.raise_faults()
            await asyncio.sleep(0.02)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def readers(self) -> dict[str, list[Entry]]:
        return {follower.name: follower.seen for follower in self.followers}
