"""Rooms that a resource elsewhere describes: what an operator may rely on, and people who meet in them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import json
import threading

import httpx
import pytest

from conftest import fresh_databases
from contract.client import ROOM, TIMEOUT_S, Person, first_administrator, problem, unique_email, wait_until
from contract.policy import MANAGED
from harness.server import Server, Split

MANAGER = "6c1f9d1e-2e55-4d2c-9d0f-5f6a3a0e7c11"
KEPT = {
    "manager", "uid", "room_id", "join_url", "name", "description", "owner", "moderators", "visibility", "password_version",
    "capacity", "lobby", "slug", "opens_at", "closes_at", "participants",
}
_uids = itertools.count()


class Operator:
    """A program that keeps rooms, with a key of its own."""

    def __init__(self, administrator: Person, manager: str = MANAGER) -> None:
        made = administrator.post("/api/api-keys", name="The operator", scopes=["rooms:manage"])
        assert made.status_code == 201, made.text
        self.key_id = made.json()["id"]
        self.manager = manager
        self.http = httpx.Client(base_url=administrator.server.url, timeout=TIMEOUT_S)
        self.http.headers["authorization"] = "Bearer " + made.json()["key"]

    def path(self, uid: str) -> str:
        return f"/api/managed-rooms/{self.manager}/{uid}"

    def put(self, uid: str, owner: Person, /, **spec: object) -> httpx.Response:
        return self.http.put(self.path(uid), json={"name": "On call", "owner": owner.email} | spec)

    def keep(self, uid: str, owner: Person, /, **spec: object) -> dict:
        answer = self.put(uid, owner, **spec)
        assert answer.status_code in (200, 201), answer.text
        assert set(answer.json()) == KEPT | {"kept", "changed", "unknown_moderators"}
        assert (answer.status_code == 201) == (answer.json()["kept"] == "created")
        return answer.json()

    def get(self, uid: str) -> httpx.Response:
        return self.http.get(self.path(uid))

    def delete(self, uid: str, **query: object) -> httpx.Response:
        return self.http.delete(self.path(uid), params=query)

    @contextlib.contextmanager
    def events(self, **query: object):
        """What is heard, as `(event, id, data)`."""
        query = {"manager": self.manager} | query
        with self.http.stream("GET", "/api/managed-rooms/events", params=query, timeout=20) as answer:
            assert answer.status_code == 200 and answer.headers["content-type"] == "text/event-stream"
            yield parsed(answer.iter_lines())


def parsed(lines):
    event: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            event[name] = value.strip()
        elif not line and event:
            yield event["event"], event["id"], json.loads(event["data"])
            event = {}


def heard(events, kind: str, uid: str):
    """Waits for an event about a resource; the stream's own timeout ends the waiting."""
    return next((data, cursor) for event, cursor, data in events if event == kind and data["uid"] == uid)


@pytest.fixture
def uid():
    return f"uid-{next(_uids)}"


@pytest.fixture
def operator(administrator):
    made = Operator(administrator, manager=f"cluster-{next(_uids)}")
    yield made
    made.http.close()


def test_a_room_is_made_as_described_and_only_once(operator, people, uid):
    ann, bob = people("Ann", "Bob")
    spec = {
        "description": "The pager", "capacity": 7, "visibility": "private", "lobby": True, "moderators": [bob.email.upper()],
        "opens_at": "2030-01-01T08:00:00Z", "closes_at": "2030-01-01T09:00:00Z", "slug": f"on-call-{uid}",
    }
    made = operator.keep(uid, ann, **spec)
    assert made["kept"] == "created" and made["changed"] == [] and made["unknown_moderators"] == []
    assert (made["owner"], made["moderators"]) == (ann.email, [bob.email])
    assert {name: made[name] for name in ("description", "capacity", "visibility", "lobby", "slug")} == {
        name: spec[name] for name in ("description", "capacity", "visibility", "lobby", "slug")}
    assert made["join_url"].endswith(f"/r/{made['slug']}")
    assert made["participants"]["current"] == 0
    again = operator.keep(uid, ann, **spec)
    assert again["kept"] == "unchanged" and again["changed"] == [] and again["room_id"] == made["room_id"]
    seen = operator.get(uid).json()
    assert set(seen) == KEPT
    assert {name: seen[name] for name in KEPT - {"participants"}} == {name: made[name] for name in KEPT - {"participants"}}
    room = ann.detail(int(made["room_id"]))
    assert room["managed_by"] == operator.manager and room["my_role"] == "owner" and ROOM <= set(room)
    assert bob.detail(int(made["room_id"]))["my_role"] == "moderator"


