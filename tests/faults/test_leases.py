"""What time alone shows: leases end when they should, whatever died. All of it waits side by side."""

from __future__ import annotations

import base64
import concurrent.futures
import os
import socket
import time

import pytest

from conftest import fresh_databases
from contract.client import PASSWORD, Person, problem
from harness.server import Server

LEASE_S = 60
LATE_S = 5
REFRESH_GRACE_S = 30


@pytest.mark.timeout(180)
def test_leases_end_in_time_and_not_before(postgres):
    shared = fresh_databases(postgres) | {"INTERNAL_TOKEN": "the-same-secret-on-both-of-the-servers", "RATE_LIMITS": "off"}
    with Server(**shared) as lasting, Server(**shared) as dying:
        watcher = Person(lasting, "Watcher")
        room = watcher.room()
        watching = watcher.socket()
        watching.subscribe(room)
        checks = [rest_only, frozen_browser, cut_connection, dead_server, reused_refresh_token]
        with concurrent.futures.ThreadPoolExecutor(len(checks)) as pool:
            running = [pool.submit(check, watcher, room, lasting, dying) for check in checks]
            for done in concurrent.futures.as_completed(running):
                done.result()
        assert [p["user_id"] for p in watcher.detail(room)["participants"]] == [watcher.id]
        watcher.close()


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
    raw = handshake(person)
    last_sign = time.monotonic()
    leaves_at(watcher, room, person, last_sign)
    raw.close()


def cut_connection(watcher, room, lasting, _):
    """A connection that breaks without a Close frame is no departure in order: the lease runs on."""
    person = Person(lasting, "Cut")
    person.join(room)
    raw = handshake(person)
    last_sign = time.monotonic()
    time.sleep(1)
    # A reset instead of an orderly end.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    raw.close()
    leaves_at(watcher, room, person, last_sign)


def dead_server(watcher, room, _, dying):
    """A server that dies takes the people of its sockets along."""
    person = Person(dying, "On the dying server")
    person.join(room)
    person.socket().subscribe(room, status="in_call")
    time.sleep(1)
    died = time.monotonic()
    dying.kill()
    deadline = died + LEASE_S + LATE_S
    while person.id in present(watcher, room):
        assert time.monotonic() < deadline, "the dead server's people are still there"
        time.sleep(0.2)


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


def handshake(person: Person) -> socket.socket:
    """Opens a WebSocket by hand, subscribes, and then never answers anything."""
    raw = socket.create_connection(("127.0.0.1", person.server.port), timeout=5)
    key = base64.b64encode(os.urandom(16)).decode()
    raw.sendall(
        f"GET /api/ws HTTP/1.1\r\nHost: 127.0.0.1:{person.server.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Protocol: cloudmeet.v1, ticket.{person.ticket()}\r\n\r\n".encode()
    )
    assert raw.recv(4096).startswith(b"HTTP/1.1 101")
    room = person.get("/api/rooms", limit=1).json()[0]["id"]
    frame = f'{{"type":"subscribe","room_id":{room},"status":"in_call"}}'.encode()
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(frame))
    raw.sendall(bytes([0x81, 0x80 | len(frame)]) + mask + masked)
    received = b""
    while b'"subscribed"' not in received:
        received += raw.recv(4096)
    return raw
