"""Two servers on one Postgres, with and without a Redis between them: whoever is on one sees what happens on the other."""

from __future__ import annotations

import statistics
import time

import httpx
import pytest

from contract.client import PASSWORD, Person, Socket, problem
from harness.server import bites_s

pytestmark = pytest.mark.timed

# Without Redis, servers look for each other's changes once a second.
HEARD_S = 5


def messages(frames):
    return [(frame["message"]["seq"], frame["message"]["content"]) for frame in frames if frame["type"] == "message"]


def room_told(socket, room, **members):
    """Waits until a room is told as described; others, and what it was before, do not count."""
    deadline = time.monotonic() + HEARD_S
    while True:
        told = socket.receive("room", timeout=max(0.01, deadline - time.monotonic()))["room"]
        if told["id"] == room and all(told[name] == value for name, value in members.items()):
            return


def test_messages_edits_and_deletions_reach_the_other_server_in_order(room, socket_there):
    ann, bob, room = room
    there = socket_there(bob)
    there.subscribe(room)
    said = [ann.say(room, f"line {number}") for number in range(1, 31)]
    there.receive("message", timeout=HEARD_S, message=said[-1])
    assert messages(there.kept) == [(number, f"line {number}") for number in range(1, 30)]
    ann.patch(f"/api/rooms/{room}/messages/{said[0]['id']}", content="better")
    changed = there.receive("message_updated", timeout=HEARD_S)
    assert (changed["message"]["seq"], changed["message"]["content"]) == (1, "better")
    ann.delete(f"/api/rooms/{room}/messages/{said[1]['id']}")
    assert there.receive("message_deleted", timeout=HEARD_S)["message"]["id"] == said[1]["id"]


def test_how_fast_a_message_is_on_the_other_server(servers, room, socket_there):
    ann, bob, room = room
    here, there = ann.socket(), socket_there(bob)
    here.subscribe(room)
    there.subscribe(room)
    took_s = []
    for number in range(1, 10):
        began = time.monotonic()
        here.send("send", room_id=room, client_msg_id=str(number), content="hi")
        there.receive("message", timeout=HEARD_S)
        took_s.append(time.monotonic() - began)
    # By the bus at once; otherwise half a second on average.
    assert statistics.median(took_s) < (0.1 if "REDIS_URL" in servers[0].settings else 2), took_s


def test_writers_on_both_servers_are_read_in_one_order(room, socket_there):
    ann, bob, room = room
    here, there = ann.socket(), socket_there(bob)
    for socket in (here, there):
        socket.subscribe(room)
    for number in range(1, 21):
        for socket, name in ((here, "here"), (there, "there")):
            socket.send("send", room_id=room, client_msg_id=f"{name}-{number}", content=f"{name} {number}")
    heard = [messages([socket.receive("message", timeout=HEARD_S) for _ in range(40)]) for socket in (here, there)]
    assert heard[0] == heard[1]
    assert [seq for seq, _ in heard[0]] == list(range(1, 41))


def test_coming_and_going_shows_on_the_other_server(room, socket_there):
    ann, bob, room = room
    here = ann.socket()
    here.subscribe(room)
    there = socket_there(bob)
    there.subscribe(room, status="online")
    here.presence(bob.id, timeout=HEARD_S, status="online")
    there.ask("status", "status_set", room_id=room, status="in_call")
    here.presence(bob.id, timeout=HEARD_S, status="in_call")
    there.raw.close()
    here.presence(bob.id, timeout=2 * HEARD_S, status="offline")


def test_a_newer_socket_inside_takes_over_from_one_on_the_other_server(room, socket_there):
    ann, bob, room = room
    older, newer = bob.socket(), socket_there(bob)
    older.subscribe(room, status="in_call")
    newer.subscribe(room, status="in_call")
    gone = older.receive("removed", timeout=HEARD_S)
    assert gone == {"type": "removed", "room_id": room, "reason": "elsewhere"}
    assert [(p["user_id"], p["status"]) for p in ann.detail(room)["participants"]] == [(bob.id, "in_call")]
    older = bob.socket()
    older.subscribe(room, status="in_call")
    assert newer.receive("removed", timeout=HEARD_S)["reason"] == "elsewhere"


def test_a_closed_room_is_told_on_the_other_server_also_to_who_has_not_caught_up(room, socket_there):
    ann, bob, room = room
    for number in range(250):
        ann.say(room, f"line {number}")
    behind, level = socket_there(bob), socket_there(ann)
    assert behind.subscribe(room, after_seq=0)["truncated"]
    assert ann.delete(f"/api/rooms/{room}").status_code == 204
    assert behind.receive("room_closed", timeout=HEARD_S)["room_id"] == room
    assert level.ask("send", "nothing", room_id=room, client_msg_id="1", content="x")["code"] == "room_closed"


