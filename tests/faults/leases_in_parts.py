"""Leases where gateways and conference servers stand apart: whatever dies, every conference server shows it in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

from conftest import fresh_databases
from contract.client import Person, RawSocket
from faults.watching import LATE_S, LEASE_S, Watch
from harness.postgres import Cluster
from harness.server import Server, Split


def checks(stack: ExitStack, postgres: Cluster) -> list[Callable[[], None]]:
    """Two gateways and two conference servers, which last; and for each check what dies in it."""
    split = stack.enter_context(Split(each=2, RATE_LIMITS="off", **fresh_databases(postgres)))
    watcher = Person(split.gateway, "Watcher")
    room = watcher.room()
    watcher.socket().subscribe(room)
    stack.callback(watcher.close)
    watch = Watch(watcher, room, split.conferences)
    shared = {name: value for name, value in split.conference.settings.items() if name != "DATA_DIR"}
    dying_conference = stack.enter_context(Server(**shared))
    way_in = {"ROLE": "gateway", "RATE_LIMITS": "off", "AUTH_SERVICE_URL": split.auth.url}
    before_it = stack.enter_context(Server(**way_in, CONFERENCE_SERVICE_URL=dying_conference.url))
    dying_gateway = stack.enter_context(Server(**way_in, CONFERENCE_SERVICE_URL=split.conference.url))
    return [
        lambda: reset_behind_a_gateway(watch, split),
        lambda: frozen_behind_a_gateway(watch, split),
        lambda: dead_conference_server(watch, split, before_it, dying_conference),
        lambda: dead_gateway(watch, split, dying_gateway, dying_gateway),
    ]


def raw_socket(watch: Watch, person: Person) -> RawSocket:
    person.join(watch.room)
    raw = RawSocket(person)
    raw.ask("subscribed", type="subscribe", room_id=watch.room, status="in_call")
    return raw


def reset_behind_a_gateway(watch: Watch, split: Split) -> None:
    """A connection that breaks without a Close frame: the gateway passes that on as what it is."""
    person = Person(split.gateways[0], "Reset behind a gateway")
    raw = raw_socket(watch, person)
    last_sign = time.monotonic()
    raw.reset()
    watch.leaves_at(person, last_sign)


def frozen_behind_a_gateway(watch: Watch, split: Split) -> None:
    """A browser that no longer answers: that the gateway's end is alive is no sign of it."""
    person = Person(split.gateways[1], "Frozen behind a gateway")
    raw = raw_socket(watch, person)
    watch.leaves_at(person, time.monotonic())
    raw.close()


def dead_conference_server(watch: Watch, split: Split, entrance: Server, dying: Server) -> None:
    """A conference server that dies takes along who does not come back by another, and nobody else."""
    one_dies(watch, split, entrance, dying)


def dead_gateway(watch: Watch, split: Split, entrance: Server, dying: Server) -> None:
    """A gateway that dies takes along who does not come back by another, and nobody else."""
    one_dies(watch, split, entrance, dying)


def one_dies(watch: Watch, split: Split, entrance: Server, dying: Server) -> None:
    role = dying.settings["ROLE"]
    gone, back = Person(entrance, f"Gone with a {role}"), Person(entrance, f"Back after a {role}'s death")
    for person in (gone, back):
        person.join(watch.room)
        person.socket().subscribe(watch.room, status="in_call")
        assert all(watch.present(view)[person.id] == "in_call" for view in watch.views)
    # Long enough that a server's own lease is no longer the one that its first socket began.
    time.sleep(LATE_S)
    gone.sockets[0].ask("ping", "pong")
    last_sign = time.monotonic()
    dying.kill()
    back.server = split.gateways[1]
    back.http.base_url = split.gateways[1].url
    back.socket().subscribe(watch.room, status="in_call")
    watch.leaves_at(gone, last_sign)
    watch.stays_until(back, last_sign + LEASE_S + LATE_S)
    back.close()
