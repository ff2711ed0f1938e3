"""One server a store for all tests that need nothing special; each test brings its own people and rooms."""

from __future__ import annotations

import pytest

from conftest import fresh_databases
from contract.client import Person
from harness.server import Server


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request):
    settings = {}
    if request.param == "postgres":
        settings = fresh_databases(request.getfixturevalue("postgres"))
    with Server(RATE_LIMITS="off", **settings) as running:
        # The first account administers; nobody in the tests should by accident.
        Person(running, "Administrator").close()
        yield running


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