def test_what_is_absent_is_as_in_a_new_room(operator, people, uid):
    ann = people("Ann")
    operator.keep(uid, ann, description="x", capacity=9, lobby=True, slug=f"kept-{uid}", closes_at="2030-01-01T09:00:00Z")
    plain = operator.keep(uid, ann)
    assert plain["kept"] == "updated" and set(plain["changed"]) == {"description", "capacity", "lobby", "closes_at"}
    assert (plain["description"], plain["capacity"], plain["lobby"], plain["closes_at"]) == (None, 50, False, None)
    assert plain["slug"] == f"kept-{uid}", "links that people have go on"


@pytest.mark.parametrize("how", ["made", "adopted", "adopted by force"])
def test_many_at_once_on_all_servers_make_one_room(server, operator, people, uid, how):
    ann = people("Ann")
    spec = {"capacity": 5} | ({} if how == "made" else {"adopt": str(ann.room("On call")), "force": how.endswith("force")})
    answers = []

    def ask(url: str) -> None:
        with httpx.Client(base_url=url, headers=operator.http.headers, timeout=TIMEOUT_S) as http:
            answers.append(http.put(operator.path(uid), json={"name": "On call", "owner": ann.email} | spec))

    asking = [threading.Thread(target=ask, args=(server.url,)) for _ in range(8)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201 if how == "made" else 200], [
        answer.text for answer in answers]
    assert len({answer.json()["room_id"] for answer in answers}) == 1
    kept = sorted(answer.json()["kept"] for answer in answers)
    assert kept == ["created" if how == "made" else "adopted"] + ["unchanged"] * 7
    deeds = ann.get(f"/api/rooms/{answers[0].json()['room_id']}/audit").json()
    assert [deed["action"] for deed in deeds].count("adopt_room") == (0 if how == "made" else 1)


def test_people_read_its_settings_and_change_them_no_more(operator, people, administrator, uid):
    ann, bob = people("Ann", "Bob")
    room = int(operator.keep(uid, ann)["room_id"])
    ann.join(room)
    bob.join(room)
    for person in (ann, administrator):
        for answer in (
            person.patch(f"/api/rooms/{room}", name="Mine"), person.delete(f"/api/rooms/{room}"),
            person.post(f"/api/rooms/{room}/owner", user_id=bob.id),
        ):
            assert problem(answer, 409, "managed_elsewhere")["managed_by"] == operator.manager
            assert operator.manager in answer.json()["detail"]
    problem(ann.do(room, "promote", bob), 409, "managed_elsewhere")
    problem(bob.patch(f"/api/rooms/{room}", name="Mine"), 403, "forbidden")
    allowed = set(ann.detail(room)["allowed"])
    assert not allowed & {"change_room", "delete_room", "hand_on", "promote", "demote"}
    assert {"kick", "ban", "mute", "end_meeting", "send_message"} <= allowed, "meetings go on as anywhere"
    asked = ann.get(f"/api/rooms/{room}/can-i", action="change_room").json()
    assert asked["allowed"] is False and operator.manager in asked["detail"]
    assert ann.do(room, "kick", bob).status_code == 200
    assert operator.get(uid).json()["name"] == "On call"


def test_owner_and_moderators_are_who_is_named(operator, people, uid):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = int(operator.keep(uid, ann, moderators=[bob.email])["room_id"])
    handed = operator.keep(uid, bob, moderators=[eve.email, "nobody@example.org"])
    assert set(handed["changed"]) == {"owner", "moderators"} and handed["unknown_moderators"] == ["nobody@example.org"]
    assert (handed["owner"], handed["moderators"]) == (bob.email, [eve.email])
    roles = {person.id: person.detail(room)["my_role"] for person in (ann, bob, eve)}
    assert roles == {ann.id: "participant", bob.id: "owner", eve.id: "moderator"}
    assert operator.keep(uid, bob, moderators=[eve.email])["kept"] == "unchanged"
    none = operator.keep(uid, bob)
    assert none["moderators"] == [] and none["changed"] == ["moderators"]
    # Who was banned is let in again by being named, and then is not for the owner to remove.
    assert bob.do(room, "ban", eve).status_code == 200
    named = operator.keep(uid, bob, moderators=[eve.email, eve.email.upper()])
    assert named["moderators"] == [eve.email] and named["changed"] == ["moderators"]
    assert eve.detail(room)["my_role"] == "moderator"
    for deed in ("kick", "ban"):
        problem(bob.do(room, deed, eve), 409, "managed_elsewhere")
    assert bob.do(room, "kick", ann).status_code == 200


