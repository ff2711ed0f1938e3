"""One server a store, and one system in parts, for all tests that need nothing special; each test brings its own people and rooms."""

from __future__ import annotations

import pytest

from conftest import fresh_databases
from contract.client import Person
from harness.server import Server, Split


@pytest.fixture(scope="session", params=["sqlite", "postgres", "split"])
def server(request):
    settings = {"RATE_LIMITS": "off"}
    if request.param != "sqlite":
        settings |= fresh_databases(request.getfixturevalue("postgres"))
    with Split(**settings) if request.param == "split" else Server(**settings) as running:
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
