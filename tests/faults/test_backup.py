"""A backup of a server that works: what was acknowledged before it is in it, and it comes back as an installation."""

from __future__ import annotations

import asyncio
import os

import pytest

from cli.terminal import Cloudmeet
from conftest import fresh_databases
from faults import clients
from faults.checker import check
from faults.load import Load
from harness.server import Server

LONG = os.environ.get("LONG") == "1"
WORK = 20_000 if LONG else 300


@pytest.mark.timeout(3600 if LONG else 180)
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_live_backup_restores_every_message_that_was_acknowledged_before_it(store, request, tmp_path, capsys):
    fresh = lambda: fresh_databases(request.getfixturevalue("postgres")) if store == "postgres" else {}  # noqa: E731
    here, there = fresh(), fresh()
    with Server(RATE_LIMITS="off", **here) as server:
        restored = Server(RATE_LIMITS="off", **there)
        try:
            cli = Cloudmeet(tmp_path, "--direct", DATA_DIR=str(server.home / "data"), **here)
            other = Cloudmeet(tmp_path, "--direct", DATA_DIR=str(restored.home / "data"), **there)
            summary = asyncio.run(scenario(server, restored, cli, other, tmp_path / "backup"))
        finally:
            restored.close()
    with capsys.disabled():
        print(f"\n  {store}: {summary}")


async def scenario(server: Server, restored: Server, cli: Cloudmeet, other: Cloudmeet, file) -> str:
    load = await Load([server]).start()
    await load.work(WORK)
    before = list(load.ledger.acknowledged)
    await asyncio.to_thread(cli.run, "db", "backup", file)
    during = len(load.ledger.acknowledged) - len(before)
    await load.work(WORK)
    stored = await load.finish()

    await asyncio.to_thread(other.run, "db", "restore", file)
    await asyncio.to_thread(restored.start)
    # Whoever had an account has it there; nobody is signed in.
    person = clients.Person(restored.url, restored.ws_url, load.people[0].email)
    person.http.headers["authorization"] = load.people[0].http.headers["authorization"]
    assert (await person.http.get("/api/auth/me")).status_code == 401
    del person.http.headers["authorization"]
    await person.sign_in()
    history = await clients.whole_history(person, load.room)
    complaints = check(before, history, {}, load.ledger.attempted)
    assert complaints == [], "\n".join(complaints[:20])
    # What came later may be in it or not; what is in it is the beginning of what the first server has.
    assert history == stored[: len(history)] and len(history) < len(stored)
    messages = (await person.http.get(f"/api/rooms/{load.room}/messages")).json()["messages"]
    assert {message["user_display_name"] for message in messages} == {"Somebody"}
    present = (await person.http.get(f"/api/rooms/{load.room}/participants")).json()
    assert present == [], present
    said = await person.http.post(f"/api/rooms/{load.room}/messages", json={"content": "and on it goes"})
    assert said.status_code == 201 and said.json()["seq"] == len(history) + 1, said.text
    await person.close()
    return f"{len(before)} acknowledged before, {during} while it was taken, {len(history)} in it, {len(stored)} in all"
