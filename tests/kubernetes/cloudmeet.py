"""A CloudMeet server, whom operators ask, and the people who own its rooms."""

from __future__ import annotations

import pathlib

import httpx

from contract.client import Person, first_administrator
from harness.server import Server
from kubernetes.processes import Started

TIMEOUT_S = 10


class CloudMeet(Started):
    """One server that is everything, on SQLite; it keeps its port and its data when it is stopped and started again."""

    def __init__(self, **settings: object) -> None:
        self.server = Server(RATE_LIMITS="off", **settings)
        self.people: list[Person] = []

    def start(self) -> "CloudMeet":
        self.server.start()
        if not self.people:
            self.administrator = self._joined(first_administrator(self.server))
            self.key_file = self.server.home / "api-key"
            made = self.make_key(self.key_file)
            self.key_id = made["id"]
            self.http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S)
            self.http.headers["authorization"] = "Bearer " + made["key"]
        return self

    def stop(self) -> None:
        assert self.server.terminate() == 0, self.server.read_log()[-4000:]

    def kill(self) -> None:
        self.server.kill()

    def is_up(self) -> bool:
        return self.server.process is not None and self.server.process.poll() is None

    @property
    def url(self) -> str:
        return self.server.url

    def person(self, name: str) -> Person:
        """Somebody with an account, who can own rooms."""
        return self._joined(Person(self.server, name))

    def make_key(self, path: pathlib.Path) -> dict:
        """Makes an API key for rooms and writes it to a file, readable by its owner alone."""
        made = self.administrator.post("/api/api-keys", name="operator", scopes=["rooms:manage"])
        assert made.status_code == 201, made.text
        path.touch(mode=0o600)
        path.write_text(made.json()["key"] + "\n")
        return made.json()

    def revoke_key(self, key_id: str) -> None:
        assert self.administrator.delete(f"/api/api-keys/{key_id}").status_code == 204

    def managed(self, manager: str, uid: str) -> dict | None:
        """The room of a resource."""
        answer = self.http.get(f"/api/managed-rooms/{manager}/{uid}")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_managed(self, manager: str) -> list[dict]:
        """All rooms of a manager."""
        rooms: list[dict] = []
        while True:
            after = {"after": rooms[-1]["uid"]} if rooms else {}
            answer = self.http.get(f"/api/managed-rooms/{manager}", params=after)
            assert answer.status_code == 200, answer.text
            if not answer.json():
                return rooms
            rooms += answer.json()

    def rooms(self) -> list[dict]:
        """All rooms, as the administrator sees them."""
        rooms: list[dict] = []
        while True:
            answer = self.administrator.get("/api/rooms", skip=len(rooms), limit=100, only_active=False)
            if answer.status_code == 401:
                # Signing in lasts less long than the tests.
                self.administrator.sign_in()
                continue
            assert answer.status_code == 200, answer.text
            page = answer.json()
            rooms += page
            if len(page) < 100:
                return rooms

    def _joined(self, person: Person) -> Person:
        self.people.append(person)
        return person

    def close(self) -> None:
        for person in self.people:
            person.close()
        if self.people:
            self.http.close()
        self.server.close()
