"""Seeing who is in a room, as each of several servers has it, and when somebody leaves."""

from __future__ import annotations

import time
from collections.abc import Iterable

import httpx

from contract.client import TIMEOUT_S, Person
from harness.server import Server

LEASE_S = 60
LATE_S = 5
LOOK_EVERY_S = 0.5


class Watch:
    """Looks at a room through somebody's eyes, at several servers."""

    def __init__(self, watcher: Person, room: int, servers: Iterable[Server]) -> None:
        self.watcher, self.room = watcher, room
        self.views = [httpx.Client(base_url=server.url, timeout=TIMEOUT_S) for server in servers]

    def present(self, view: httpx.Client) -> dict[int, str]:
        answer = self._ask(view)
        if answer.status_code == 401:
            # Some tests have tokens that do not live as long as they do.
            self.watcher.sign_in()
            answer = self._ask(view)
        assert answer.status_code == 200, answer.text
        return {participant["user_id"]: participant["status"] for participant in answer.json()["participants"]}

    def _ask(self, view: httpx.Client) -> httpx.Response:
        token = self.watcher.http.headers["authorization"]
        return view.get(f"/api/rooms/{self.room}", headers={"authorization": token})

    def leaves_at(self, person: Person, last_sign: float) -> None:
        """Somebody is there for 60 s after the last sign of life, and gone at most 5 s later, at every server."""
        stayed_s: dict[httpx.Client, float] = {}
        while len(stayed_s) < len(self.views):
            for view in self.views:
                looked = time.monotonic()
                if view not in stayed_s and person.id not in self.present(view):
                    stayed_s[view] = time.monotonic() - last_sign
                assert view in stayed_s or looked < last_sign + LEASE_S + LATE_S, f"{person.name} is still there"
            time.sleep(LOOK_EVERY_S)
        assert min(stayed_s.values()) > LEASE_S - 1, f"{person.name} was there for {min(stayed_s.values()):.1f} s only"

    def stays_until(self, person: Person, moment: float) -> None:
        """Somebody is there, at every server, all the time until then."""
        while time.monotonic() < moment:
            for view in self.views:
                assert person.id in self.present(view), f"{person.name} was given up"
            time.sleep(LOOK_EVERY_S)
