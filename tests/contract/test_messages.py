"""Messages over REST."""

import concurrent.futures

import pytest

from contract.client import MESSAGE, problem


@pytest.fixture
def room(people):
    """A room of Ann's in which Bob is too: `(ann, bob, room)`."""
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    return ann, bob, room


def page(person, room, **params):
    answer = person.get(f"/api/rooms/{room}/messages", **params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"messages", "total"}
    return [message["seq"] for message in body["messages"]], body["total"]


def test_a_message_is_stored_and_given_back_as_sent(room):
    ann, bob, room = room
    sent = bob.say(room, " two\nlines 😀 ", client_msg_id="x-1", more=1)
    assert set(sent) == MESSAGE
    assert (sent["content"], sent["seq"], sent["client_msg_id"]) == (" two\nlines 😀 ", 1, "x-1")
    assert (sent["room_id"], sent["user_id"], sent["user_display_name"], sent["is_owner"]) == (room, bob.id, "Bob", False)
    assert (sent["reply_to"], sent["edited_at"], sent["deleted_at"]) == (None, None, None)
    assert ann.get(f"/api/rooms/{room}/messages").json() == {"messages": [sent], "total": 1}
    assert ann.say(room, "from the owner")["is_owner"] is True


@pytest.mark.parametrize("content", ["x", "😀" * 2000, "\u202eleft", "'; DROP TABLE messages; --", "<script>", "null"])
def test_any_text_of_1_to_2000_characters_is_taken(room, content):
    ann, _, room = room
    assert ann.say(room, content)["content"] == content


@pytest.mark.parametrize("body", [
    {}, {"content": None}, {"content": 1}, {"content": ""}, {"content": " \n\t "}, {"content": "x" * 2001},
    {"content": "a\x00b"}, {"content": "x", "client_msg_id": ""}, {"content": "x", "client_msg_id": 1},
    {"content": "x", "client_msg_id": "x" * 129}, {"content": "x", "reply_to": 999_999_999},
    {"content": "x", "reply_to": -1}, {"content": "x", "reply_to": "1"}, {"content": "x", "reply_to": 2**63},
])
def test_a_message_that_breaks_a_rule_is_refused_and_takes_no_number(room, body):
    ann, _, room = room
    problem(ann.http.post(f"/api/rooms/{room}/messages", json=body), 422, "invalid")
    assert ann.say(room, "next")["seq"] == 1


def test_only_members_read_and_write(room, people):
    _, _, room = room
    eve = people("Eve")
    problem(eve.get(f"/api/rooms/{room}/messages"), 403, "not_member")
    problem(eve.post(f"/api/rooms/{room}/messages", content="x"), 403, "not_member")
    problem(eve.post(f"/api/rooms/{room}/read", seq=1), 403, "not_member")


def test_members_read_and_write_whether_or_not_they_are_present(room):
    ann, _, room = room
    assert ann.detail(room)["participants"] == [p for p in ann.detail(room)["participants"] if p["user_id"] != ann.id]
    ann.say(room, "from outside")
    assert page(ann, room) == ([1], 1)
    assert ann.id not in [p["user_id"] for p in ann.detail(room)["participants"]], "a call never starts presence"


def test_every_cursor_gives_its_page(room):
    ann, _, room = room
    for number in range(1, 61):
        ann.say(room, str(number))
    everything = list(range(1, 61))
    assert page(ann, room) == (everything[10:], 60)
    assert page(ann, room, limit=5) == ([56, 57, 58, 59, 60], 60)
    assert page(ann, room, skip=50, limit=50) == (everything[:10], 60)
    assert page(ann, room, skip=5, limit=5)[0] == [51, 52, 53, 54, 55]
    assert page(ann, room, skip=60)[0] == []
    assert page(ann, room, skip=10**12)[0] == []
    assert page(ann, room, before_seq=11, limit=3)[0] == [8, 9, 10]
    assert page(ann, room, before_seq=1)[0] == []
    assert page(ann, room, before_seq=10**12, limit=2)[0] == [59, 60]
    assert page(ann, room, after_seq=0, limit=2)[0] == [1, 2]
    assert page(ann, room, after_seq=58)[0] == [59, 60]
    assert page(ann, room, after_seq=60) == ([], 60)
    assert page(ann, room, after_seq=2**63 - 1)[0] == []
    assert page(ann, room, after_seq=0, limit=200)[0] == everything


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "skip=-1", "before_seq=-1", "after_seq=-1",
                                   "after_seq=x", "after_seq=9223372036854775808"])
