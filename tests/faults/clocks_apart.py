"""Servers whose clocks are a minute apart: leases, tickets and tokens go by the store's."""

from __future__ import annotations

import email.utils
import itertools
import pathlib
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest
import websockets

from conftest import fresh_databases
from contract.client import Person, Socket, problem
from faults.watching import LATE_S, LEASE_S, Watch
from harness.postgres import Cluster
from harness.server import INNER, Server

APART_S = 30
TICKET_S = 30
TOKEN_S = 60
# How near to an end a test looks: requests take their time on a busy machine.
MARGIN_S = 5


def shifted(seconds: int) -> dict[str, str]:
    """Settings of a server whose wall clock is wrong by so much, and whose steady clock is not."""
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "these tests need libfaketime (on Debian: apt-get install faketime)"
    return {
        "LD_PRELOAD": str(found[0]), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def checks(stack: ExitStack, postgres: Cluster) -> list[Callable[[], None]]:
    """The same questions to two servers that are everything, and to the services apart."""
    common = {"RATE_LIMITS": "off", "JWT_ACCESS_TOKEN_EXPIRE_MINUTES": "1"} | INNER
    start = lambda **settings: stack.enter_context(Server(**common | settings))  # noqa: E731

    whole = fresh_databases(postgres)
    ahead, behind = start(**whole, **shifted(APART_S)), start(**whole, **shifted(-APART_S))
    dying = start(**whole, **shifted(APART_S))

    parts = fresh_databases(postgres)
    rooms = {"ROLE": "conference", "CONFERENCE_DATABASE_URL": parts["CONFERENCE_DATABASE_URL"]}
    auth = start(ROLE="auth", AUTH_DATABASE_URL=parts["AUTH_DATABASE_URL"], **shifted(APART_S))
    conferences = [
        start(**rooms, AUTH_SERVICE_URL=auth.url, **shifted(seconds)) for seconds in (-APART_S, APART_S, APART_S)
    ]
    doors = [
        start(ROLE="gateway", AUTH_SERVICE_URL=auth.url, CONFERENCE_SERVICE_URL=conference.url)
        for conference in conferences
    ]
    for server, seconds in ((ahead, APART_S), (behind, -APART_S), (conferences[0], -APART_S), (auth, APART_S)):
        assert abs(wrong_by(server) - seconds) < 3, "the clock is not what this test needs"

    made = []
    for here, there, way_to_dying, dies in (
        (ahead, behind, dying, dying), (doors[0], doors[1], doors[2], conferences[2]),
    ):
        made += [
            lambda here=here, there=there: tickets(here, there),
            lambda here=here, there=there: access_tokens(here, there),
            lambda here=here, there=there, way=way_to_dying, dies=dies: presence(here, there, way, dies),
        ]
    return made


def wrong_by(server: Server) -> float:
    said = httpx.get(server.url + "/livez").headers["date"]
    return email.utils.parsedate_to_datetime(said).timestamp() - time.time()


def tickets(here: Server, there: Server) -> None:
    """A ticket is good for 30 s and at every server, whoever gave it."""
    person = Person(here, "With tickets")
    pairs = list(itertools.product((here, there), repeat=2))
    first = time.monotonic()
    given = [(ticket_of(person, giver), taker) for giver, taker in pairs for _ in range(2)]
    last = time.monotonic()
    sleep_until(first + TICKET_S - MARGIN_S)
    for ticket, taker in given[::2]:
        socket = Socket(taker, ticket)
        assert socket.welcome["user_id"] == person.id
        socket.raw.close()
    sleep_until(last + TICKET_S + 1)
    for ticket, taker in given[1::2]:
        with pytest.raises(websockets.InvalidStatus) as refused:
            Socket(taker, ticket)
        assert refused.value.response.status_code == 401


def ticket_of(person: Person, server: Server) -> str:
    answer = httpx.post(server.url + "/api/ws-ticket", headers={"authorization": person.http.headers["authorization"]})
    assert answer.status_code == 200, answer.text
    return answer.json()["ticket"]


def access_tokens(here: Server, there: Server) -> None:
    """A token is good for its minute, by the clock of the accounts, whoever signed it and whoever is asked."""
    people, signed = [], []
    for server in (here, there):
        people.append(Person(server, "With a token", sign_in=False))
        before = time.monotonic()
        people[-1].sign_in()
        signed.append((before, time.monotonic()))
    ask = lambda person, server: httpx.get(  # noqa: E731
        server.url + "/api/rooms", headers={"authorization": person.http.headers["authorization"]}, timeout=10
    )
    good_until = min(before for before, _ in signed) + TOKEN_S - MARGIN_S
    while time.monotonic() < good_until:
        for person, server in itertools.product(people, (here, there)):
            assert ask(person, server).status_code == 200
        time.sleep(1)
    sleep_until(max(after for _, after in signed) + TOKEN_S + 1)
    for person, server in itertools.product(people, (here, there)):
        problem(ask(person, server), 401, "invalid_token")


def presence(here: Server, there: Server, way_to_dying: Server, dying: Server) -> None:
    """Whoever is there stays, whoever gave no sign for a minute goes, and a server that died takes its people along then."""
    watcher = Person(here, "Watcher of clocks")
    room = watcher.room()
    watch = Watch(watcher, room, (here, there))
    staying = [Person(server, f"Staying {number}") for number, server in enumerate((here, there))]
    for person in staying:
        person.join(room)
        person.socket().subscribe(room, status="in_call")
    dead = Person(way_to_dying, "On a server that dies")
    dead.join(room)
    dead.socket().subscribe(room, status="in_call")
    silent = [Person(server, f"Silent {number}") for number, server in enumerate((here, there))]
    signs = []
    for person in silent:
        person.join(room)
        signs.append(time.monotonic())
    time.sleep(LATE_S)
    died = time.monotonic()
    dying.kill()
    for person, last_sign in zip(silent, signs):
        watch.leaves_at(person, last_sign)
    watch.leaves_at(dead, died)
    for person in staying:
        watch.stays_until(person, time.monotonic() + 1)
        person.close()
    watcher.close()


def sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
