"""kill -9 of the server under writers and readers: nothing acknowledged is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from faults import clients
from faults.checker import check
from harness.server import Server

LONG = os.environ.get("LONG") == "1"
KILLS = 50 if LONG else 5
# The next kill waits for so many new acknowledgements: each life of the server does real work.
WORK_PER_LIFE = 2000 if LONG else 150
LIFE_TIMEOUT_S = 120
READERS_TIMEOUT_S = 60


@pytest.mark.timeout(7200 if LONG else 300)
def test_of_acknowledged_messages_none_is_lost_doubled_or_reordered_over_kills(store_settings, capsys):
    server = Server(RATE_LIMITS="off", **store_settings)
    try:
        server.start()
        summary = asyncio.run(scenario(server))
    finally:
        server.close()
    with capsys.disabled():
        print(f"\n  {summary}")


async def scenario(server: Server) -> str:
    people = [clients.Person(server.url, server.ws_url, f"user{n}@example.org") for n in range(6)]
    await asyncio.gather(*(person.sign_up() for person in people))
    answer = await people[0].http.post("/api/rooms", json={"name": "Under fire"})
    room = answer.json()["id"]
    for person in people:
        joined = await person.http.post(f"/api/rooms/{room}/join")
        assert joined.status_code == 200, joined.text

    ledger, stop, last_seq = clients.Ledger(), asyncio.Event(), asyncio.get_running_loop().create_future()
    writers = [
        asyncio.create_task(clients.write_over_rest(people[0], room, "rest-0", ledger, stop)),
        asyncio.create_task(clients.write_over_rest(people[1], room, "rest-1", ledger, stop)),
        asyncio.create_task(clients.write_over_socket(people[2], room, "socket-2", ledger, stop)),
        asyncio.create_task(clients.write_over_socket(people[3], room, "socket-3", ledger, stop)),
    ]
    readers = [
        asyncio.create_task(clients.read_over_socket(people[4], room, "follower", ledger, last_seq)),
        asyncio.create_task(clients.read_over_socket(people[0], room, "writer who reads", ledger, last_seq)),
        asyncio.create_task(clients.read_over_rest(people[5], room, "pager", ledger, last_seq)),
    ]
    began = time.monotonic()
    for _ in range(KILLS):
        await work(ledger, len(ledger.acknowledged) + WORK_PER_LIFE, writers + readers)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    await work(ledger, len(ledger.acknowledged) + WORK_PER_LIFE, writers + readers)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*writers), LIFE_TIMEOUT_S)

    stored = await clients.whole_history(people[0], room)
    last_seq.set_result(stored[-1].seq)
    late = (await asyncio.wait(readers, timeout=READERS_TIMEOUT_S))[1]
    for reader in late:
        reader.cancel()
    for person in people:
        await person.close()

    complaints = check(ledger.acknowledged, stored, ledger.readers, ledger.attempted)
    assert complaints == [], "\n".join(complaints[:20])
    assert not late, "a reader never saw the end"
    for reader in readers:
        reader.result()
    assert ledger.repeats > 0, "no kill hit a message under way: the test shows nothing"
    assert all(seen[0].seq == 1 and seen[-1].seq == stored[-1].seq for seen in ledger.readers.values())
    return (
        f"{KILLS} kills, {len(ledger.acknowledged)} acknowledged, {len(stored)} stored, {ledger.repeats} sent again, "
        f"{sum(map(len, ledger.readers.values()))} read, in {time.monotonic() - began:.0f} s"
    )


async def work(ledger: clients.Ledger, acknowledged: int, tasks: list[asyncio.Task]) -> None:
    """Waits until so much is acknowledged; a client that fails fails the test at once."""
    deadline = time.monotonic() + LIFE_TIMEOUT_S
    while len(ledger.acknowledged) < acknowledged:
        assert time.monotonic() < deadline, "nothing moves any more"
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(0.02)
