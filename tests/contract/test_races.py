"""What two people do to a room at once, each on a server of their own: one of both, never half of each."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from contract.client import PASSWORD, Person, problem, wait_until
from contract.test_two_servers import HEARD_S, room_told

pytestmark = pytest.mark.timed


@pytest.fixture
def there(servers):
    """Speaks with the second server in a person's name: `there(ann)`."""
    clients = []

    def speak(person: Person) -> httpx.Client:
        clients.append(httpx.Client(
            base_url=servers[1].url, headers={"authorization": person.http.headers["authorization"]}, timeout=10,
        ))
        return clients[-1]

    yield speak
    for client in clients:
        client.close()


def at_once(*deeds):
    """Does several things at the same time, and gives their answers."""
    with ThreadPoolExecutor(len(deeds)) as together:
        return [doing.result() for doing in [together.submit(deed) for deed in deeds]]


def test_of_two_who_want_the_last_seat_on_two_servers_one_comes_in(servers, room):
    ann, bob, room = room
    ann.patch(f"/api/rooms/{room}", capacity=2)
    guests = [Person(servers[number % 2], f"Guest {number}") for number in range(6)]
    with ThreadPoolExecutor(len(guests)) as together:
        answers = list(together.map(lambda guest: guest.post(f"/api/rooms/{room}/join").status_code, guests))
    assert sorted(answers) == [200] + [403] * 5, answers
    assert ann.detail(room)["participants_count"] == 2
    for guest in guests:
        guest.close()


def test_a_kick_and_a_coming_back_on_two_servers_leave_one_of_both(servers, room):
    ann, bob, room = room
    elsewhere = httpx.Client(base_url=servers[1].url, headers={"authorization": bob.http.headers["authorization"]})
    for _ in range(5):
        bob.join(room)
        with ThreadPoolExecutor(2) as together:
            kicked = together.submit(ann.do, room, "kick", bob)
            joined = together.submit(elsewhere.post, f"/api/rooms/{room}/join")
        assert (kicked.result().status_code, joined.result().status_code) == (200, 200)
        members = {one["user_id"] for one in ann.get(f"/api/rooms/{room}/participants", members=True).json()}
        present = {one["user_id"] for one in ann.detail(room)["participants"]}
        assert (bob.id in members) == (bob.id in present), "half a member"
    elsewhere.close()


def test_whose_password_changes_while_inside_stays_inside(room, socket_there):
    ann, bob, room = room
    there = socket_there(ann)
    there.subscribe(room, status="in_call")
    assert ann.patch("/api/auth/me", password="another-good-one", current_password=PASSWORD).status_code == 200
    assert ann.patch(f"/api/rooms/{room}", visibility="password", password="a new word here").status_code == 200
    bob.join(room)
    there.ask("send", "sent", room_id=room, client_msg_id="1", content="still here")
    assert {one["user_id"] for one in ann.detail(room)["participants"]} == {ann.id, bob.id}


def test_of_two_admissions_to_the_last_seat_one_is_refused(servers, room, there):
    ann, bob, room = room
    ann.do(room, "promote", bob)
    ann.patch(f"/api/rooms/{room}", lobby=True, capacity=2)
    ben = there(bob)
    for _ in range(5):
        guests = [Person(servers[number], f"Guest {number}") for number in range(2)]
        for guest in guests:
            guest.wait(room)
        paths = [f"/api/rooms/{room}/participants/{guest.id}/admit" for guest in guests]
        answers = at_once(lambda: ann.post(paths[0]), lambda: ben.post(paths[1]))
        assert sorted(answer.status_code for answer in answers) == [200, 403], [answer.text for answer in answers]
        assert {answer.json().get("code") for answer in answers} == {None, "room_full"}
        assert ann.detail(room)["participants_count"] == 2
        for guest in guests:
            guest.post(f"/api/rooms/{room}/leave")
            guest.close()


