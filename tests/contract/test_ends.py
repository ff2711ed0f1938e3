"""What ends, ends on every server within a second with Redis and within five without: REST and live sockets."""

from __future__ import annotations

import contextlib
import time

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from conftest import fresh_databases, fresh_redis
from contract.client import PASSWORD, Person, Socket, first_administrator, problem
from harness.server import Pair, Split

pytestmark = pytest.mark.timed


class System:
    """Every server of a system, each to be asked by itself."""

    def __init__(self, running: Pair, administrator: Person) -> None:
        self.running = running
        self.administrator = administrator
        self.bites_s = running.bites_s
        self.nodes = running.servers()
        self.with_sockets = [node for node in self.nodes if node.settings.get("ROLE") != "auth"]
        self.http = httpx.Client(timeout=5)

    def ask(self, node, token: str) -> httpx.Response:
        path = "/api/auth/me" if node.settings.get("ROLE") == "auth" else "/api/rooms"
        return self.http.get(node.url + path, headers={"authorization": token})

    def post(self, node, token: str, path: str, **body: object) -> httpx.Response:
        return self.http.post(node.url + path, headers={"authorization": token}, json=body)

    def is_over(self, token: str, sockets: list[Socket], began: float) -> None:
        """A session is over everywhere in time, and no later for those who were just believed or are connected."""
        for socket in sockets:
            assert socket.closed(timeout=began + self.bites_s - time.monotonic()) == 4401
        for node in self.nodes:
            while (answer := self.ask(node, token)).status_code == 200:
                assert time.monotonic() - began < self.bites_s, f"still believed by {node.settings.get('ROLE', 'all')}"
                time.sleep(0.02)
            problem(answer, 401, "session_over")

    def lives(self, token: str, sockets: list[Socket]) -> None:
        for node in self.nodes:
            assert self.ask(node, token).status_code == 200
        for socket in sockets:
            assert socket.ask("ping", "pong")["type"] == "pong"


@pytest.fixture(scope="module", params=["whole", "in parts", "whole with Redis", "in parts with Redis"])
def system(request, postgres):
    settings = fresh_databases(postgres) | {"RATE_LIMITS": "off"}
    if request.param.endswith("Redis"):
        settings |= fresh_redis(request.getfixturevalue("redis"))
    with Pair(**settings) if request.param.startswith("whole") else Split(each=2, auths=2, **settings) as running:
        administrator = first_administrator(running)
        yield System(running, administrator)
        administrator.close()


@pytest.fixture
def signed_in(system):
    """Signs somebody in: `(token, sockets)`, with a socket on every server, and known to all of them."""
    with contextlib.ExitStack() as stack:
        def sign_in(person: Person) -> tuple[str, list[Socket]]:
            person.sign_in()
            sockets = [Socket(node, person.ticket()) for node in system.with_sockets]
            for socket in sockets:
                stack.callback(socket.raw.close)
            token = person.http.headers["authorization"]
            system.lives(token, sockets)
            return token, sockets

        yield sign_in


@pytest.fixture
def ann(system):
    person = Person(system.running, "Ann")
    yield person
    person.close()


def test_a_logout_bites_on_every_server_in_time(system, ann, signed_in):
    kept, over = signed_in(ann), signed_in(ann)
    ticket = ann.ticket()
    began = time.monotonic()
    assert ann.post("/api/auth/logout").status_code == 204
    system.is_over(*over, began)
    for node in system.with_sockets:
        with pytest.raises(InvalidStatus, match="401"):
            Socket(node, ticket)
    system.lives(*kept)


def test_a_new_password_ends_the_other_sessions_on_every_server_in_time(system, ann, signed_in):
    others, kept = [signed_in(ann) for _ in range(2)], signed_in(ann)
    began = time.monotonic()
    assert ann.patch("/api/auth/me", password="another-good-one", current_password=PASSWORD).status_code == 200
    for other in others:
        system.is_over(*other, began)
    system.lives(*kept)


