"""What all tests share: the two stores, and a Postgres and a Redis of their own."""

from __future__ import annotations

import functools
import itertools
import ssl

import pytest

from harness.postgres import Cluster
from harness.redis import Redis

_numbers = itertools.count()
# Every HTTP client, one for each call of httpx.get too, would read the machine's certificates anew, though it
# speaks no TLS: tens of milliseconds, longer than most answers take.
ssl.create_default_context = functools.cache(ssl.create_default_context)


@pytest.fixture(scope="session")
def postgres(request):
    """A private cluster; a machine without Postgres fails the tests that need it."""
    cluster = Cluster(fsync=False)
    cluster.start()
    yield cluster
    cluster.destroy()


@pytest.fixture(scope="session")
def redis():
    """A private Redis, for tests that do it no harm; a machine without one fails them."""
    with Redis("--databases", "10000") as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def store_settings(request) -> dict[str, str]:
    """Settings of a server on a fresh store of each kind."""
    if request.param == "sqlite":
        return {}
    cluster = request.getfixturevalue("postgres")
    return fresh_databases(cluster)


def fresh_redis(redis: Redis) -> dict[str, str]:
    """Settings of servers that share a bus and a cache with nobody else."""
    return {"REDIS_URL": redis.url(next(_numbers))}


def fresh_databases(cluster: Cluster) -> dict[str, str]:
    number = next(_numbers)
    return {
        "AUTH_DATABASE_URL": cluster.create_database(f"auth_{number}"),
        "CONFERENCE_DATABASE_URL": cluster.create_database(f"conference_{number}"),
    }
