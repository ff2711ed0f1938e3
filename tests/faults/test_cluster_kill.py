"""kill -9 of conference servers in turn, under writers and readers on two gateways: nothing acknowledged is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import itertools
import os

import pytest

from conftest import fresh_databases, fresh_redis
from faults.load import Load
from harness.server import Split

LONG = os.environ.get("LONG") == "1"
KILLS = 50 if LONG else 5
# Each kill and each start waits for so many new acknowledgements: with both servers and with one real work is done.
WORK_PER_LIFE = 1000 if LONG else 100


@pytest.mark.timeout(7200 if LONG else 300)
def test_of_acknowledged_messages_none_is_lost_doubled_or_reordered_while_conference_servers_die_in_turn(
    durable_postgres, redis, capsys
):
    settings = fresh_databases(durable_postgres) | fresh_redis(redis)
    with Split(each=2, RATE_LIMITS="off", **settings) as split:
        summary = asyncio.run(scenario(split))
    with capsys.disabled():
        print(f"\n  {summary}")


async def scenario(split: Split) -> str:
    load = await Load(split.gateways).start()
    for _, server in zip(range(KILLS), itertools.cycle(split.conferences)):
        await load.work(WORK_PER_LIFE)
        await asyncio.to_thread(server.kill)
        # The other one has it all for itself for a while.
        await load.work(WORK_PER_LIFE)
        await asyncio.to_thread(server.start)
    await load.work(WORK_PER_LIFE)
    stored = await load.finish()
    assert load.ledger.repeats > 0, "no kill hit a message under way: the test shows nothing"
    return f"{KILLS} kills of two conference servers in turn, {load.summary(stored)}"
