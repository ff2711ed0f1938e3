"""Writers and readers in one room, on one or more addresses, and the judgement of what they saw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from faults import clients
from faults.checker import Entry, check

LIFE_TIMEOUT_S = 120
READERS_TIMEOUT_S = 60
LOOK_EVERY_S = 0.02


class Entrance(Protocol):
    """Where people come in: a server, a frontend, a proxy."""

    url: str
    ws_url: str


class Load:
    """Two writers over REST and two on sockets; at every entrance one who follows and one who pages.

    They go on whatever happens, until `finish` hears them.
    """

    def __init__(self, entrances: Iterable[Entrance], timeout_s: float = clients.REQUEST_TIMEOUT_S) -> None:
        self.addresses = [(entrance.url, entrance.ws_url) for entrance in entrances]
        self.people = [
            clients.Person(*self.addresses[number % len(self.addresses)], f"user{number}@example.org", timeout_s)
            for number in range(4 + 2 * len(self.addresses))
        ]
        self.ledger = clients.Ledger()
        self.room = 0
        self.writers: list[asyncio.Task] = []
        self.readers: list[asyncio.Task] = []

    async def start(self) -> "Load":
        await asyncio.gather(*(person.sign_up() for person in self.people))
        owner = self.people[0]
        self.room = (await owner.http.post("/api/rooms", json={"name": "Under fire"})).json()["id"]
        for person in self.people:
            joined = await person.http.post(f"/api/rooms/{self.room}/join")
            assert joined.status_code == 200, joined.text
        self.stop = asyncio.Event()
        self.last_seq = asyncio.get_running_loop().create_future()
        self.began = time.monotonic()
        self.writers = [
            self._write(clients.write_over_rest, 0, "rest-0"),
            self._write(clients.write_over_rest, 1, "rest-1"),
            self._write(clients.write_over_socket, 2, "socket-2"),
            self._write(clients.write_over_socket, 3, "socket-3"),
        ]
        self.readers = [self._read(clients.read_over_socket, 0, "writer who reads")]
        for number in range(len(self.addresses)):
            # Whose addresses differ as the entrances do.
            self.readers.append(self._read(clients.read_over_socket, 4 + number, f"follower {number}"))
            pager = 4 + len(self.addresses) + number
            self.readers.append(self._read(clients.read_over_rest, pager, f"pager {number}"))
        return self

    def _write(self, how: Callable, number: int, name: str) -> asyncio.Task:
        return asyncio.create_task(how(self.people[number], self.room, name, self.ledger, self.stop))

    def _read(self, how: Callable, number: int, name: str) -> asyncio.Task:
        return asyncio.create_task(how(self.people[number], self.room, name, self.ledger, self.last_seq))

    async def until(self, condition: Callable[[], bool], what: str, timeout_s: float = LIFE_TIMEOUT_S) -> float:
        """Waits until something is so, and says for how long; a client that fails fails the test at once."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() < began + timeout_s, f"{what}: not within {timeout_s:.0f} s"
            for task in self.writers + self.readers:
                if task.done():
                    task.result()
            await asyncio.sleep(LOOK_EVERY_S)
        return time.monotonic() - began

    async def work(self, acknowledgements: int) -> None:
        """Waits until so many more are acknowledged."""
        enough = len(self.ledger.acknowledged) + acknowledgements
        await self.until(lambda: len(self.ledger.acknowledged) >= enough, "nothing moves any more")

    def first_after(self, moment: float) -> dict[str, float]:
        """How long after a moment each writer was told again that something is stored; only those that were."""
        told = {}
        for writer, times in self.ledger.acknowledged_at.items():
            after = next((at - moment for at in times if at >= moment), None)
            if after is not None:
                told[writer] = after
        return told

    async def everyone_writes(self, since: float, timeout_s: float = LIFE_TIMEOUT_S) -> float:
        """Waits until every writer was told again that something is stored, and gives after how long the last was."""
        everyone = lambda: len(self.first_after(since)) == len(self.writers)  # noqa: E731
        await self.until(everyone, f"of {len(self.writers)} writers only some write again", timeout_s)
        return max(self.first_after(since).values())

    async def everyone_reads(self, timeout_s: float = LIFE_TIMEOUT_S) -> float:
        """Waits until every reader has what is acknowledged by now, and gives after how long the last had."""
        newest = max(entry.seq for entry in self.ledger.acknowledged)
        behind = lambda: [name for name, seen in self.ledger.readers.items() if not seen or seen[-1].seq < newest]  # noqa: E731
        return await self.until(lambda: not behind(), "not all readers catch up", timeout_s)

    async def finish(self) -> list[Entry]:
        """Ends the writing, lets readers come to the end, and judges. Gives what is stored."""
        self.stop.set()
        await asyncio.wait_for(asyncio.gather(*self.writers), LIFE_TIMEOUT_S)
        stored = await clients.whole_history(self.people[0], self.room)
        self.last_seq.set_result(stored[-1].seq)
        late = (await asyncio.wait(self.readers, timeout=READERS_TIMEOUT_S))[1]
        for reader in late:
            reader.cancel()
        for person in self.people:
            await person.close()
        ledger = self.ledger
        complaints = check(ledger.acknowledged, stored, ledger.readers, ledger.attempted)
        assert complaints == [], "\n".join(complaints[:20])
        assert not late, "a reader never saw the end"
        for reader in self.readers:
            reader.result()
        assert all(seen[0].seq == 1 and seen[-1].seq == stored[-1].seq for seen in ledger.readers.values())
        return stored

    def summary(self, stored: list[Entry]) -> str:
        ledger = self.ledger
        return (
            f"{len(ledger.acknowledged)} acknowledged, {len(stored)} stored, {ledger.repeats} sent again, "
            f"{sum(map(len, ledger.readers.values()))} read by {len(ledger.readers)}, "
            f"in {time.monotonic() - self.began:.0f} s"
        )