def test_a_ban_and_a_message_under_way_happen_one_after_the_other(room, there):
    ann, bob, room = room
    ben = there(bob)
    for number in range(10):
        bob.join(room)
        path = f"/api/rooms/{room}/messages"
        sent, banned = at_once(lambda: ben.post(path, json={"content": f"line {number}"}), lambda: ann.do(room, "ban", bob))
        assert banned.status_code == 200
        history = [message["content"] for message in ann.get(path).json()["messages"]]
        assert (f"line {number}" in history) == (sent.status_code == 201), sent.text
        if sent.status_code != 201:
            assert sent.json()["code"] in ("not_member", "room_not_found", "banned"), sent.text
        problem(bob.post(path, content="after it"), 403, "not_member")
        assert ann.delete(f"/api/rooms/{room}/participants/{bob.id}/ban").status_code == 200


def test_who_is_kicked_and_waits_again_hears_nothing_of_the_room(room, socket_there):
    ann, bob, room = room
    guest, host = socket_there(bob), ann.socket()
    guest.subscribe(room, status="in_call")
    host.subscribe(room)
    ann.patch(f"/api/rooms/{room}", lobby=True)
    assert ann.do(room, "kick", bob).status_code == 200
    assert bob.wait(room)["position"] == 1
    guest.receive("removed", "unsubscribed", timeout=HEARD_S, room_id=room)
    guest.drain()
    ann.say(room, "not for who waits")
    host.receive("message", timeout=HEARD_S)
    # What the other server tells of the room is told by now.
    watcher = socket_there(ann)
    watcher.subscribe(room)
    ann.say(room, "nor this")
    watcher.receive("message", timeout=HEARD_S)
    assert not [frame for frame in guest.drain() if frame["type"] in ("message", "presence")]


def test_a_kick_and_a_handing_on_leave_an_owner_who_is_a_member(servers, room, there):
    ann, bob, room = room
    guest = Person(servers[0], "Guest")
    ann.do(room, "promote", bob)
    ben = there(bob)
    for _ in range(5):
        guest.join(room)
        kicked, handed = at_once(
            lambda: ben.post(f"/api/rooms/{room}/participants/{guest.id}/kick"),
            lambda: ann.post(f"/api/rooms/{room}/owner", user_id=guest.id),
        )
        outcome = (kicked.status_code, handed.status_code)
        assert outcome in ((200, 404), (403, 200)), (kicked.text, handed.text)
        members = {one["user_id"]: one["role"] for one in ann.get(f"/api/rooms/{room}/participants", members=True).json()}
        assert list(members.values()).count("owner") == 1
        assert members.get(guest.id) == ("owner" if outcome == (403, 200) else None)
        if outcome == (403, 200):
            problem(ben.post(f"/api/rooms/{room}/participants/{guest.id}/ban"), 403, "against_owner")
            assert guest.post(f"/api/rooms/{room}/owner", user_id=ann.id).status_code == 200
    guest.close()


def test_a_smaller_room_keeps_who_is_inside_and_takes_nobody_more(servers, room, there):
    ann, bob, room = room
    guests = [Person(servers[number % 2], f"Guest {number}") for number in range(4)]
    for person in (ann, *guests[:2]):
        person.join(room)
    ben = there(bob)
    assert ann.patch(f"/api/rooms/{room}", capacity=2).status_code == 200
    assert ann.detail(room)["participants_count"] == 4
    answers = at_once(*(lambda guest=guest: guest.post(f"/api/rooms/{room}/join") for guest in guests[2:]))
    for answer in answers:
        problem(answer, 403, "room_full")
    # Who is inside keeps their place, and says so again.
    assert ben.post(f"/api/rooms/{room}/join", json={}).status_code == 200
    for guest in guests:
        guest.close()


def test_of_two_who_want_one_slug_one_gets_it(servers):
    owners = [Person(server, "Owner") for server in servers]
    for number in range(5):
        slug = f"race-{owners[0].id}-{number}"
        answers = at_once(*(lambda owner=owner: owner.post("/api/rooms", name="Race", slug=slug) for owner in owners))
        assert sorted(answer.status_code for answer in answers) == [201, 409], [answer.text for answer in answers]
        rooms = [owner.room() for owner in owners]
        paths = [f"/api/rooms/{room}" for room in rooms]
        answers = at_once(*(lambda o=owner, p=path: o.patch(p, slug=slug + "-b") for owner, path in zip(owners, paths)))
        assert sorted(answer.status_code for answer in answers) == [200, 409], [answer.text for answer in answers]
    for owner in owners:
        owner.close()