def test_a_cursor_out_of_range_is_refused(room, query):
    ann, _, room = room
    problem(ann.http.get(f"/api/rooms/{room}/messages?{query}"), 422, "invalid")


def test_two_cursors_at_once_are_refused(room):
    ann, _, room = room
    problem(ann.get(f"/api/rooms/{room}/messages", before_seq=1, after_seq=1), 422, "invalid")


def test_the_same_client_msg_id_stores_once_for_the_same_person_and_room(room):
    ann, bob, room = room
    first = ann.say(room, "first", client_msg_id="same")
    again = ann.post(f"/api/rooms/{room}/messages", content="other text", client_msg_id="same")
    assert (again.status_code, again.json()) == (200, first)
    assert bob.say(room, "mine", client_msg_id="same")["seq"] == 2
    other = ann.room()
    assert ann.say(other, "elsewhere", client_msg_id="same")["seq"] == 1
    assert page(ann, room) == ([1, 2], 2)


def test_many_at_once_leave_no_gap_and_repeats_at_once_store_once(room):
    ann, bob, room = room

    def send(number):
        person = ann if number % 2 else bob
        body = {"content": str(number), "client_msg_id": f"id-{number // 4}"}
        return person.http.post(f"/api/rooms/{room}/messages", json=body)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(200)))
    assert {answer.status_code for answer in answers} == {200, 201}
    stored = [answer.json()["seq"] for answer in answers if answer.status_code == 201]
    assert sorted(stored) == list(range(1, 101)), "two people, 50 names each"
    assert page(ann, room, after_seq=0, limit=200) == (list(range(1, 101)), 100)


def test_a_reply_names_a_message_of_the_same_room(room):
    ann, bob, room = room
    question = ann.say(room, "question")
    assert bob.say(room, "answer", reply_to=question["id"])["reply_to"] == question["id"]
    elsewhere = ann.say(ann.room(), "elsewhere")
    answer = bob.post(f"/api/rooms/{room}/messages", content="x", reply_to=elsewhere["id"])
    assert problem(answer, 422, "invalid")["errors"][0]["field"] == "reply_to"


def test_the_author_edits(room):
    ann, bob, room = room
    sent = bob.say(room, "old")
    path = f"/api/rooms/{room}/messages/{sent['id']}"
    answer = bob.patch(path, content="new")
    assert answer.status_code == 200
    edited = answer.json()
    assert set(edited) == MESSAGE and (edited["content"], edited["seq"]) == ("new", 1) and edited["edited_at"]
    problem(ann.patch(path, content="not mine"), 403, "forbidden")
    problem(bob.patch(path, content=" "), 422, "invalid")
    assert bob.get(f"/api/rooms/{room}/messages").json()["messages"] == [edited]


def test_author_and_owner_delete_and_a_tombstone_keeps_its_number(room, people):
    ann, bob, room = room
    eve = people("Eve")
    eve.join(room)
    mine, his = bob.say(room, "mine", client_msg_id="m"), bob.say(room, "his")
    problem(eve.delete(f"/api/rooms/{room}/messages/{mine['id']}"), 403, "forbidden")
    assert bob.delete(f"/api/rooms/{room}/messages/{mine['id']}").status_code == 204
    assert bob.delete(f"/api/rooms/{room}/messages/{mine['id']}").status_code == 204
    assert ann.delete(f"/api/rooms/{room}/messages/{his['id']}").status_code == 204
    problem(bob.patch(f"/api/rooms/{room}/messages/{mine['id']}", content="back"), 409, "message_deleted")
    messages = ann.get(f"/api/rooms/{room}/messages").json()["messages"]
    assert [(m["seq"], m["content"], bool(m["deleted_at"])) for m in messages] == [(1, "", True), (2, "", True)]
    assert ann.say(room, "next")["seq"] == 3
    repeat = bob.post(f"/api/rooms/{room}/messages", content="mine", client_msg_id="m")
    assert repeat.status_code == 200 and repeat.json()["deleted_at"]


@pytest.mark.parametrize("message", ["0", "-1", "abc", "999999999", "9223372036854775808"])
def test_a_message_that_cannot_be_is_a_404(room, message):
    ann, _, room = room
    problem(ann.patch(f"/api/rooms/{room}/messages/{message}", content="x"), 404, "message_not_found")
    problem(ann.delete(f"/api/rooms/{room}/messages/{message}"), 404, "message_not_found")


def test_a_message_of_another_room_is_a_404(room):
    ann, _, room = room
    elsewhere = ann.say(ann.room(), "elsewhere")
    problem(ann.delete(f"/api/rooms/{room}/messages/{elsewhere['id']}"), 404, "message_not_found")
