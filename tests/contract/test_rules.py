"""Rooms with rules over REST: settings, doors, hosts, owners, search, export and the record of deeds."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from conftest import fresh_databases, fresh_redis
from contract.client import MESSAGE, PARTICIPANT, ROOM, Person, problem
from harness.server import Pair, Server

PASSWORD = "open sesame now"
DEED = {
    "id", "at", "room_id", "action", "actor_id", "actor_name", "target_id", "detail", "result", "address", "request_id",
}


def at(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def code_of(owner, room: int) -> str:
    return owner.get(f"/api/rooms/{room}/link-code").json()["code"]


def test_a_room_is_made_and_changed_with_all_its_settings(people):
    ann = people("Ann")
    settings = {
        "description": "Mondays", "visibility": "password", "capacity": 7, "lobby": True, "slug": f"team-{ann.id}",
        "opens_at": at(hours=1), "closes_at": at(hours=2),
    }
    made = ann.post("/api/rooms", name="All", password=PASSWORD, **settings)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in settings} == settings
    assert PASSWORD not in made.text and "hash" not in made.text
    room = made.json()["id"]
    assert ann.get(f"/api/rooms/{settings['slug']}").json()["id"] == room
    change = {"description": None, "visibility": "public", "capacity": 9, "lobby": False, "slug": None, "opens_at": None,
              "closes_at": None}
    changed = ann.patch(f"/api/rooms/{room}", **change)
    assert changed.status_code == 200 and set(changed.json()) == ROOM
    assert {name: changed.json()[name] for name in change} == change
    assert ann.get(f"/api/rooms/{settings['slug']}").status_code == 404


@pytest.mark.parametrize(("field", "value"), [
    ("capacity", 1), ("capacity", 1001), ("capacity", "many"), ("slug", "ab"), ("slug", "a" * 64), ("slug", "Team"),
    ("slug", "-team"), ("slug", "team-"), ("slug", "12345"), ("slug", "admin"), ("slug", "api"), ("slug", "new"),
    ("slug", "t\u0435am"), ("visibility", "secret"), ("lobby", "yes"), ("opens_at", "tomorrow"), ("closes_at", 5),
    ("password", "short"), ("password", "password"), ("password", "long enough for a room"),
])
def test_a_setting_that_breaks_a_rule_is_refused_and_changes_nothing(people, field, value):
    ann = people("Ann")
    made = problem(ann.post("/api/rooms", name="Room", **{field: value, "visibility": value if field == "visibility" else "public"}),
                   422, "invalid")
    assert made["errors"][0]["field"] == field and made["errors"][0]["message"]
    room = ann.room()
    before = ann.detail(room)
    changed = problem(ann.patch(f"/api/rooms/{room}", **{field: value}), 422, "invalid")
    assert changed["errors"][0]["field"] == field
    assert ann.detail(room) == before


def test_settings_that_do_not_go_together_are_refused(people):
    ann = people("Ann")
    problem(ann.post("/api/rooms", name="Room", visibility="password"), 422, "invalid")
    backwards = problem(ann.post("/api/rooms", name="Room", opens_at=at(hours=2), closes_at=at(hours=1)), 422, "invalid")
    assert backwards["errors"][0]["field"] == "closes_at"
    room = ann.room(opens_at=at(hours=2))
    problem(ann.patch(f"/api/rooms/{room}", closes_at=at(hours=1)), 422, "invalid")
    problem(ann.patch(f"/api/rooms/{room}", visibility="password"), 422, "invalid")


def test_a_slug_is_taken_once_and_free_again_when_its_room_is_deleted(people):
    ann, bob = people("Ann", "Bob")
    slug = f"weekly-{ann.id}"
    room = ann.room(slug=slug)
    problem(bob.post("/api/rooms", name="Mine", slug=slug), 409, "slug_taken")
    other = bob.room()
    problem(bob.patch(f"/api/rooms/{other}", slug=slug), 409, "slug_taken")
    assert bob.post(f"/api/rooms/{slug}/join").status_code == 200
    assert ann.delete(f"/api/rooms/{slug}").status_code == 204
    assert bob.get(f"/api/rooms/{slug}").status_code == 404
    assert bob.get(f"/api/rooms/{room}").status_code == 200, "its members keep the history"
    assert bob.patch(f"/api/rooms/{other}", slug=slug).status_code == 200


def test_a_password_room_asks_for_it_and_members_come_back_without(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room(visibility="password", password=PASSWORD)
    ann.join(room)
    seen = bob.detail(room)
    assert seen["participants_count"] == 1 and seen["participants"] == [], "who is inside is for its people"
    assert room in [one["id"] for one in bob.get("/api/rooms").json()]
    problem(bob.post(f"/api/rooms/{room}/join"), 403, "password_required")
    problem(bob.post(f"/api/rooms/{room}/join", password="something else"), 403, "wrong_password")
    bob.join(room, password=PASSWORD)
    bob.join(room)
    assert len(bob.detail(room)["participants"]) == 2
    new = "another good one"
    assert ann.patch(f"/api/rooms/{room}", password=new).status_code == 200
    bob.say(room, "still here")
    bob.post(f"/api/rooms/{room}/leave")
    problem(bob.post(f"/api/rooms/{room}/join", password=PASSWORD), 403, "wrong_password")
    bob.join(room, password=new)


def test_a_private_room_is_there_for_its_people_and_who_holds_the_code(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room(visibility="private")
    answer = ann.get(f"/api/rooms/{room}/link-code").json()
    assert set(answer) == {"code", "url"} and answer["url"].endswith(f"/r/{room}#code={answer['code']}")
    for path in ("", "/participants", "/messages", "/can-i?action=join"):
        problem(bob.http.get(f"/api/rooms/{room}{path}"), 404, "room_not_found")
    assert room not in [one["id"] for one in bob.get("/api/rooms", limit=100).json()]
    problem(bob.post(f"/api/rooms/{room}/join"), 404, "room_not_found")
    problem(bob.post(f"/api/rooms/{room}/join", code="guess"), 404, "room_not_found")
    problem(bob.get(f"/api/rooms/{room}", code="guess"), 404, "room_not_found")
    seen = bob.get(f"/api/rooms/{room}", code=answer["code"]).json()
    assert (seen["id"], seen["my_role"]) == (room, None) and "join" in seen["allowed"]
    bob.join(room, code=answer["code"])
    assert room in [one["id"] for one in bob.get("/api/rooms", limit=100).json()]
    assert answer["code"] not in bob.get(f"/api/rooms/{room}").text
    problem(bob.get(f"/api/rooms/{room}/link-code"), 403, "forbidden")
    renewed = ann.post(f"/api/rooms/{room}/link-code").json()["code"]
    assert renewed != answer["code"]
    problem(eve.post(f"/api/rooms/{room}/join", code=answer["code"]), 404, "room_not_found")
    eve.join(room, code=renewed)
    bob.say(room, "members stay")
    problem(ann.post(f"/api/rooms/{ann.room()}/link-code"), 409, "not_private")


def test_before_its_time_a_room_says_when_it_opens_and_its_owner_enters(people):
    ann, bob = people("Ann", "Bob")
    opens_at = at(minutes=10)
    room = ann.room(opens_at=opens_at)
    assert problem(bob.post(f"/api/rooms/{room}/join"), 403, "not_open")["opens_at"] == opens_at
    ann.join(room)
    ann.patch(f"/api/rooms/{room}", opens_at=None)
    bob.join(room)


def test_a_full_room_takes_its_owner_and_nobody_else(people):
    ann, bob, dan, eve = people("Ann", "Bob", "Dan", "Eve")
    room = ann.room(capacity=2)
    bob.join(room)
    dan.join(room)
    problem(eve.post(f"/api/rooms/{room}/join"), 403, "room_full")
    ann.join(room)
    bob.join(room)
    assert ann.patch(f"/api/rooms/{room}", capacity=3).status_code == 200
    problem(eve.post(f"/api/rooms/{room}/join"), 403, "room_full")
    assert ann.patch(f"/api/rooms/{room}", capacity=2).status_code == 200, "who is inside stays"
    assert ann.detail(room)["participants_count"] == 3
    dan.post(f"/api/rooms/{room}/leave")
    problem(eve.post(f"/api/rooms/{room}/join"), 403, "room_full")


def test_who_is_promoted_is_a_host_until_demoted(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room()
    bob.join(room)
    eve.join(room)
    problem(bob.do(room, "mute", eve), 403, "forbidden")
    promoted = ann.do(room, "promote", bob)
    assert promoted.status_code == 200 and set(promoted.json()) == PARTICIPANT and promoted.json()["role"] == "moderator"
    assert bob.detail(room)["my_role"] == "moderator"
    muted = bob.do(room, "mute", eve).json()
    assert muted["muted_by_host"] and not muted["audio"]
    for deed in ("mute", "kick", "ban", "demote", "promote"):
        problem(bob.do(room, deed, ann), 403, "against_owner")
    assert bob.patch(f"/api/rooms/{room}", name="By Bob").json()["name"] == "By Bob"
    problem(bob.delete(f"/api/rooms/{room}"), 403, "forbidden")
    assert ann.do(room, "demote", bob).json()["role"] == "participant"
    problem(bob.do(room, "kick", eve), 403, "forbidden")
    problem(ann.do(room, "promote", people("Stranger")), 404, "person_not_in_room")


def test_a_kick_is_forgiven_and_a_ban_is_not_until_it_is_lifted(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    assert ann.do(room, "kick", bob).json()["status"] == "offline"
    problem(bob.post(f"/api/rooms/{room}/messages", content="hi"), 403, "not_member")
    bob.join(room)
    assert ann.do(room, "ban", bob).status_code == 200
    problem(bob.post(f"/api/rooms/{room}/join"), 403, "banned")
    problem(bob.post(f"/api/rooms/{room}/messages", content="hi"), 403, "not_member")
    assert [one["user_id"] for one in ann.get(f"/api/rooms/{room}/participants", banned=True).json()] == [bob.id]
    assert ann.delete(f"/api/rooms/{room}/participants/{bob.id}/ban").status_code == 200
    assert ann.delete(f"/api/rooms/{room}/participants/{bob.id}/ban").status_code == 200
    bob.join(room)


def test_a_room_is_handed_on_to_a_member(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room()
    bob.join(room)
    problem(ann.post(f"/api/rooms/{room}/owner", user_id=eve.id), 404, "person_not_in_room")
    problem(ann.post(f"/api/rooms/{room}/owner", user_id=-1), 404, "person_not_in_room")
    problem(ann.post(f"/api/rooms/{room}/owner"), 422, "invalid")
    answer = ann.post(f"/api/rooms/{room}/owner", user_id=bob.id)
    assert answer.status_code == 200 and answer.json()["owner_id"] == bob.id and answer.json()["my_role"] == "moderator"
    problem(ann.delete(f"/api/rooms/{room}"), 403, "forbidden")
    members = {one["user_id"]: one["role"] for one in ann.get(f"/api/rooms/{room}/participants", members=True).json()}
    assert members == {ann.id: "moderator", bob.id: "owner"}
    assert bob.delete(f"/api/rooms/{room}").status_code == 204


def test_a_room_that_is_past_its_end_is_read_and_no_more(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    bob.say(room, "last words")
    ended = ann.patch(f"/api/rooms/{room}", closes_at=at(seconds=-1))
    assert ended.status_code == 200 and ended.json()["participants_count"] == 0 and ended.json()["is_active"]
    for person in (ann, bob):
        problem(person.post(f"/api/rooms/{room}/join"), 409, "room_closed")
        problem(person.post(f"/api/rooms/{room}/messages", content="late"), 409, "room_closed")
    assert bob.get(f"/api/rooms/{room}/messages").json()["total"] == 1
    assert ann.patch(f"/api/rooms/{room}", closes_at=None).status_code == 200
    bob.join(room)


def test_a_moderator_deletes_what_others_wrote(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room()
    bob.join(room)
    eve.join(room)
    message = eve.say(room, "rude")["id"]
    problem(bob.delete(f"/api/rooms/{room}/messages/{message}"), 403, "forbidden")
    ann.do(room, "promote", bob)
    assert bob.delete(f"/api/rooms/{room}/messages/{message}").status_code == 204
    [left] = eve.get(f"/api/rooms/{room}/messages").json()["messages"]
    assert left["content"] == "" and left["deleted_at"] and left["seq"] == 1


def test_a_search_finds_what_was_said(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    for text in ("Отчёт готов", "nothing", "где ОТЧЁТ?", "100% sure_", "ещё один отчёт"):
        ann.say(room, text)
    def found(**query):
        answer = ann.get(f"/api/rooms/{room}/messages", **query)
        assert answer.status_code == 200, answer.text
        assert all(set(message) == MESSAGE for message in answer.json()["messages"])
        assert answer.json()["total"] == 5
        return [message["seq"] for message in answer.json()["messages"]]
    assert found(query="отчёт") == [1, 3, 5]
    assert found(query="ОТЧЁТ", limit=2) == [3, 5]
    assert found(query="отчёт", before_seq=5) == [1, 3]
    assert found(query="отчёт", after_seq=1, limit=1) == [3]
    assert found(query="% SURE_") == [4]
    assert found(query="\x00") == []
    assert found(query="") == [1, 2, 3, 4, 5]
    problem(ann.get(f"/api/rooms/{room}/messages", query="x" * 256), 422, "invalid")
    problem(bob.get(f"/api/rooms/{room}/messages", query="отчёт"), 403, "not_member")


def test_a_whole_history_is_taken_along_in_three_forms(people):
    ann, bob = people("Ann", "Bob <b>")
    room = ann.room("Club <i>")
    bob.join(room)
    for number in range(3):
        ann.say(room, f"line {number}\nand more")
    gone = bob.say(room, "<script>alert(1)</script>")
    last = bob.say(room, "to be deleted")
    bob.delete(f"/api/rooms/{room}/messages/{last['id']}")
    problem(bob.get(f"/api/rooms/{room}/export"), 403, "forbidden")
    problem(ann.get(f"/api/rooms/{room}/export", format="pdf"), 422, "invalid")
    answer = ann.get(f"/api/rooms/{room}/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="room-{room}.json"'
    whole = json.loads(answer.text)
    assert whole["room"]["id"] == room and [one["seq"] for one in whole["messages"]] == [1, 2, 3, 4, 5]
    assert whole["messages"][4]["content"] == "" and set(whole["messages"][0]) == MESSAGE
    text = ann.get(f"/api/rooms/{room}/export", format="txt").text
    assert len(re.findall(r"^\d{4}-\d\d-\d\dT\S+Z ", text, re.M)) == 5 and "\n    and more\n" in text
    assert "to be deleted" not in text
    page = ann.get(f"/api/rooms/{room}/export", format="html")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>" not in page.text and "&lt;script&gt;" in page.text and "Bob &lt;b&gt;" in page.text
    assert gone["content"] not in page.text
    empty = ann.room()
    assert json.loads(ann.get(f"/api/rooms/{empty}/export").text)["messages"] == []


def test_deeds_are_told_to_the_owner_and_all_to_administrators(people, administrator):
    ann, bob = people("Ann", "Bob")
    room = ann.room("Recorded")
    bob.join(room)
    ann.say(room, "nobody's business")
    bob.do(room, "kick", ann)
    answer = ann.http.post(f"/api/rooms/{room}/participants/{bob.id}/ban", headers={"x-request-id": "my-request-7"})
    assert answer.status_code == 200
    ann.patch(f"/api/rooms/{room}", description="secret plans", capacity=5)
    problem(bob.get(f"/api/rooms/{room}/audit"), 403, "forbidden")
    deeds = ann.get(f"/api/rooms/{room}/audit").json()
    assert all(set(deed) == DEED for deed in deeds)
    assert [(deed["action"], deed["result"]) for deed in deeds] == [
        ("read_audit", "forbidden"), ("change_room", "done"), ("ban", "done"), ("kick", "forbidden"), ("create_room", "done"),
    ]
    ban = deeds[2]
    assert (ban["actor_id"], ban["actor_name"], ban["target_id"]) == (ann.id, "Ann", bob.id)
    assert (ban["request_id"], ban["address"], ban["room_id"]) == ("my-request-7", "127.0.0.1", room)
    assert deeds[1]["detail"] == "description, capacity"
    assert "business" not in json.dumps(deeds) and "plans" not in json.dumps(deeds)
    older = ann.get(f"/api/rooms/{room}/audit", before_id=ban["id"], limit=1).json()
    assert [deed["action"] for deed in older] == ["kick"]
    for query in ({"limit": 0}, {"limit": 201}, {"before_id": 0}):
        problem(ann.get(f"/api/rooms/{room}/audit", **query), 422, "invalid")
    assert {deed["id"] for deed in deeds} <= {deed["id"] for deed in administrator.get("/api/audit", limit=200).json()}


def test_what_was_refused_is_recorded_too(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room(visibility="private")
    bob.join(room, code=ann.get(f"/api/rooms/{room}/link-code").json()["code"])
    said = ann.say(room, "mine")
    path = f"/api/rooms/{room}/messages/{said['id']}"
    for answer in (
        bob.patch(path, content="not mine"), bob.delete(path), bob.get(f"/api/rooms/{room}/link-code"),
        bob.get(f"/api/rooms/{room}/participants", banned=True), bob.get(f"/api/rooms/{room}/export"),
    ):
        problem(answer, 403, "forbidden")
    refused = [deed["action"] for deed in ann.get(f"/api/rooms/{room}/audit").json() if deed["result"] == "forbidden"]
    assert refused == ["export", "see_bans", "read_link_code", "delete_message", "edit_message"]


def test_a_long_history_is_taken_along_whole(people):
    ann = people("Ann")
    room = ann.room()
    ann.join(room)
    # More than the server reads at once.
    count = 2100
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda number: ann.say(room, f"line {number}"), range(count)))
    messages = json.loads(ann.get(f"/api/rooms/{room}/export").text)["messages"]
    assert [message["seq"] for message in messages] == list(range(1, count + 1))
    assert {message["content"] for message in messages} == {f"line {number}" for number in range(count)}
    for form in ("txt", "html"):
        told = re.findall(r"line \d+", ann.get(f"/api/rooms/{room}/export", format=form).text)
        assert told == [message["content"] for message in messages], form


def test_a_room_is_active_when_something_happens_in_it(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    seen = [ann.detail(room)["last_activity_at"]]
    for happens in (lambda: bob.join(room), lambda: ann.say(room, "hello"), lambda: ann.patch(f"/api/rooms/{room}", name="New")):
        happens()
        seen.append(ann.detail(room)["last_activity_at"])
    assert seen == sorted(set(seen)), seen
    assert ann.get("/api/rooms").json()[0]["last_activity_at"] == seen[-1]


def test_at_the_door_it_is_said_what_decides(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room()

    def decides(person, **more):
        answer = person.get(f"/api/rooms/{room}/can-i", action="join", **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["allowed"], answer.json()["rule"]

    assert decides(bob) == (True, "join.anybody.open")
    bob.join(room)
    ann.do(room, "ban", bob)
    assert decides(bob) == (False, "join.ban")
    ann.patch(f"/api/rooms/{room}", visibility="password", password=PASSWORD)
    assert decides(eve) == (False, "join.password")
    ann.patch(f"/api/rooms/{room}", opens_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert decides(eve) == (False, "join.opens_at")
    assert decides(ann) == (True, "join.anybody.open")
    ann.patch(f"/api/rooms/{room}", opens_at=None, visibility="private")
    problem(eve.get(f"/api/rooms/{room}/can-i", action="join"), 404, "room_not_found")
    code = ann.get(f"/api/rooms/{room}/link-code").json()["code"]
    assert decides(eve, code=code) == (True, "join.anybody.open")
    ann.patch(f"/api/rooms/{room}", capacity=2)
    dan = people("Dan")
    for person in (ann, dan):
        person.join(room, code=code)
    assert decides(eve, code=code) == (False, "join.capacity")
    over = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    ann.patch(f"/api/rooms/{room}", closes_at=over)
    assert decides(ann) == (False, "join.anybody.open")


def test_an_administrator_hands_on_a_room_of_somebody_else(people, administrator):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    assert administrator.post(f"/api/rooms/{room}/owner", user_id=bob.id).status_code == 200
    assert bob.detail(room)["my_role"] == "owner"


def test_passwords_and_codes_are_not_guessed_fast():
    with Server() as server:
        ann, bob = Person(server, "Ann"), Person(server, "Bob")
        guarded, hidden = ann.room(visibility="password", password=PASSWORD), ann.room(visibility="private")
        answers = [bob.post(f"/api/rooms/{guarded}/join", password=f"guess number {n}").status_code for n in range(11)]
        assert answers == [403] * 10 + [429]
        problem(bob.post(f"/api/rooms/{guarded}/join", password=PASSWORD), 429, "rate_limited")
        answers = [bob.get(f"/api/rooms/{hidden}", code=f"guess {n}").status_code for n in range(11)]
        assert answers == [404] * 10 + [429]
        dan = Person(server, "Dan")
        answers = [dan.get("/api/rooms/987654", code=f"guess {n}").status_code for n in range(11)]
        assert answers == [404] * 10 + [429], "one room that is not there is like another"
        answers = [dan.get(f"/api/rooms/{room}", code="guess").status_code for room in range(1000, 1021)]
        assert answers == [404] * 20 + [429], "nor are guesses spread over rooms"
        for slug in (f"taken-{ann.id}", "not-taken"):
            ann.patch(f"/api/rooms/{guarded}", slug=f"taken-{ann.id}")
            assert httpx.get(f"{server.url}/api/rooms/{slug}").status_code == 401
        eve = Person(server, "Eve")
        for _ in range(12):
            eve.join(guarded, password=PASSWORD)
            eve.post(f"/api/rooms/{guarded}/leave")
        for person in (ann, bob, dan, eve):
            person.close()


def test_guesses_are_counted_by_address_too():
    with Server() as server:
        ann = Person(server, "Ann")
        rooms = [ann.room(visibility="password", password=PASSWORD) for _ in range(2)]
        guessers = [Person(server, f"Guesser {number}") for number in range(13)]
        began = time.monotonic()
        answers = [
            guesser.post(f"/api/rooms/{room}/join", password="a wrong guess").status_code
            for guesser in guessers for room in rooms for _ in range(5)
        ]
        assert answers[:100] == [403] * 100
        # One more every six seconds.
        assert 100 <= answers.count(403) <= 101 + (time.monotonic() - began) / 6, answers
        assert answers.count(403) + answers.count(429) == len(answers)
        for person in (ann, *guessers):
            person.close()


def test_guesses_are_counted_for_all_servers_together(postgres, redis):
    with Pair(**fresh_databases(postgres), **fresh_redis(redis)) as pair:
        ann, bob = Person(pair, "Ann"), Person(pair, "Bob")
        room = ann.room(visibility="password", password=PASSWORD)
        answers = [
            httpx.post(f"{server.url}/api/rooms/{room}/join", json={"password": "a wrong guess"},
                       headers={"authorization": bob.http.headers["authorization"]}).status_code
            for _ in range(6) for server in pair.servers()
        ]
        assert answers == [403] * 10 + [429] * 2
        for person in (ann, bob):
            person.close()
