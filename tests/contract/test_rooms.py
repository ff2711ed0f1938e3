"""Rooms and membership over REST."""

import re

import pytest

from contract.client import PARTICIPANT, ROOM, problem

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
IMPOSSIBLE = ["0", "-1", "1.5", "abc", "9223372036854775808", "99999999999999999999999", "%20", "1%00", "999999999"]


def test_a_new_room_is_its_creators(people):
    ann = people("Ann")
    answer = ann.post("/api/rooms", name="  Планёрка 😀 ", description="Mondays\nat ten", unknown=True)
    assert answer.status_code == 201
    room = answer.json()
    assert set(room) == ROOM
    assert (room["name"], room["description"]) == ("Планёрка 😀", "Mondays\nat ten")
    assert (room["owner_id"], room["my_role"], room["is_active"]) == (ann.id, "owner", True)
    assert (room["visibility"], room["capacity"], room["lobby"]) == ("public", 50, False)
    assert (room["last_seq"], room["unread"], room["participants_count"]) == (0, 0, 0)
    assert all(room[name] is None for name in ("slug", "opens_at", "closes_at", "managed_by"))
    assert TIME.fullmatch(room["created_at"]) and TIME.fullmatch(room["last_activity_at"])
    ann.say(room["id"], "the creator is a member")


@pytest.mark.parametrize("body", [
    {}, {"name": None}, {"name": 1}, {"name": ""}, {"name": "   "}, {"name": "x" * 256}, {"name": "a\x00"},
    {"name": "a\u202e"}, {"name": "a\nb"}, {"name": "\u200b"},
])
def test_a_name_that_breaks_a_rule_is_refused(people, body):
    answer = people("Ann").http.post("/api/rooms", json=body)
    assert problem(answer, 422, "invalid")["errors"][0]["field"] == "name"


def test_a_name_may_have_255_characters(people):
    assert people("Ann").post("/api/rooms", name="😀" * 255).json()["name"] == "😀" * 255


def test_rooms_are_listed_newest_first_in_pages(people):
    ann = people("Ann")
    made = [ann.room(f"Listed {number}") for number in range(5)][::-1]
    listed = ann.get("/api/rooms", limit=100).json()
    assert all(set(room) == ROOM for room in listed)
    ids = [room["id"] for room in listed]
    assert ids == sorted(ids, reverse=True) and set(made) <= set(ids)
    pages = [room["id"] for skip in (0, 2, 4) for room in ann.get("/api/rooms", limit=2, skip=skip).json()]
    assert pages[:5] == ids[:5]
    assert len(ann.get("/api/rooms").json()) <= 20
    assert ann.get("/api/rooms", skip=10_000_000).json() == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "skip=-1", "skip=x", "only_active=maybe",
                                   "limit=99999999999999999999", "query=" + 256 * "_"])
def test_a_list_query_out_of_range_is_refused(people, query):
    body = problem(people("Ann").http.get("/api/rooms?" + query), 422, "invalid")
    assert body["errors"][0]["field"] == query.split("=")[0]


def test_a_search_finds_parts_without_regard_to_case(people):
    ann = people("Ann")
    room = ann.room("Обсуждение 100%_\\ готово", description="Särskilt")
    for query in ("обсуждение", "100%_\\", "särSKILT"):
        assert room in [found["id"] for found in ann.get("/api/rooms", query=query).json()], query
    assert ann.get("/api/rooms", query="there is no such room anywhere").json() == []
    assert ann.get("/api/rooms", query="\x00").json() == []