def test_who_waits_and_is_named_a_moderator_hears_that_they_may_come_in(operator, people, uid):
    ann, bob = people("Ann", "Bob")
    room = int(operator.keep(uid, ann, lobby=True)["room_id"])
    waiting = bob.socket()
    bob.wait(room)
    operator.keep(uid, ann, lobby=True, moderators=[bob.email])
    assert waiting.receive("admitted")["room_id"] == room


def test_a_room_whose_owner_is_no_more_waits_for_what_its_manager_says(operator, administrator, people, uid):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = operator.keep(uid, ann, moderators=[bob.email])["room_id"]
    assert administrator.delete(f"/api/users/{ann.id}").status_code == 204
    wait_until(lambda: operator.get(uid).json()["owner"] is None, timeout=10)
    problem(operator.put(uid, ann), 409, "owner_not_found")
    assert operator.get(uid).json()["moderators"] == [bob.email]
    handed = operator.keep(uid, eve, moderators=[bob.email])
    assert (handed["room_id"], handed["owner"], handed["changed"]) == (room, eve.email, ["owner"])


def test_an_owner_who_is_missing_is_waited_for(operator, people, uid):
    nobody = unique_email()
    answer = operator.http.put(operator.path(uid), json={"name": "On call", "owner": nobody})
    problem(answer, 409, "owner_not_found")
    problem(operator.get(uid), 404, "room_not_found")
    late = people("Late")
    assert operator.keep(uid, late)["owner"] == late.email


def test_a_password_is_needed_once_a_version(operator, people, uid):
    ann, bob = people("Ann", "Bob")
    guarded = {"visibility": "password", "password_version": "1"}
    problem(operator.put(uid, ann, **guarded), 422, "invalid")
    room = int(operator.keep(uid, ann, password="open sesame now", **guarded)["room_id"])
    assert operator.keep(uid, ann, **guarded)["kept"] == "unchanged", "of a version that it has no password is needed"
    problem(bob.post(f"/api/rooms/{room}/join", password="another one"), 403, "wrong_password")
    assert bob.post(f"/api/rooms/{room}/join", password="open sesame now").status_code == 200
    assert bob.post(f"/api/rooms/{room}/leave").status_code == 200
    body = problem(operator.put(uid, ann, visibility="password", password_version="2"), 422, "invalid")
    assert body["errors"][0]["field"] == "password"
    turned = operator.keep(uid, ann, visibility="password", password_version="2", password="another password")
    assert turned["changed"] == ["password"] and turned["password_version"] == "2"
    problem(bob.post(f"/api/rooms/{room}/join", password="open sesame now"), 403, "wrong_password")
    assert bob.post(f"/api/rooms/{room}/join", password="another password").status_code == 200
    assert operator.keep(uid, ann)["password_version"] is None
    assert ann.detail(room)["visibility"] == "public"


@pytest.mark.parametrize("spec, field", [
    ({"name": ""}, "name"), ({"name": "x" * 256}, "name"), ({"owner": "nobody"}, "owner"), ({"capacity": 1}, "capacity"),
    ({"moderators": ["a@example.org", "nobody"]}, "moderators.1"),
    ({"moderators": [f"m{number}@example.org" for number in range(101)]}, "moderators"),
    ({"slug": "7"}, "slug"), ({"opens_at": "2030-01-01T09:00:00Z", "closes_at": "2030-01-01T08:00:00Z"}, "closes_at"),
    ({"password": "open sesame now"}, "password_version"),
    ({"password": "open sesame now", "password_version": "1"}, "password"),
    ({"visibility": "password", "password": "open sesame now"}, "password_version"),
    ({"visibility": "password", "password": "short", "password_version": "1"}, "password"),
    ({"password_version": "a b"}, "password_version"), ({"adopt": "0"}, "adopt"), ({"visibility": "secret"}, "visibility"),
])
def test_what_cannot_be_is_refused_field_by_field(operator, people, uid, spec, field):
    body = problem(operator.put(uid, people("Ann"), **spec), 422, "invalid")
    assert field in [error["field"] for error in body["errors"]], body
    problem(operator.get(uid), 404, "room_not_found")


