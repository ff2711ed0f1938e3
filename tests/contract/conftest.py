"""One server on SQLite, two on Postgres and Redis, and two of every part on those, for all tests that need nothing special; each test brings its own people and rooms."""

from __future__ import annotations

import contextlib

import pytest

from conftest import fresh_databases, fresh_redis
from contract.client import Person, Socket, first_administrator
from harness.server import Pair, Server, Split


@pytest.fixture(scope="session", params=["sqlite", "pair", "split"])
def server(request):
    if request.param == "sqlite":
        system = Server(RATE_LIMITS="off")
    else:
        fresh = fresh_databases(request.getfixturevalue("postgres")) | fresh_redis(request.getfixturevalue("redis"))
        system = Pair(RATE_LIMITS="off", **fresh) if request.param == "pair" else Split(each=2, RATE_LIMITS="off", **fresh)
    with system as running:
        # Nobody else should administer by accident.
        running.administrator = first_administrator(running)
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


@pytest.fixture(scope="module", params=["whole", "in parts", "whole with Redis", "in parts with Redis"])
def servers(request, postgres):
    shared = fresh_databases(postgres) | {"INTERNAL_TOKEN": "the-same-secret-on-both-of-the-servers", "RATE_LIMITS": "off"}
    if request.param.endswith("Redis"):
        shared |= fresh_redis(request.getfixturevalue("redis"))
    with contextlib.ExitStack() as stack:
        if request.param.startswith("whole"):
            here, there = (stack.enter_context(Server(**shared)) for _ in range(2))
        else:
            here = stack.enter_context(Split(**shared))
            there = stack.enter_context(Split(auth=here.auth, **shared))
        Person(here, "Administrator").close()
        yield here, there


@pytest.fixture
def room(servers):
    """A room of Ann's in which Bob is too: `(ann, bob, room)`. Their REST calls go to the first server."""
    here, _ = servers
    ann, bob = Person(here, "Ann"), Person(here, "Bob")
    room = ann.room()
    bob.join(room)
    yield ann, bob, room
    ann.close()
    bob.close()


@pytest.fixture
def socket_there(servers):
    """Opens sockets on the second server: tickets hold on every one."""
    opened = []

    def open_socket(person: Person) -> Socket:
        opened.append(Socket(servers[1], person.ticket()))
        return opened[-1]

    yield open_socket
    for socket in opened:
        socket.raw.close()