def test_detail_shows_who_is_inside(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    detail = ann.detail(room)
    assert set(detail) == ROOM | {"participants", "waiting", "allowed"}
    [inside] = detail["participants"]
    assert set(inside) == PARTICIPANT
    assert (inside["user_id"], inside["user_display_name"], inside["status"]) == (bob.id, "Bob", "in_call")
    assert (inside["is_owner"], inside["role"], inside["leave_time"]) == (False, "participant", None)
    assert not any(inside[name] for name in ("audio", "video", "screen", "hand", "muted_by_host"))
    assert detail["participants_count"] == 1


@pytest.mark.parametrize("room", IMPOSSIBLE)
def test_a_room_that_cannot_be_is_a_404(people, room):
    ann = people("Ann")
    for answer in (
        ann.get(f"/api/rooms/{room}"), ann.patch(f"/api/rooms/{room}", name="x"), ann.delete(f"/api/rooms/{room}"),
        ann.post(f"/api/rooms/{room}/join"), ann.post(f"/api/rooms/{room}/leave"),
        ann.get(f"/api/rooms/{room}/messages"), ann.post(f"/api/rooms/{room}/messages", content="x"),
        ann.post(f"/api/rooms/{room}/read", seq=1),
    ):
        problem(answer, 404, "room_not_found")


def test_only_its_owner_changes_a_room(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room("Old", description="old")
    bob.join(room)
    problem(bob.patch(f"/api/rooms/{room}", name="New"), 403, "forbidden")
    answer = ann.patch(f"/api/rooms/{room}", name=" New ")
    assert answer.status_code == 200 and set(answer.json()) == ROOM
    assert (answer.json()["name"], answer.json()["description"]) == ("New", "old")
    assert ann.patch(f"/api/rooms/{room}", description=None).json()["description"] is None
    assert ann.patch(f"/api/rooms/{room}").status_code == 200
    problem(ann.patch(f"/api/rooms/{room}", name=""), 422, "invalid")
    problem(ann.patch(f"/api/rooms/{room}", description="x" * 2001), 422, "invalid")


def test_a_deleted_room_keeps_its_history_for_its_members(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room()
    bob.join(room)
    bob.say(room, "before")
    problem(bob.delete(f"/api/rooms/{room}"), 403, "forbidden")
    assert ann.delete(f"/api/rooms/{room}").status_code == 204
    assert ann.delete(f"/api/rooms/{room}").status_code == 204
    detail = bob.detail(room)
    assert (detail["is_active"], detail["participants"], detail["participants_count"]) == (False, [], 0)
    assert [m["content"] for m in bob.get(f"/api/rooms/{room}/messages").json()["messages"]] == ["before"]
    problem(bob.post(f"/api/rooms/{room}/messages", content="after"), 409, "room_closed")
    problem(bob.post(f"/api/rooms/{room}/join"), 409, "room_closed")
    problem(ann.patch(f"/api/rooms/{room}", name="x"), 409, "room_closed")
    for answer in (eve.get(f"/api/rooms/{room}"), eve.post(f"/api/rooms/{room}/join"), eve.delete(f"/api/rooms/{room}")):
        problem(answer, 404, "room_not_found")
    assert room not in [found["id"] for found in bob.get("/api/rooms", limit=100).json()]
    assert room in [found["id"] for found in bob.get("/api/rooms", limit=100, only_active="false").json()]
    assert room not in [found["id"] for found in eve.get("/api/rooms", limit=100, only_active="false").json()]


def test_joining_is_idempotent_and_one_row_a_person(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    first = bob.post(f"/api/rooms/{room}/join")
    assert first.status_code == 200 and set(first.json()) == {"message", "participant_id", "room_id"}
    assert first.json()["room_id"] == room
    assert bob.post(f"/api/rooms/{room}/join").json() == first.json()
    assert bob.http.post(f"/api/rooms/{room}/join").status_code == 200, "the body may be absent"
    assert len(ann.detail(room)["participants"]) == 1
    assert bob.detail(room)["my_role"] == "participant"


def test_leaving_ends_membership_and_leaving_twice_is_a_404(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    joined = bob.post(f"/api/rooms/{room}/join").json()
    before = ann.detail(room)["participants"][0]["version"]
    answer = bob.http.post(f"/api/rooms/{room}/leave")
    assert answer.status_code == 200 and set(answer.json()) == {"message"}
    problem(bob.post(f"/api/rooms/{room}/leave"), 404, "not_in_room")
    assert (ann.detail(room)["participants"], bob.detail(room)["my_role"]) == ([], None)
    problem(bob.get(f"/api/rooms/{room}/messages"), 403, "not_member")
    problem(bob.post(f"/api/rooms/{room}/messages", content="x"), 403, "not_member")
    assert bob.post(f"/api/rooms/{room}/join").json() == joined
    assert ann.detail(room)["participants"][0]["version"] > before


def test_the_owner_who_leaves_stays_the_owner(people):
    ann = people("Ann")
    room = ann.room()
    assert ann.post(f"/api/rooms/{room}/leave").status_code == 200
    assert ann.detail(room)["my_role"] == "owner"
    problem(ann.get(f"/api/rooms/{room}/messages"), 403, "not_member")
    assert ann.patch(f"/api/rooms/{room}", name="Still mine").status_code == 200
    ann.join(room)
    assert ann.detail(room)["participants"][0]["is_owner"] is True


def test_unread_counts_what_others_said_since(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    for number in range(3):
        ann.say(room, f"news {number}")

    def unread(person):
        [listed] = [found for found in person.get("/api/rooms", limit=100).json() if found["id"] == room]
        return listed["unread"]

    assert (unread(ann), unread(bob)) == (0, 3)
    assert bob.post(f"/api/rooms/{room}/read", seq=2).status_code == 204
    assert unread(bob) == 1
    assert bob.post(f"/api/rooms/{room}/read", seq=1).status_code == 204
    assert unread(bob) == 1
    assert bob.post(f"/api/rooms/{room}/read", seq=9_000_000_000).status_code == 204
    assert unread(bob) == 0
    problem(bob.post(f"/api/rooms/{room}/read", seq=-1), 422, "invalid")
    problem(bob.post(f"/api/rooms/{room}/read"), 422, "invalid")
