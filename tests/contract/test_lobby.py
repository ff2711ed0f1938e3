"""Lobbies, removals and ends as sockets hear them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contract.client import PARTICIPANT, problem


@pytest.fixture
def lobby(people):
    """A room with a lobby: its owner with a socket inside, and two who are not yet there."""
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room(lobby=True)
    ann.join(room)
    host = ann.socket()
    host.subscribe(room, status="in_call")
    return ann, bob, eve, room, host


def test_who_is_no_member_waits_and_hosts_hear_of_it(lobby):
    ann, bob, eve, room, host = lobby
    answer = bob.wait(room)
    assert set(answer) == {"waiting", "message", "participant_id", "room_id", "position"}
    assert (answer["waiting"], answer["position"], answer["room_id"]) == (True, 1, room)
    told = host.receive("lobby", room_id=room)
    assert set(told["participant"]) == PARTICIPANT and told["participant"]["user_id"] == bob.id and told["waiting"] is True
    assert eve.wait(room)["position"] == 2
    assert bob.wait(room)["position"] == 1
    assert [one["user_id"] for one in ann.detail(room)["waiting"]] == [bob.id, eve.id]
    assert bob.detail(room)["waiting"] == [], "who waits is for hosts"
    assert ann.detail(room)["participants_count"] == 1
    problem(bob.get(f"/api/rooms/{room}/messages"), 403, "not_member")
    assert bob.socket().ask("subscribe", "subscribed", room_id=room)["code"] == "not_member"


def test_who_is_admitted_hears_of_it_and_is_inside(lobby):
    ann, bob, _, room, host = lobby
    socket = bob.socket()
    bob.wait(room)
    host.receive("lobby", room_id=room, waiting=True)
    admitted = ann.do(room, "admit", bob)
    assert admitted.status_code == 200 and admitted.json()["status"] == "in_call"
    socket.receive("admitted", room_id=room)
    host.receive("lobby", room_id=room, waiting=False)
    host.presence(bob.id, status="in_call")
    bob.join(room)
    socket.subscribe(room, status="in_call")
    bob.say(room, "thanks")
    assert ann.do(room, "admit", bob).status_code == 200, "a second host changes nothing"
    problem(ann.do(room, "deny", bob), 409, "not_waiting")


def test_who_is_denied_hears_of_it_and_may_ask_again(lobby):
    ann, bob, eve, room, host = lobby
    socket = bob.socket()
    bob.wait(room)
    assert ann.do(room, "deny", bob).status_code == 200
    assert socket.receive("removed", room_id=room)["reason"] == "denied"
    host.receive("lobby", room_id=room, waiting=False)
    problem(ann.do(room, "admit", bob), 409, "not_waiting")
    problem(ann.do(room, "admit", eve), 404, "person_not_in_room")
    assert bob.wait(room)["position"] == 1
    host.receive("lobby", room_id=room, waiting=True)
    assert socket.drain() == [], "the first answer is no answer to the second knock"


def test_who_waits_may_go_away_and_may_be_banned(lobby):
    ann, bob, eve, room, host = lobby
    bob.wait(room)
    host.receive("lobby", room_id=room, waiting=True)
    assert bob.post(f"/api/rooms/{room}/leave").status_code == 200
    host.receive("lobby", room_id=room, waiting=False)
    problem(bob.post(f"/api/rooms/{room}/leave"), 404, "not_in_room")
    socket = eve.socket()
    eve.wait(room)
    assert ann.do(room, "ban", eve).status_code == 200
    assert socket.receive("removed", room_id=room)["reason"] == "banned"
    problem(eve.post(f"/api/rooms/{room}/join"), 403, "banned")


def test_who_waits_is_asked_for_what_the_room_has_come_to_ask_for(lobby):
    ann, bob, eve, room, _ = lobby
    bob.wait(room)
    ann.patch(f"/api/rooms/{room}", visibility="password", password="open sesame now")
    assert bob.wait(room)["position"] == 1
    ann.patch(f"/api/rooms/{room}", lobby=False)
    problem(bob.post(f"/api/rooms/{room}/join"), 403, "password_required")
    bob.join(room, password="open sesame now")


def test_all_who_wait_are_admitted_as_far_as_there_is_room(lobby):
    ann, bob, eve, room, _ = lobby
    sockets = [bob.socket(), eve.socket()]
    bob.wait(room)
    eve.wait(room)
    ann.patch(f"/api/rooms/{room}", capacity=2)
    answer = ann.post(f"/api/rooms/{room}/admit-all")
    assert answer.status_code == 200
    assert [one["user_id"] for one in answer.json()["admitted"]] == [bob.id] and answer.json()["waiting"] == 1
    sockets[0].receive("admitted", room_id=room)
    problem(ann.do(room, "admit", eve), 403, "room_full")
    assert ann.patch(f"/api/rooms/{room}", capacity=3).status_code == 200
    assert ann.post(f"/api/rooms/{room}/admit-all").json()["waiting"] == 0
    sockets[1].receive("admitted", room_id=room)


def test_a_new_host_hears_of_the_lobby_and_a_former_one_no_more(lobby):
    ann, bob, eve, room, _ = lobby
    bob.wait(room)
    ann.do(room, "admit", bob)
    socket = bob.socket()
    assert socket.subscribe(room)["waiting"] == []
    eve.wait(room)
    ann.do(room, "promote", bob)
    socket.presence(bob.id, role="moderator")
    assert [one["user_id"] for one in bob.detail(room)["waiting"]] == [eve.id]
    bob.do(room, "deny", eve)
    assert socket.receive("lobby", room_id=room)["waiting"] is False
    ann.do(room, "demote", bob)
    eve.wait(room)
    ann.say(room, "after that")
    socket.receive("message")
    assert not [frame for frame in socket.kept if frame["type"] == "lobby"]


def test_who_is_kicked_or_banned_hears_why_and_follows_no_more(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room()
    for person, deed, reason in ((bob, "kick", "kicked"), (eve, "ban", "banned")):
        person.join(room)
        first, second = person.socket(), person.socket()
        first.subscribe(room)
        second.subscribe(room)
        ann.do(room, deed, person)
        for socket in (first, second):
            assert socket.receive("removed", room_id=room)["reason"] == reason
            assert socket.ask("send", "sent", room_id=room, content="hi")["code"] == "not_member"
    ann.say(room, "they do not hear this")
    bob.join(room)
    assert bob.socket().subscribe(room, status="in_call")["participants"]


def test_an_end_for_all_removes_everybody_and_leaves_them_members(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room()
    bob.join(room)
    host, guest = ann.socket(), bob.socket()
    host.subscribe(room, status="in_call")
    guest.subscribe(room, status="in_call")
    ann.patch(f"/api/rooms/{room}", lobby=True)
    outside = eve.socket()
    eve.wait(room)
    problem(bob.post(f"/api/rooms/{room}/end"), 403, "forbidden")
    ended = ann.post(f"/api/rooms/{room}/end")
    assert ended.status_code == 200 and ended.json()["participants_count"] == 0 and ended.json()["is_active"]
    for socket in (host, guest, outside):
        assert socket.receive("removed", room_id=room)["reason"] == "ended"
    bob.join(room)
    # Heard a second time by another way, the end does not end what began since.
    guest.subscribe(room, status="in_call")
    host.subscribe(room)
    ann.say(room, "on we go")
    assert guest.receive("message")["message"]["content"] == "on we go"
    assert not [frame for frame in guest.kept if frame.get("participant", {}).get("user_id") == eve.id], "she never came in"
    assert ann.detail(room)["participants_count"] == 2


def test_a_meeting_is_told_of_its_end_and_ended_in_time(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    guest = bob.socket()
    guest.subscribe(room, status="in_call")
    closes_at = (datetime.now(UTC) + timedelta(seconds=4)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert ann.patch(f"/api/rooms/{room}", closes_at=closes_at).status_code == 200
    assert guest.receive("closing", room_id=room)["closes_at"] == closes_at
    late = ann.socket()
    late.subscribe(room)
    assert late.receive("closing", room_id=room)["closes_at"] == closes_at
    for socket in (guest, late):
        assert socket.receive("removed", room_id=room, timeout=8)["reason"] == "ended"
    problem(bob.post(f"/api/rooms/{room}/join"), 409, "room_closed")
    assert not [frame for frame in guest.kept if frame["type"] == "closing"], "it is told once"


def test_of_its_end_a_meeting_is_told_five_minutes_before_and_not_sooner(people):
    ann = people("Ann")
    room = ann.room()
    socket = ann.socket()
    socket.subscribe(room, status="in_call")
    closes_at = datetime.now(UTC) + timedelta(minutes=5, seconds=2)
    assert ann.patch(f"/api/rooms/{room}", closes_at=closes_at.isoformat()).status_code == 200
    socket.receive("closing", timeout=8, room_id=room)
    left = closes_at - datetime.now(UTC)
    assert timedelta(minutes=4, seconds=54) < left < timedelta(minutes=5, milliseconds=50), left


def test_who_was_muted_by_a_host_is_so_after_coming_back_until_the_meeting_ends(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    ann.join(room)
    bob.join(room)
    is_muted = lambda: {one["user_id"]: one["muted_by_host"] for one in ann.detail(room)["participants"]}[bob.id]  # noqa: E731
    assert ann.do(room, "mute", bob).status_code == 200 and is_muted()
    assert bob.post(f"/api/rooms/{room}/leave").status_code == 200
    bob.join(room)
    assert is_muted()
    bob.post(f"/api/rooms/{room}/leave")
    assert ann.post(f"/api/rooms/{room}/end").status_code == 200
    bob.join(room)
    assert not is_muted()


def test_a_private_room_is_told_to_its_people_alone(people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room(visibility="private")
    bob.join(room, code=ann.get(f"/api/rooms/{room}/link-code").json()["code"])
    watcher, member = eve.socket(), bob.socket()
    for socket in (watcher, member):
        socket.ask("watch_rooms", "watching_rooms")
    ann.patch(f"/api/rooms/{room}", name="Hidden")

    def hears(socket, wanted):
        heard = set()
        while wanted not in heard:
            heard.add(socket.receive("room")["room"]["id"])
        return heard

    hears(member, room)
    public = ann.room("Seen by all")
    assert room not in hears(watcher, public)


def test_a_person_who_is_promoted_handed_on_or_muted_is_shown_so(people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    socket = bob.socket()
    socket.subscribe(room, status="in_call")
    ann.do(room, "mute", bob)
    socket.presence(bob.id, muted_by_host=True)
    ann.post(f"/api/rooms/{room}/owner", user_id=bob.id)
    socket.presence(bob.id, role="owner", is_owner=True)
    socket.presence(ann.id, role="moderator", is_owner=False)
