"""Many servers start at once on an empty Postgres: all come up, and they are one system."""

from __future__ import annotations

import concurrent.futures
import os
import time

import httpx
import pytest

from conftest import fresh_databases
from contract.client import Person, wait_until
from harness.postgres import free_port
from harness.server import INNER, Server

LONG = os.environ.get("LONG") == "1"
ROUNDS = 50 if LONG else 3
SERVERS = 8
READY_S = 30
# A conference server that looked for the keys of tokens before anybody had them looks again at once.
KEYS_S = 1


def start_together(servers: list[Server]) -> float:
    """Starts servers at once and waits until all are ready; says how long the last took."""
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(Server.start, servers))
    for server in servers:
        wait_until(lambda: httpx.get(server.url + "/readyz", timeout=10).status_code == 200, timeout=READY_S)
    return time.monotonic() - began


def known(server: Server, headers: dict[str, str]) -> httpx.Response | None:
    """The list of rooms; `None` while the server cannot ask whose token this is."""
    answer = httpx.get(server.url + "/api/rooms", headers=headers, timeout=10)
    assert answer.status_code in (200, 503), answer.text
    return answer if answer.status_code == 200 else None


def are_one(accounts: list[Server], rooms: list[Server]) -> None:
    """Whoever signs up at the first server is known at all of them: they share keys, accounts and rooms."""
    assert len({httpx.get(server.url + "/.well-known/jwks.json").text for server in accounts}) == 1
    person = Person(accounts[0], "First")
    headers = dict(person.http.headers)
    for server in rooms:
        wait_until(lambda server=server: known(server, headers), timeout=KEYS_S)
    made = httpx.post(rooms[0].url + "/api/rooms", json={"name": "First"}, headers=headers)
    assert made.status_code == 201, made.text
    for server in accounts:
        assert httpx.get(server.url + "/api/auth/me", headers=headers).json()["id"] == person.id
    for server in rooms:
        listed = wait_until(lambda server=server: known(server, headers), timeout=KEYS_S)
        assert [room["id"] for room in listed.json()] == [made.json()["id"]]
    person.close()


@pytest.mark.timeout(3600 if LONG else 240)
def test_eight_servers_that_start_at_once_on_an_empty_database_all_come_up(postgres, capsys):
    took_s = []
    for _ in range(ROUNDS):
        databases = fresh_databases(postgres)
        servers = [Server(**INNER, **databases) for _ in range(SERVERS)]
        try:
            took_s.append(start_together(servers))
            are_one(servers, servers)
        finally:
            for server in servers:
                server.close()
    with capsys.disabled():
        print(f"\n  {ROUNDS} × {SERVERS} servers at once on an empty database, all ready after ≤ {max(took_s):.1f} s")


@pytest.mark.timeout(3600 if LONG else 240)
def test_auth_and_conference_servers_that_start_at_once_on_two_empty_databases_all_come_up(postgres, capsys):
    took_s = []
    for _ in range(ROUNDS):
        databases = fresh_databases(postgres)
        # Known before any of them listens, as names of services are.
        ports = [free_port() for _ in range(SERVERS // 2)]
        upstream = ",".join(f"http://127.0.0.1:{port}" for port in ports)
        auths = [
            Server(ROLE="auth", PORT=port, AUTH_DATABASE_URL=databases["AUTH_DATABASE_URL"], **INNER) for port in ports
        ]
        rooms = {"CONFERENCE_DATABASE_URL": databases["CONFERENCE_DATABASE_URL"], "AUTH_SERVICE_URL": upstream} | INNER
        conferences = [Server(ROLE="conference", **rooms) for _ in range(SERVERS // 2)]
        try:
            took_s.append(start_together(conferences + auths))
            are_one(auths, conferences)
        finally:
            for server in auths + conferences:
                server.close()
    with capsys.disabled():
        print(
            f"\n  {ROUNDS} × {SERVERS // 2} auth and {SERVERS // 2} conference servers at once on two empty databases, "
            f"all ready after ≤ {max(took_s):.1f} s"
        )