@pytest.mark.parametrize("name", ["a%20b", "%C3%A9", "x" * 129, "%2e%2e"])
def test_a_name_that_fits_into_no_path_is_refused(operator, people, name):
    for path in (f"/api/managed-rooms/{name}/uid", f"/api/managed-rooms/cluster/{name}"):
        problem(operator.http.get(path), 422, "invalid")


def test_two_rooms_of_one_slug_are_told_apart(operator, people, uid):
    ann = people("Ann")
    ann.room(slug=f"taken-{uid}")
    problem(operator.put(uid, ann, slug=f"taken-{uid}"), 409, "slug_taken")
    problem(operator.get(uid), 404, "room_not_found")


def test_a_room_without_a_manager_is_taken_over(operator, people, uid):
    ann, bob = people("Ann", "Bob")
    room = ann.room("Weekly", slug=f"weekly-{uid}")
    ann.join(room)
    bob.join(room)
    said = ann.say(room, "before")
    adopted = operator.keep(uid, bob, adopt=str(room), name="Weekly planning")
    assert adopted["kept"] == "adopted" and adopted["room_id"] == str(room) and adopted["slug"] == f"weekly-{uid}"
    assert set(adopted["changed"]) == {"name", "owner"}
    assert adopted["moderators"] == [], "who owned it is no moderator whom nobody named"
    assert bob.get(f"/api/rooms/{room}/messages").json()["messages"][0]["id"] == said["id"]
    # What it says of a room to take over counts once.
    assert operator.keep(uid, bob, adopt="999999999", name="Weekly planning")["kept"] == "unchanged"


def test_a_room_of_another_is_taken_over_by_force_alone(operator, administrator, people, uid):
    ann = people("Ann")
    room = operator.keep(uid, ann)["room_id"]
    other = Operator(administrator, manager="another-cluster")
    body = problem(other.put(uid, ann, adopt=room), 409, "adoption_conflict")
    assert body["managed_by"] == operator.manager
    assert operator.keep(uid, ann)["kept"] == "unchanged"
    assert other.keep(uid, ann, adopt=room, force=True)["kept"] == "adopted"
    assert ann.detail(int(room))["managed_by"] == "another-cluster"
    problem(operator.get(uid), 404, "room_not_found")
    problem(other.put(uid + "-2", ann, adopt="999999999"), 404, "room_not_found")
    closed = ann.room()
    ann.delete(f"/api/rooms/{closed}")
    problem(other.put(uid + "-2", ann, adopt=str(closed), force=True), 404, "room_not_found")
    other.http.close()


def test_a_room_that_is_released_is_its_peoples_again(operator, people, uid):
    ann = people("Ann")
    room = int(operator.keep(uid, ann)["room_id"])
    assert operator.delete(uid, release=True).status_code == 204
    assert ann.detail(room)["managed_by"] is None
    assert ann.patch(f"/api/rooms/{room}", name="Mine").status_code == 200
    problem(operator.delete(uid), 404, "room_not_found")


def test_a_room_whose_resource_goes_is_closed_and_another_may_follow(operator, people, uid):
    ann = people("Ann")
    room = int(operator.keep(uid, ann, slug=f"again-{uid}")["room_id"])
    ann.join(room)
    socket = ann.socket()
    socket.subscribe(room)
    assert operator.delete(uid).status_code == 204
    assert socket.receive("room_closed")["room_id"] == room
    assert ann.detail(room)["is_active"] is False
    problem(operator.delete(uid), 404, "room_not_found")
    problem(operator.get(uid), 404, "room_not_found")
    again = operator.keep(uid, ann, slug=f"again-{uid}")
    assert again["kept"] == "created" and int(again["room_id"]) != room


def test_all_rooms_of_a_manager_are_listed_in_order(operator, people):
    ann = people("Ann")
    uids = sorted(f"listed-{number:03}" for number in range(5))
    for uid in reversed(uids):
        operator.keep(uid, ann)
    listing = operator.http.get(f"/api/managed-rooms/{operator.manager}").json()
    assert [room["uid"] for room in listing] == uids and all(set(room) == KEPT for room in listing)
    rest = operator.http.get(f"/api/managed-rooms/{operator.manager}", params={"after": uids[2]}).json()
    assert [room["uid"] for room in rest] == uids[3:]
    assert operator.http.get(f"/api/managed-rooms/{operator.manager}", params={"after": uids[-1]}).json() == []


