"""kill -9 of the server under writers and readers: nothing acknowledged is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import os

import pytest

from faults.load import Load
from harness.server import Server

LONG = os.environ.get("LONG") == "1"
KILLS = 50 if LONG else 5
# The next kill waits for so many new acknowledgements: each life of the server does real work.
WORK_PER_LIFE = 2000 if LONG else 150


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
    load = await Load([server]).start()
    for _ in range(KILLS):
        await load.work(WORK_PER_LIFE)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    await load.work(WORK_PER_LIFE)
    stored = await load.finish()
    assert load.ledger.repeats > 0, "no kill hit a message under way: the test shows nothing"
    return f"{KILLS} kills, {load.summary(stored)}"
