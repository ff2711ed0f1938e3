"""One server on SQLite, two on Postgres and Redis, and two of every part on those, for all tests that need nothing special; each test brings its own people and rooms."""

from __future__ import annotations

import re

import pytest

from conftest import fresh_databases, fresh_redis
from contract.client import Person
from harness.server import Pair, Server, Split


@pytest.fixture(scope="session", params=["sqlite", "pair", "split"])
def server(request):
    if request.param == "sqlite":
        system = Server(RATE_LIMITS="off")
    else:
        fresh = fresh_databases(request.getfixturevalue("postgres")) | fresh_redis(request.getfixturevalue("redis"))
        system = Pair(RATE_LIMITS="off", **fresh) if request.param == "pair" else Split(each=2, RATE_LIMITS="off", **fresh)
    with system as running:
        # The first account administers, or who follows the setup link; nobody else should by accident.
        setup = re.search(r"\?setup=([\w-]+)", running.read_log())
        running.administrator = Person(running, "Administrator", **({"setup_code": setup[1]} if setup else {}))
        yield running
        running.administrator.close()


@pytest.fixture(scope="session")
def administrator(server) -> Person:
    """The person who administers the server."""
    return server.administrator


@pytest.fixture
def people(server):
    """Makes people who are signed in: `ann, bob = people("Ann", "Bob")`."""
    made: list[Person] = []

    def make(*names: str):
        fresh = [Person(server, name) for name in names]
        made.extend(fresh)
        return fresh[0] if len(fresh) == 1 else fresh

    yield make
    for person in made:
        person.close()