def test_what_happens_is_heard_and_can_be_gone_on_with(operator, people, uid):
    ann = people("Ann")
    with operator.events() as events:
        event, cursor, _ = next(events)
        assert event == "reset", "who comes without a cursor lists the rooms first"
        room = int(operator.keep(uid, ann)["room_id"])
        made, _ = heard(events, "room", uid)
        assert set(made) == KEPT and made["room_id"] == str(room)
        ann.join(room)
        inside, cursor = next(
            (data, cursor) for event, cursor, data in events if event == "room" and data["participants"]["current"] == 1)
        assert inside["uid"] == uid
    # Nobody listens while this happens.
    assert operator.delete(uid).status_code == 204
    with operator.events(cursor=cursor) as events:
        first = next(events)
        assert first[0] != "reset", "the cursor is good"
        gone, _ = (first[2], first[1]) if first[0] == "gone" else heard(events, "gone", uid)
        assert gone == {"uid": uid, "room_id": str(room)}
    with operator.events(cursor="1") as events:
        assert next(events)[0] == "reset", "what happened since then is not known any more"
    with operator.events(cursor="yesterday") as events:
        assert next(events)[0] == "reset", "nobody gave that cursor"
    problem(operator.http.get("/api/managed-rooms/events", params={"manager": "a b"}), 422, "invalid")


def test_nobody_hears_of_rooms_that_are_not_theirs(operator, administrator, people, uid):
    ann = people("Ann")
    other = Operator(administrator, manager=f"other-{uid}")
    with operator.events() as events:
        next(events)
        other.keep(uid, ann)
        ann.room("Nobody's")
        operator.keep(uid + "-own", ann)
        assert next(events)[2]["uid"] == uid + "-own"
    other.http.close()


def test_a_room_that_is_anothers_now_is_gone_for_who_was_shown_it(operator, administrator, people, uid):
    ann = people("Ann")
    other = Operator(administrator, manager=f"other-{uid}")
    with operator.events() as events:
        next(events)
        room = operator.keep(uid, ann)["room_id"]
        heard(events, "room", uid)
        other.keep(uid, ann, adopt=room, force=True)
        assert heard(events, "gone", uid)[0] == {"uid": uid, "room_id": room}
    other.http.close()


@pytest.mark.parametrize("whose", ["of the same manager", "of another"])
def test_a_room_that_is_taken_is_gone_for_who_had_listed_it(operator, administrator, people, uid, whose):
    ann = people("Ann")
    other = Operator(administrator, manager=f"other-{uid}")
    taker = operator if whose == "of the same manager" else other
    room = operator.keep(uid, ann)["room_id"]
    with operator.events() as events:
        next(events)
        taker.keep(uid + "-2", ann, adopt=room, force=True)
        assert heard(events, "gone", uid)[0] == {"uid": uid, "room_id": room}
    other.http.close()


def test_a_room_that_follows_one_that_was_closed_is_not_gone(operator, people, uid):
    ann, bob = people("Ann", "Bob")
    with operator.events() as events:
        _, cursor, _ = next(events)
    first = int(operator.keep(uid, ann)["room_id"])
    bob.join(first)
    assert operator.delete(uid).status_code == 204
    again = operator.keep(uid, ann)["room_id"]
    with operator.events(cursor=cursor) as events:
        event, _, data = next(events)
        assert (event, data["room_id"]) == ("room", again)
        # Whoever was in the closed one has another name now, which is news of no room that is gone.
        assert bob.patch("/api/auth/me", display_name="Robert").status_code == 200
        members = lambda: ann.get(f"/api/rooms/{first}/participants", members=True).json()  # noqa: E731
        wait_until(lambda: "Robert" in [person["user_display_name"] for person in members()], timeout=10)
        operator.keep(uid + "-next", ann)
        while data["uid"] != uid + "-next":
            event, _, data = next(events)
            assert event == "room"


def test_a_batch_is_not_taken_for_heard_before_its_end(operator, people):
    ann = people("Ann")
    with operator.events() as events:
        _, begin, _ = next(events)
    uids = [f"batch-{number}" for number in range(4)]
    for uid in uids:
        operator.keep(uid, ann)
    with operator.events(cursor=begin) as events:
        assert next(events)[1] == begin, "who goes on from the first event hears the others, too"


