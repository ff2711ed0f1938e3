"""What time alone shows: leases end when they should, whatever died. All of it waits side by side."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import time

import httpx
import psycopg
import pytest

from conftest import fresh_databases
from contract.client import PASSWORD, Person, RawSocket, problem, wait_until
from faults import clocks_apart, leases_in_parts
from faults.watching import LATE_S, LEASE_S
from harness.postgres import Cluster
from harness.server import Server

COMPARISON_S = 20
REFRESH_GRACE_S = 30


@pytest.mark.timeout(240)
def test_leases_end_in_time_and_not_before(postgres, capsys):
    began = time.monotonic()
    shared = fresh_databases(postgres) | {"INTERNAL_TOKEN": "the-same-secret-on-both-of-the-servers", "RATE_LIMITS": "off"}
    with contextlib.ExitStack() as stack:
        lasting, dying = (stack.enter_context(Server(**shared)) for _ in range(2))
        watcher = Person(lasting, "Watcher")
        room = watcher.room()
        watching = watcher.socket()
        watching.subscribe(room)
        checks = [
            rest_only, frozen_browser, cut_connection, dead_server, lost_hold, leaked_hold, long_outage,
            reused_refresh_token,
        ]
        waiting = [functools.partial(check, watcher, room, lasting, dying) for check in checks]
        waiting += leases_in_parts.checks(stack, postgres) + clocks_apart.checks(stack, postgres)
        with concurrent.futures.ThreadPoolExecutor(len(waiting)) as pool:
            running = [pool.submit(check) for check in waiting]
            for done in concurrent.futures.as_completed(running):
                done.result()
        assert [p["user_id"] for p in watcher.detail(room)["participants"]] == [watcher.id]
        watcher.close()
    with capsys.disabled():
        print(f"\n  {len(waiting)} cases side by side, on several servers, in parts and with clocks apart, in {time.monotonic() - began:.0f} s")


def rest_only(watcher, room, lasting, _):
    """Presence by a REST call runs 60 s; another call prolongs it, and never starts it."""
    person = Person(lasting, "Rest only")
    person.join(room)
    person.http.get(f"/api/rooms/{room}/messages")
    time.sleep(25)
    last_sign = time.monotonic()
    assert person.get(f"/api/rooms/{room}/messages").status_code == 200
    leaves_at(watcher, room, person, last_sign)
    assert person.get(f"/api/rooms/{room}/messages").status_code == 200
    assert person.id not in present(watcher, room)


def frozen_browser(watcher, room, lasting, _):
    """A browser that no longer answers, its connection still open."""
    person = Person(lasting, "Frozen")
    person.join(room)
    raw = RawSocket(person)
    raw.ask("subscribed", type="subscribe", room_id=room, status="in_call")
    last_sign = time.monotonic()
    leaves_at(watcher, room, person, last_sign)
    raw.close()


def cut_connection(watcher, room, lasting, _):
    """A connection that breaks without a Close frame is no departure in order: the lease runs on."""
    person = Person(lasting, "Cut")
    person.join(room)
    raw = RawSocket(person)
    raw.ask("subscribed", type="subscribe", room_id=room, status="in_call")
    last_sign = time.monotonic()
    raw.reset()
    leaves_at(watcher, room, person, last_sign)


def dead_server(watcher, room, _, dying):
    """A server that dies takes the people of its sockets along."""
    person = Person(dying, "On the dying server")
    person.join(room)
    person.socket().subscribe(room, status="in_call")
    assert present(watcher, room)[person.id] == "in_call"
    # Long enough that the server's own lease is no longer the one that its first socket began.
    time.sleep(LATE_S)
    last_sign = time.monotonic()
    dying.kill()
    leaves_at(watcher, room, person, last_sign)


def lost_hold(watcher, room, lasting, _):
    """A server that others gave up while its sockets lived takes its people back."""
    person = Person(lasting, "Lost")
    person.join(room)
    person.socket().subscribe(room, status="in_call")
    with psycopg.connect(lasting.settings["CONFERENCE_DATABASE_URL"]) as database:
        database.execute("DELETE FROM holds WHERE user_id = %s", [person.id])
        database.execute(
            "UPDATE participants SET status = 'offline', alive_until = NULL, version = version + 1 WHERE user_id = %s",
            [person.id],
        )
    assert person.id not in present(watcher, room)
    wait_until(lambda: present(watcher, room).get(person.id) == "in_call", timeout=COMPARISON_S + LATE_S)
    person.close()
    wait_until(lambda: person.id not in present(watcher, room), timeout=2 * LATE_S)


def leaked_hold(watcher, room, lasting, _):
    """A hold without a socket, as a release that failed leaves it, keeps nobody for ever: the second look ends it."""
    person = Person(lasting, "Leaked")
    person.join(room)
    socket = person.socket()
    socket.subscribe(room, status="in_call")
    with psycopg.connect(lasting.settings["CONFERENCE_DATABASE_URL"]) as database:
        [server] = database.execute("SELECT server_id FROM holds WHERE user_id = %s", [person.id]).fetchone()
        socket.ask("unsubscribe", "unsubscribed", room_id=room)
        database.execute(
            "INSERT INTO holds (room_id, user_id, server_id) VALUES (%s, %s, %s)", [room, person.id, server]
        )
    wait_until(lambda: person.id not in present(watcher, room), timeout=2 * COMPARISON_S + 2 * LATE_S)
    person.close()


def long_outage(_, __, ___, ____):
    """A database that was away longer than a lease ends nobody whose socket lived on."""
    cluster = Cluster(fsync=False)
    cluster.start()
    try:
        with Server(RATE_LIMITS="off", **fresh_databases(cluster)) as server:
            person = Person(server, "Outlasting")
            room = person.room()
            socket = person.socket()
            socket.subscribe(room, status="in_call")
            socket.presence(person.id, status="in_call")
            cluster.stop()
            time.sleep(LEASE_S + LATE_S)
            cluster.start()
            wait_until(lambda: httpx.get(server.url + "/readyz", timeout=20).status_code == 200, timeout=20)
            # Two sweeps go by.
            time.sleep(3)
            assert present(person, room) == {person.id: "in_call"}
            assert not [frame for frame in socket.drain() if frame["type"] == "presence"]
            person.close()
    finally:
        cluster.destroy()


def reused_refresh_token(_, __, lasting, ___):
    """A spent refresh token shown after the grace ends the whole family."""
    person = Person(lasting, "Reused")
    login = person.post("/api/auth/login?refresh=body", email=person.email, password=PASSWORD).json()
    renew = lambda token: person.post("/api/auth/refresh", refresh_token=token)  # noqa: E731
    first = login["refresh_token"]
    second = renew(first).json()
    bearer = {"authorization": "Bearer " + second["access_token"]}
    time.sleep(REFRESH_GRACE_S + 1)
    assert person.http.get("/api/auth/me", headers=bearer).status_code == 200
    problem(renew(first), 401, "invalid_refresh_token")
    problem(renew(second["refresh_token"]), 401, "invalid_refresh_token")
    deadline = time.monotonic() + 6
    while person.http.get("/api/auth/me", headers=bearer).status_code != 401:
        assert time.monotonic() < deadline, "the access token outlives its family"
        time.sleep(0.2)


def present(watcher, room) -> dict[int, str]:
    return {p["user_id"]: p["status"] for p in watcher.detail(room)["participants"]}


def leaves_at(watcher, room, person, last_sign):
    """Somebody is there for 60 s after the last sign of life, and gone at most 5 s later."""
    while person.id in present(watcher, room):
        assert time.monotonic() < last_sign + LEASE_S + LATE_S, f"{person.name} is still there"
        time.sleep(0.2)
    stayed = time.monotonic() - last_sign
    assert stayed > LEASE_S - 1, f"{person.name} was there for {stayed:.1f} s only"
