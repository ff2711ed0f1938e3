"""Postgres ended without warning under writers and readers, and started again: refused in order meanwhile, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import collections
import os
import time

import pytest

from conftest import fresh_databases, fresh_redis
from faults.load import Load
from harness.postgres import Cluster
from harness.server import Pair, Split

LONG = os.environ.get("LONG") == "1"
# Every other one is over before anybody is told.
CRASHES = 20 if LONG else 2
WORK_PER_LIFE = 1000 if LONG else 150
# After Postgres takes connections again; a machine that does other work at the same time needs longer.
BACK_S = 5
# Longer than the slowest refusal: a request that is not answered at all would fail the test.
CLIENT_TIMEOUT_S = 30


@pytest.mark.timeout(7200 if LONG else 300)
@pytest.mark.parametrize("system", [Pair, Split], ids=["whole", "in parts"])
def test_while_postgres_is_away_everybody_is_told_so_and_afterwards_nothing_is_missing(
    durable_postgres, redis, system, capsys
):
    settings = fresh_databases(durable_postgres) | fresh_redis(redis) | {"RATE_LIMITS": "off"}
    with system(**settings) if system is Pair else system(each=2, **settings) as running:
        entrances = running.pair if system is Pair else running.gateways
        summary = asyncio.run(scenario(entrances, durable_postgres))
    with capsys.disabled():
        print(f"\n  {summary}")


async def scenario(entrances: list, cluster: Cluster) -> str:
    load = await Load(entrances, CLIENT_TIMEOUT_S).start()
    refused = load.ledger.refused
    back_s = []
    for number in range(CRASHES):
        await load.work(WORK_PER_LIFE)
        since = len(refused)
        await asyncio.to_thread(cluster.crash)
        if number % 2:
            writers = lambda since=since: {who for _, who, _ in refused[since:] if who in load.ledger.acknowledged_at}  # noqa: E731
            await load.until(lambda: len(writers()) == len(load.writers), "some writers are not told")
        await asyncio.to_thread(cluster.start)
        back_s.append(await load.everyone_writes(since=time.monotonic()))
    await load.work(WORK_PER_LIFE)
    stored = await load.finish()
    assert not load.ledger.broken, load.ledger.broken[:5]
    told = collections.Counter(what for _, _, what in refused)
    summary = (
        f"Postgres ended {CRASHES} times, {load.summary(stored)}; refused: {dict(told)}; "
        f"all write again after {', '.join(f'{s:.1f}' for s in back_s)} s"
    )
    assert max(back_s) <= BACK_S, summary
    return summary