def test_who_is_deactivated_is_out_on_every_server_in_time(system, ann, signed_in):
    sessions = [signed_in(ann) for _ in range(2)]
    ticket = ann.ticket()
    began = time.monotonic()
    assert system.administrator.patch(f"/api/users/{ann.id}", is_active=False).status_code == 200
    for session in sessions:
        system.is_over(*session, began)
    for node in system.with_sockets:
        with pytest.raises(InvalidStatus, match="401"):
            Socket(node, ticket)
    problem(ann.post("/api/auth/login", email=ann.email, password=PASSWORD), 403, "account_inactive")


def test_who_administers_does_so_on_every_server_in_time(system, ann, signed_in):
    token, sockets = signed_in(ann)
    for is_admin, status in ((True, 200), (False, 403)):
        began = time.monotonic()
        assert system.administrator.patch(f"/api/users/{ann.id}", is_admin=is_admin).status_code == 200
        for socket in sockets:
            assert socket.closed(timeout=began + system.bites_s - time.monotonic()) == 1012
        for node in system.nodes:
            path = "/api/users" if node.settings.get("ROLE") == "auth" else "/api/audit"
            while system.http.get(node.url + path, headers={"authorization": token}).status_code != status:
                assert time.monotonic() - began < system.bites_s, node.settings.get("ROLE", "all")
                time.sleep(0.02)
        sockets = [Socket(node, ann.ticket()) for node in system.with_sockets]
    for socket in sockets:
        socket.raw.close()


def test_a_session_that_ends_over_any_server_ends_over_all(system, ann, signed_in):
    for node in system.nodes:
        if node.settings.get("ROLE") != "conference":
            token, sockets = signed_in(ann)
            began = time.monotonic()
            assert system.post(node, token, "/api/auth/logout").status_code == 204
            system.is_over(token, sockets, began)


def test_a_new_name_shows_on_every_server_in_time(system, ann, signed_in):
    token, sockets = signed_in(ann)
    room = ann.room()
    for socket in sockets:
        socket.subscribe(room)
    name = lambda node: [p["user_display_name"] for p in system.http.get(  # noqa: E731
        f"{node.url}/api/rooms/{room}", headers={"authorization": token}).json()["participants"]]
    assert all(name(node) == ["Ann"] for node in system.with_sockets)
    began = time.monotonic()
    assert ann.patch("/api/auth/me", display_name="Anna").status_code == 200
    for node in system.with_sockets:
        while name(node) != ["Anna"]:
            assert time.monotonic() - began < system.bites_s
            time.sleep(0.02)
    for node in system.with_sockets:
        said = system.post(node, token, f"/api/rooms/{room}/messages", content="hi").json()
        assert said["user_display_name"] == "Anna"
    system.lives(token, sockets)


def test_a_deleted_room_is_closed_on_every_server_in_time(system, ann, signed_in):
    room = ann.room()
    bob = Person(system.running, "Bob")
    bob.join(room)
    token, sockets = signed_in(bob)
    for socket in sockets:
        socket.subscribe(room)
    said = ann.say(room, "last")
    began = time.monotonic()
    assert ann.delete(f"/api/rooms/{room}").status_code == 204
    # Nobody has to have heard of it: it is the database that refuses.
    for number, socket in enumerate(sockets):
        socket.send("send", room_id=room, client_msg_id=str(number), content="too late")
    for node in system.with_sockets:
        problem(system.post(node, token, f"/api/rooms/{room}/messages", content="too late"), 409, "room_closed")
    for number, socket in enumerate(sockets):
        assert socket.receive("room_closed", timeout=began + system.bites_s - time.monotonic())["room_id"] == room
        assert socket.receive("error", "sent", client_msg_id=str(number))["code"] == "room_closed"
        assert not [frame for frame in socket.drain() if frame["type"] == "message" and frame["message"]["seq"] > said["seq"]]
    history = bob.get(f"/api/rooms/{room}/messages").json()
    assert history["total"] == said["seq"]
    bob.close()