@pytest.mark.parametrize("operation", MANAGED)
def test_it_is_for_keys_and_not_for_people(administrator, people, operation):
    method, path, body = MANAGED[operation]
    for person in (people("Ann"), administrator):
        problem(person.http.request(method, path, json=body), 403, "forbidden")
    with httpx.Client(base_url=administrator.server.url, timeout=TIMEOUT_S) as nobody:
        problem(nobody.request(method, path, json=body), 401, "unauthenticated")
        nobody.headers["authorization"] = "Bearer cmk_nothing"
        problem(nobody.request(method, path, json=body), 401, "invalid_token")


def test_a_key_that_is_revoked_keeps_nothing_any_more(operator, administrator, people, uid):
    ann = people("Ann")
    operator.keep(uid, ann)
    with operator.events() as events:
        next(events)
        assert administrator.delete(f"/api/api-keys/{operator.key_id}").status_code == 204
        wait_until(lambda: operator.get(uid).status_code == 401, timeout=administrator.server.bites_s + 1)
        problem(operator.put(uid, ann), 401, "invalid_token")
        # The stream ends by itself; its own timeout would be an error.
        assert all(event == "room" for event, _, _ in events)


def test_it_is_recorded_who_did_what(operator, administrator, people, uid):
    ann, bob = people("Ann", "Bob")
    room = ann.room("On call")
    operator.keep(uid, ann, adopt=str(room), capacity=5, moderators=[bob.email])
    operator.delete(uid, release=True)
    deeds = administrator.get(f"/api/rooms/{room}/audit").json()
    assert [deed["action"] for deed in deeds][:4] == ["release_room", "promote", "change_room", "adopt_room"]
    assert {(deed["actor_id"], deed["actor_name"]) for deed in deeds[:4]} == {(None, "The operator")}
    assert deeds[2]["detail"] == "capacity" and deeds[3]["detail"] == operator.manager


@pytest.mark.parametrize("layout", ["whole", "at the gateway", "at the conference"])
def test_a_server_that_stops_ends_its_streams_and_does_not_wait_for_them(postgres, layout):
    whole = layout == "whole"
    system = Server(RATE_LIMITS="off") if whole else Split(RATE_LIMITS="off", **fresh_databases(postgres))
    with system as running:
        node = running if whole else running.gateway if layout == "at the gateway" else running.conferences[0]
        administrator = first_administrator(running)
        operator = Operator(administrator)
        with operator.events() as events:
            assert next(events)[0] == "reset"
            assert node.terminate() == 0
            assert list(events) == [], "the stream has come to its end, and was not broken off"
        assert "requests were still under way" not in node.read_log()
        operator.http.close()
        administrator.close()


@pytest.mark.parametrize("release", [False, True], ids=["closed", "released"])
def test_what_comes_too_late_for_a_resource_that_is_gone_makes_no_room(operator, people, uid, release):
    """As when an operator dies with a call under way, and the next one lets the room go before that call arrives."""
    ann = people("Ann")
    operator.keep(uid, ann)
    path = f"/api/managed-rooms/{operator.manager}/{uid}"
    assert operator.http.delete(path, params={"gone": True, "release": release}).status_code == 204
    problem(operator.put(uid, ann), 410, "resource_gone")
    problem(operator.put(uid, ann, adopt=str(ann.room("Other"))), 410, "resource_gone")
    problem(operator.http.get(path), 404, "room_not_found")
    # Again, and another that never had a room: that is no fault, and counts as well.
    for one in (uid, uid + "-never"):
        answer = operator.http.delete(f"/api/managed-rooms/{operator.manager}/{one}", params={"gone": True})
        problem(answer, 404, "room_not_found")
        problem(operator.put(one, ann), 410, "resource_gone")
    # Others have nothing to do with it.
    operator.keep(uid + "-other", ann)


def test_of_a_room_and_its_resources_end_at_once_one_comes_first(operator, people, uid):
    ann = people("Ann")
    for number in range(10):
        one = f"{uid}-{number}"
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            kept = pool.submit(operator.put, one, ann)
            gone = pool.submit(operator.http.delete, f"/api/managed-rooms/{operator.manager}/{one}", params={"gone": True})
            kept, gone = kept.result().status_code, gone.result().status_code
        # Who asked first finds the room made, or closed the moment after.
        assert (kept, gone) in {(201, 204), (404, 204), (410, 404)}, (kept, gone)
        problem(operator.http.get(f"/api/managed-rooms/{operator.manager}/{one}"), 404, "room_not_found")