def test_a_session_that_ends_ends_its_sockets_on_the_other_server(servers, room, socket_there):
    ann, bob, room = room
    out, kept = socket_there(ann), socket_there(bob)
    assert ann.post("/api/auth/logout").status_code == 204
    assert out.closed(timeout=bites_s(servers[0].settings)) == 4401
    assert kept.drain() == []


def test_a_new_password_ends_the_others_sockets_on_the_other_server(servers, room, socket_there):
    ann, _, room = room
    mine = socket_there(ann)
    token = ann.http.headers["authorization"]
    ann.sign_in()
    others = socket_there(ann)
    ann.http.headers["authorization"] = token
    assert ann.patch("/api/auth/me", password="another-good-one", current_password=PASSWORD).status_code == 200
    assert others.closed(timeout=bites_s(servers[0].settings)) == 4401
    assert mine.drain() == []


def test_rooms_that_change_are_told_to_who_watches_on_the_other_server(room, socket_there):
    ann, bob, room = room
    there = socket_there(bob)
    there.ask("watch_rooms", "watching_rooms")
    assert ann.patch(f"/api/rooms/{room}", name="Another name").status_code == 200
    room_told(there, room, name="Another name")
    ann.say(room, "new")
    room_told(there, room, name="Another name", unread=1)


def test_who_waits_on_one_server_is_shown_and_let_in_on_the_other(servers, room, socket_there):
    ann, bob, room = room
    ann.patch(f"/api/rooms/{room}", lobby=True)
    host = socket_there(ann)
    host.subscribe(room)
    eve = Person(servers[0], "Eve")
    here = eve.socket()
    assert eve.wait(room)["position"] == 1
    assert host.receive("lobby", timeout=HEARD_S, waiting=True)["participant"]["user_id"] == eve.id
    there = socket_there(eve)
    assert ann.do(room, "admit", eve).status_code == 200
    for socket in (here, there):
        socket.receive("admitted", timeout=HEARD_S, room_id=room)
    host.receive("lobby", timeout=HEARD_S, waiting=False)
    host.presence(eve.id, timeout=HEARD_S, status="in_call")
    eve.close()


def test_who_is_let_in_hears_it_also_on_a_server_where_nobody_follows_the_room(servers, room, socket_there):
    ann, bob, room = room
    ann.patch(f"/api/rooms/{room}", lobby=True)
    eve = Person(servers[0], "Eve")
    eve.wait(room)
    there = socket_there(eve)
    assert ann.do(room, "admit", eve).status_code == 200
    there.receive("admitted", timeout=HEARD_S, room_id=room)
    eve.close()


def test_a_removal_bites_on_the_other_server(room, socket_there):
    ann, bob, room = room
    for deed, reason in (("kick", "kicked"), ("ban", "banned")):
        bob.join(room)
        there = socket_there(bob)
        there.subscribe(room, status="in_call")
        assert ann.do(room, deed, bob).status_code == 200
        assert there.receive("removed", timeout=HEARD_S) == {"type": "removed", "room_id": room, "reason": reason}
        assert there.ask("send", "sent", room_id=room, content="still here?")["code"] == "not_member"
        ann.say(room, "they do not hear this")
        assert not [frame for frame in there.drain() if frame["type"] == "message"]
    problem(bob.post(f"/api/rooms/{room}/join"), 403, "banned")


def test_an_end_for_all_is_heard_on_the_other_server_once(room, socket_there):
    ann, bob, room = room
    there, host = socket_there(bob), ann.socket()
    there.subscribe(room, status="in_call")
    host.subscribe(room)
    assert ann.post(f"/api/rooms/{room}/end").status_code == 200
    assert there.receive("removed", timeout=HEARD_S)["reason"] == "ended"
    bob.join(room)
    there.subscribe(room, status="in_call")
    host.receive("removed")
    host.subscribe(room)
    # Whatever is told a second time by the table of changes has been told when this has come.
    ann.patch(f"/api/rooms/{room}", name="After the end")
    deadline = time.monotonic() + HEARD_S
    while there.receive("room", timeout=max(0.01, deadline - time.monotonic()))["room"]["name"] != "After the end":
        pass
    ann.say(room, "on we go")
    assert there.receive("message", timeout=HEARD_S)["message"]["content"] == "on we go"
    assert not [frame for frame in there.kept if frame["type"] == "removed"]


def test_a_role_given_on_one_server_holds_on_the_other(servers, room, socket_there):
    ann, bob, room = room
    there = socket_there(bob)
    there.subscribe(room)
    ann.do(room, "promote", bob)
    there.presence(bob.id, timeout=HEARD_S, role="moderator")
    ann.patch(f"/api/rooms/{room}", lobby=True)
    eve = Person(servers[0], "Eve")
    eve.wait(room)
    assert there.receive("lobby", timeout=HEARD_S)["participant"]["user_id"] == eve.id
    ann.post(f"/api/rooms/{room}/owner", user_id=bob.id)
    there.presence(ann.id, timeout=HEARD_S, role="moderator", is_owner=False)
    eve.close()