def test_a_room_whose_time_is_over_ends_on_both_servers(room, socket_there):
    ann, bob, room = room
    sockets = [socket_there(bob), ann.socket()]
    for socket in sockets:
        socket.subscribe(room, status="in_call")
    closes_at = (datetime.now(UTC) + timedelta(seconds=3)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert ann.patch(f"/api/rooms/{room}", closes_at=closes_at).status_code == 200
    for socket in sockets:
        assert socket.receive("closing", timeout=HEARD_S)["closes_at"] == closes_at
        assert socket.receive("removed", timeout=3 + HEARD_S)["reason"] == "ended"
        assert not [frame for frame in socket.drain() if frame["type"] in ("closing", "removed")]
    problem(bob.post(f"/api/rooms/{room}/messages", content="too late"), 409, "room_closed")
    wait_until(lambda: ann.detail(room)["participants_count"] == 0)


def test_a_new_password_is_asked_of_who_comes_and_not_of_who_is_inside(servers, room, there):
    ann, bob, room = room
    assert ann.patch(f"/api/rooms/{room}", visibility="password", password=PASSWORD).status_code == 200
    guest, late = Person(servers[1], "Guest"), Person(servers[1], "Late")
    guest.join(room, password=PASSWORD)
    assert ann.patch(f"/api/rooms/{room}", password="quite another one").status_code == 200
    guest.say(room, "still inside")
    assert there(bob).post(f"/api/rooms/{room}/join", json={}).status_code == 200
    problem(late.post(f"/api/rooms/{room}/join", password=PASSWORD), 403, "wrong_password")
    late.join(room, password="quite another one")
    for person in (guest, late):
        person.close()


def test_what_others_wrote_is_changed_by_nobody_else(servers, room, there):
    ann, bob, room = room
    ben = there(bob)
    said = ann.say(room, "mine")
    path = f"/api/rooms/{room}/messages/{said['id']}"
    problem(ben.patch(path, json={"content": "not mine"}), 403, "forbidden")
    problem(ben.delete(path), 403, "forbidden")
    ann.do(room, "promote", bob)
    problem(ben.patch(path, json={"content": "not mine"}), 403, "forbidden")
    edited, deleted = at_once(lambda: ann.patch(path, content="better"), lambda: ben.delete(path))
    assert deleted.status_code == 204 and edited.status_code in (200, 409)
    assert ann.get(f"/api/rooms/{room}/messages").json()["messages"][-1]["content"] == ""


def test_a_card_goes_from_the_lists_of_those_for_whom_its_room_is_no_more(servers, room, socket_there):
    ann, bob, room = room
    eve = Person(servers[0], "Eve")
    stranger, guest = socket_there(eve), socket_there(bob)
    for socket in (stranger, guest):
        socket.ask("watch_rooms", "watching_rooms")
    assert ann.patch(f"/api/rooms/{room}", visibility="private").status_code == 200
    assert stranger.receive("room_hidden", timeout=HEARD_S)["room_id"] == room
    room_told(guest, room, visibility="private")
    assert ann.do(room, "kick", bob).status_code == 200
    assert guest.receive("room_hidden", timeout=HEARD_S)["room_id"] == room
    # Of a room that was private all along nobody else hears anything.
    secret = ann.room("Secret", visibility="private")
    ann.patch(f"/api/rooms/{secret}", name="Secret still")
    seen = ann.room("Seen by all")
    deadline = time.monotonic() + HEARD_S
    while stranger.receive("room", timeout=max(0.01, deadline - time.monotonic()))["room"]["id"] != seen:
        pass
    assert secret not in [frame.get("room_id", frame.get("room", {}).get("id")) for frame in stranger.drain()]
    eve.close()
