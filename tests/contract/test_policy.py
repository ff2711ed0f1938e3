"""The table of rules: every operation and every frame, by everybody, in rooms of every state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from contract.client import Person
from contract.policy import DOORS, ELSEWHERE, FRAMES, FRAMES_ELSEWHERE, OPERATIONS, RULES, may

SUBJECTS = ["anonymous", "machine", "stranger", "banned", "waiting", "member", "moderator", "owner", "administrator"]
STATES = ["public", "private", "over", "deleted"]
# Whoever is nobody signs in first; whoever is a program has a key for other things.
NO_PERSON = {"anonymous": 401, "machine": 403}
METHODS = ["get", "post", "put", "patch", "delete"]
# What leaves everybody in their place.
HARMLESS = {"markRead", "sendMessage", "editMessage"}
REFUSALS = {"not_member", "forbidden", "room_not_found", "room_closed", "banned", "not_in_room"}


class Cast:
    """Everybody who plays in the rooms of this test, signed in once."""

    def __init__(self, server, administrator: Person) -> None:
        names = ["owner", "moderator", "member", "stranger", "banned", "waiting", "extra", "sent away", "waits too"]
        self.people = {name: Person(server, name.title()) for name in names} | {"administrator": administrator}
        # A connection of its own for each request: one that nobody uses for long is closed.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.nobody, self.machine = (httpx.Client(base_url=server.url, timeout=5, limits=limits) for _ in range(2))
        key = administrator.post("/api/api-keys", name="A machine", scopes=["rooms:manage"])
        assert key.status_code == 201, key.text
        self.machine.headers["authorization"] = "Bearer " + key.json()["key"]

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def http(self, subject: str) -> httpx.Client:
        if subject == "anonymous":
            return self.nobody
        if subject == "machine":
            return self.machine
        return self.people[subject].http

    def close(self) -> None:
        for name, person in self.people.items():
            # The administrator is everybody's.
            if name != "administrator":
                person.close()
        self.nobody.close()
        self.machine.close()


class Stage:
    """A room in a state, with everybody in their place."""

    def __init__(self, cast: Cast, state: str) -> None:
        owner = cast["owner"]
        self.room = owner.room("Policy", visibility="private")
        code = {"code": owner.get(f"/api/rooms/{self.room}/link-code").json()["code"]}
        owner.join(self.room)
        for name in ("moderator", "member", "extra", "banned", "sent away"):
            cast[name].join(self.room, **code)
        assert owner.do(self.room, "promote", cast["moderator"]).status_code == 200
        messages = {name: cast[name].say(self.room, "hello")["id"] for name in ("owner", "moderator", "member", "extra")}
        for name in ("banned", "sent away"):
            assert owner.do(self.room, "ban", cast[name]).status_code == 200
        owner.patch(f"/api/rooms/{self.room}", lobby=True)
        for name in ("waiting", "waits too"):
            assert cast[name].post(f"/api/rooms/{self.room}/join", **code).status_code == 202
        if state != "private":
            assert owner.patch(f"/api/rooms/{self.room}", visibility="public").status_code == 200
        if state == "over":
            before = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
            assert owner.patch(f"/api/rooms/{self.room}", closes_at=before).status_code == 200
        if state == "deleted":
            assert owner.delete(f"/api/rooms/{self.room}").status_code == 204
        self.names = {
            "room": self.room, "member": cast["extra"].id, "waiting": cast["waits too"].id, "banned": cast["sent away"].id,
        }
        self.messages = messages

    def ask(self, cast: Cast, subject: str, operation: str) -> httpx.Response:
        _, method, path, body = OPERATIONS[operation]
        names = self.names | {"own": self.messages.get(subject, self.messages["extra"]), "others": self.messages["extra"]}
        if body is not None:
            body = {name: names[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value
                    for name, value in body.items()}
        return cast.http(subject).request(method, path.format(**names), json=body)


@pytest.fixture(scope="module")
def cast(server, administrator):
    made = Cast(server, administrator)
    yield made
    made.close()


def is_refused(answer: httpx.Response) -> bool:
    if answer.status_code == 401:
        return True
    return answer.status_code in (403, 404, 409) and answer.json()["code"] in REFUSALS


def expects_refusal_of_state(operation: str, state: str) -> bool:
    # Neither is a matter of who asks: only private rooms have a link, and nobody waits before a room that is over.
    return operation in ("readLinkCode", "renewLinkCode") and state != "private" or \
        operation == "admitParticipant" and state == "over"


def test_every_operation_and_every_frame_is_in_the_table(server):
    description = httpx.get(server.url + "/openapi.json").json()
    told = {operation["operationId"] for path in description["paths"].values()
            for method, operation in path.items() if method in METHODS}
    assert told == {name.split()[0] for name in OPERATIONS} | ELSEWHERE
    frames = {variant["properties"]["type"]["const"] for variant in description["components"]["schemas"]["ClientFrame"]["oneOf"]}
    assert frames == set(FRAMES) | FRAMES_ELSEWHERE
    assert {action for action, *_ in OPERATIONS.values()} | {"see_lobby"} == set(RULES)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_everybody_may_exactly_what_the_table_says(cast, subject, state):
    if subject == "waiting" and state in ("over", "deleted"):
        # An ended meeting empties its lobby: nobody is this any more.
        subject = "stranger"
    refused = [name for name, (action, *_) in OPERATIONS.items() if not may(subject, action, state)]
    shared = Stage(cast, state)
    for operation in refused:
        answer = shared.ask(cast, subject, operation)
        assert is_refused(answer), (operation, answer.status_code, answer.text)
        if subject in NO_PERSON:
            assert answer.status_code == NO_PERSON[subject], operation
        elif not may(subject, "see_room", state) and operation != "leaveRoom":
            known = operation == "joinRoom" and subject == "banned"
            assert known or (answer.status_code, answer.json()["code"]) == (404, "room_not_found"), operation
    for operation, (_, method, *_) in OPERATIONS.items():
        if operation in refused:
            continue
        stage = shared if method == "GET" or operation in HARMLESS else Stage(cast, state)
        answer = stage.ask(cast, subject, operation)
        if expects_refusal_of_state(operation, state):
            assert answer.status_code == 409 and answer.json()["code"] in ("not_private", "not_waiting"), answer.text
        else:
            assert answer.is_success, (operation, answer.status_code, answer.text)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("subject", [subject for subject in SUBJECTS if subject not in ("anonymous", "machine")])
def test_the_server_says_beforehand_what_one_may(cast, subject, state):
    stage = Stage(cast, state)
    if subject == "waiting" and state in ("over", "deleted"):
        subject = "stranger"
    person = cast[subject]
    detail = person.get(f"/api/rooms/{stage.room}")
    if not may(subject, "see_room", state):
        assert detail.status_code == 404
        assert person.get(f"/api/rooms/{stage.room}/can-i", action="join").status_code == 404
        return
    listed = set(detail.json()["allowed"])
    # The end of a meeting empties its lobby.
    sees_lobby = may(subject, "see_lobby", state) and state in ("public", "private")
    assert {one["user_id"] for one in detail.json()["waiting"]} == (
        {cast["waiting"].id, cast["waits too"].id} if sees_lobby else set()
    )
    for action in RULES:
        answer = person.get(f"/api/rooms/{stage.room}/can-i", action=action).json()
        assert set(answer) == {"allowed", "rule", "detail"} and answer["rule"].split(".")[0] == action and answer["detail"]
        assert answer["allowed"] == may(subject, action, state), (action, answer)
        # The door looks at more than who asks.
        if action != "join":
            assert (action in listed) == answer["allowed"], action


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_door_lets_in_whom_the_table_says(cast, subject, door):
    stage = Stage(cast, "public")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    settings = {
        "not_open": {"opens_at": later}, "password": {"visibility": "password", "password": "open sesame now"},
        "full": {"capacity": 2, "lobby": False},
    }
    assert cast["owner"].patch(f"/api/rooms/{stage.room}", **settings[door]).status_code == 200
    enters, decided_by = DOORS[door]
    answer = stage.ask(cast, subject, "joinRoom")
    if subject in NO_PERSON:
        assert answer.status_code == NO_PERSON[subject]
        return
    said = cast[subject].get(f"/api/rooms/{stage.room}/can-i", action="join").json()
    if subject == "banned":
        assert (answer.json()["code"], said["rule"]) == ("banned", "join.ban")
        return
    assert (answer.is_success, said["allowed"]) == (subject in enters,) * 2, (answer.text, said)
    assert said["rule"] == ("join.anybody.open" if subject in enters else f"join.{decided_by}")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_one_wrote_is_ones_own(cast, subject):
    stage = Stage(cast, "public")
    path = f"/api/rooms/{stage.room}/messages"
    others = cast.http(subject).patch(f"{path}/{stage.messages['extra']}", json={"content": "not mine"})
    assert is_refused(others), others.text
    if subject in stage.messages:
        assert cast.http(subject).delete(f"{path}/{stage.messages[subject]}").status_code == 204


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("subject", [subject for subject in SUBJECTS if subject not in ("anonymous", "machine")])
def test_a_socket_obeys_by_the_same_table(cast, subject, state):
    stage = Stage(cast, state)
    if subject == "waiting" and state in ("over", "deleted"):
        subject = "stranger"
    with_socket = cast[subject].socket()
    for kind, (action, answer, members) in FRAMES.items():
        allowed = may(subject, action, state)
        if kind == "typing" and allowed:
            listener = cast["extra"].socket()
            listener.subscribe(stage.room)
            with_socket.send("typing", room_id=stage.room)
            assert listener.receive("typing")["user_id"] == cast[subject].id
            listener.raw.close()
            continue
        if kind == "unsubscribe" and not allowed:
            assert with_socket.ask(kind, answer, room_id=stage.room)["code"] == "not_subscribed"
            continue
        got = with_socket.ask(kind, answer, room_id=stage.room, **members)
        assert (got["type"] == answer) == allowed, (kind, got)
        if not allowed:
            assert got["code"] in REFUSALS, (kind, got)
    with_socket.raw.close()


def test_the_record_of_all_rooms_is_for_administrators(cast):
    assert cast["administrator"].get("/api/audit").status_code == 200
    assert cast["owner"].get("/api/audit").status_code == 403
    assert cast.http("anonymous").get("/api/audit").status_code == 401


def test_an_unknown_action_is_refused_with_those_there_are(cast):
    room = cast["owner"].room()
    answer = cast["owner"].get(f"/api/rooms/{room}/can-i", action="fly")
    assert answer.status_code == 422 and "kick" in answer.text
    missing = cast["owner"].get(f"/api/rooms/{room}/can-i")
    assert missing.status_code == 422 and missing.json()["errors"][0]["field"] == "action"
