"""The WebSocket: tickets, subscriptions, order, presence and ends."""

import concurrent.futures
import contextlib
import re
import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from contract.client import MESSAGE, PARTICIPANT, ROOM, Person, RawSocket, Socket, problem, wait_until
from harness.server import Server


@pytest.fixture
def room(people):
    """A room of Ann's in which Bob is too, neither of them present: `(ann, bob, room)`."""
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    bob_socket = bob.socket()
    bob_socket.subscribe(room, status="offline")
    bob_socket.raw.close()
    return ann, bob, room


def seqs(frames):
    return [frame["message"]["seq"] for frame in frames if frame["type"] == "message"]


def refused(server, status, ticket, **options):
    protocols = ["cloudmeet.v1"] + ([f"ticket.{ticket}"] if ticket is not None else [])
    with pytest.raises(InvalidStatus) as refusal:
        connect(server.ws_url, subprotocols=protocols, legacy=True, **options)
    assert refusal.value.response.status_code == status
    return refusal.value.response


# Opening

def test_a_ticket_is_unpadded_base64url_for_30_seconds(people):
    answer = people("Ann").http.post("/api/ws-ticket")
    assert answer.status_code == 200 and set(answer.json()) == {"ticket", "expires_in"}
    assert answer.json()["expires_in"] == 30
    assert re.fullmatch(r"[A-Za-z0-9_-]{20,}", answer.json()["ticket"])


def test_the_welcome_comes_first_and_only_the_protocol_is_answered(people):
    ann = people("Ann")
    socket = ann.socket(welcome=False)
    assert socket.raw.subprotocol == "cloudmeet.v1"
    welcome = socket.receive("welcome")
    assert socket.kept == [] and set(welcome) == {"type", "session_id", "user_id", "heartbeat_s"}
    assert (welcome["user_id"], welcome["heartbeat_s"]) == (ann.id, 20)


def test_a_ticket_opens_one_socket(server, people):
    ticket = people("Ann").ticket()
    Socket(server, ticket).raw.close()
    refused(server, 401, ticket)
    refused(server, 401, "nonsense")
    refused(server, 401, None)


def test_a_ticket_dies_with_its_session(server, people):
    ann = people("Ann")
    ticket = ann.ticket()
    assert ann.post("/api/auth/logout").status_code == 204
    refused(server, 401, ticket)


def test_foreign_pages_open_no_socket_and_do_not_spend_the_ticket(server, people):
    ann = people("Ann")
    ticket = ann.ticket()
    entrance = server.entrance
    for origin in ("https://evil.example", "null", f"http://localhost:{entrance.port}"):
        refused(entrance, 403, ticket, origin=origin)
    socket = Socket(entrance, ticket, origin=entrance.url)
    assert socket.ask("ping", "pong")["type"] == "pong"
    socket.raw.close()


def test_a_plain_request_is_refused_and_does_not_spend_the_ticket(server, people):
    ann = people("Ann")
    ticket = ann.ticket()
    headers = {"sec-websocket-protocol": f"cloudmeet.v1, ticket.{ticket}"}
    assert httpx.get(server.url + "/api/ws", headers=headers).status_code == 400
    Socket(server, ticket).raw.close()


# Frames

def test_an_answer_repeats_the_id_of_its_request(people):
    socket = people("Ann").socket()
    for request in ("x", 7, {"a": [1]}):
        socket.send("ping", id=request)
        assert socket.receive("pong") == {"type": "pong", "id": request}
    socket.send("ping")
    assert socket.receive("pong") == {"type": "pong"}


@pytest.mark.parametrize("frame", ["", "x", "[]", "null", "1", "{}", '{"type":1}', '{"type":"ping"', b"binary"])
def test_a_frame_that_is_none_ends_the_socket(people, frame):
    socket = people("Ann").socket()
    socket.raw.send(frame)
    assert socket.receive("error")["code"] == "bad_frame"
    assert socket.closed() == 4400


@pytest.mark.parametrize("frame, code", [
    ({"type": "no_such_type"}, "unknown_type"), ({"type": "subscribe"}, "invalid"),
    ({"type": "subscribe", "room_id": "1"}, "invalid"), ({"type": "subscribe", "room_id": None}, "invalid"),
    ({"type": "subscribe", "room_id": 2**63}, "invalid"), ({"type": "subscribe", "room_id": 1.5}, "invalid"),
    ({"type": "subscribe", "room_id": 0}, "room_not_found"), ({"type": "subscribe", "room_id": -1}, "room_not_found"),
    ({"type": "subscribe", "room_id": 999_999_999}, "room_not_found"), ({"type": "unsubscribe", "room_id": 999_999_999}, "not_subscribed"),
    ({"type": "send", "room_id": 999_999_999, "content": "x", "client_msg_id": "1"}, "room_not_found"),
    ({"type": "status", "room_id": 999_999_999, "status": "online"}, "room_not_found"),
    ({"type": "status", "room_id": 1, "status": "asleep"}, "invalid"), ({"type": "typing"}, "invalid"),
    ({"type": "typing", "room_id": 999_999_999}, "room_not_found"),
])
def test_a_frame_that_cannot_be_obeyed_is_answered_and_the_socket_lives(people, frame, code):
    socket = people("Ann").socket()
    socket.send(**{("kind" if name == "type" else name): value for name, value in frame.items()}, id="q")
    error = socket.receive("error")
    assert {"type", "id", "code", "detail"} <= set(error) and error["id"] == "q"
    assert (error["code"], bool(error["detail"])) == (code, True)
    assert socket.ask("ping", "pong")["type"] == "pong"


def test_an_error_without_a_request_id_has_a_null_one(people):
    socket = people("Ann").socket()
    socket.send("no_such_type")
    assert socket.receive("error")["id"] is None


def test_a_frame_of_64_kib_passes_and_a_longer_one_ends_the_socket(people):
    ann = people("Ann")
    socket = ann.socket()
    frame = '{"type":"ping","x":"'
    socket.raw.send(frame + "x" * (65536 - len(frame) - 2) + '"}')
    assert socket.receive("pong")
    for length in (65537, 200_000, 2_000_000):
        socket = ann.socket()
        # Whoever is still speaking may be cut off, and hears why all the same.
        with contextlib.suppress(ConnectionClosed):
            socket.raw.send(frame + "x" * (length - len(frame) - 2) + '"}')
        assert socket.closed() == 1009


def test_members_only(room, people):
    _, _, room = room
    socket = people("Eve").socket()
    for kind, more in (("subscribe", {}), ("send", {"content": "x", "client_msg_id": "1"}), ("status", {"status": "online"}), ("typing", {})):
        assert socket.ask(kind, "nothing", room_id=room, **more)["code"] == "not_member", kind


# Subscribing

def test_a_subscription_brings_the_newest_50(room):
    ann, bob, room = room
    for number in range(60):
        ann.say(room, str(number))
    answer = bob.socket().subscribe(room)
    assert set(answer) == {
        "type", "id", "room_id", "last_seq", "rev", "participants", "waiting", "allowed", "messages", "changed", "truncated",
    }
    assert [message["seq"] for message in answer["messages"]] == list(range(11, 61))
    assert all(set(message) == MESSAGE for message in answer["messages"])
    assert (answer["room_id"], answer["last_seq"], answer["rev"], answer["truncated"]) == (room, 60, 0, False)
    [present] = answer["participants"]
    assert set(present) == PARTICIPANT and (present["user_id"], present["status"]) == (bob.id, "online")


def test_a_subscription_goes_on_after_a_number(room):
    ann, bob, room = room
    for number in range(5):
        ann.say(room, str(number))
    socket = bob.socket()
    assert [m["seq"] for m in socket.subscribe(room, after_seq=3)["messages"]] == [4, 5]
    assert socket.subscribe(room, after_seq=5)["messages"] == []
    assert socket.subscribe(room, after_seq=10**9)["messages"] == []
    assert [m["seq"] for m in socket.subscribe(room, after_seq=0)["messages"]] == [1, 2, 3, 4, 5]
    assert socket.ask("subscribe", "nothing", room_id=room, after_seq=-1)["code"] == "invalid"


def test_a_long_absence_is_made_up_in_steps_and_nothing_is_missing(room):
    ann, bob, room = room
    for number in range(450):
        ann.say(room, str(number))
    socket = bob.socket()
    seen, truncated = [], True
    while truncated:
        answer = socket.subscribe(room, after_seq=seen[-1] if seen else 0)
        assert len(answer["messages"]) <= 200
        seen += [message["seq"] for message in answer["messages"]]
        truncated = answer["truncated"]
        seq = ann.say(room, "meanwhile")["seq"]
        if truncated:
            assert seqs(socket.drain()) == [], "no message frames while truncated"
    last = socket.receive("message")["message"]["seq"]
    assert seen + [last] == list(range(1, seq + 1))


def test_edits_and_deletions_while_away_are_in_changed(room):
    ann, bob, room = room
    sent = [ann.say(room, f"old {number}") for number in range(3)]
    socket = bob.socket()
    rev = socket.subscribe(room)["rev"]
    socket.ask("unsubscribe", "unsubscribed", room_id=room)
    ann.patch(f"/api/rooms/{room}/messages/{sent[0]['id']}", content="new")
    ann.delete(f"/api/rooms/{room}/messages/{sent[1]['id']}")
    answer = socket.subscribe(room, after_seq=3, after_rev=rev)
    assert [(c["message"]["seq"], c["message"]["content"], c["rev"]) for c in answer["changed"]] == [(1, "new", 1), (2, "", 2)]
    assert answer["rev"] == 2 and answer["messages"] == []
    assert socket.subscribe(room, after_seq=3, after_rev=2)["changed"] == []


def test_many_edits_while_away_come_in_steps(room):
    ann, bob, room = room
    ids = [ann.say(room, "old")["id"] for _ in range(230)]
    for id in ids:
        ann.patch(f"/api/rooms/{room}/messages/{id}", content="new")
    socket = bob.socket()
    rev, changed, truncated = 0, [], True
    while truncated:
        answer = socket.subscribe(room, after_seq=230, after_rev=rev)
        changed += [change["message"]["seq"] for change in answer["changed"]]
        rev, truncated = answer["rev"], answer["truncated"]
    assert changed == list(range(1, 231)) and rev == 230


def test_live_frames_come_in_order_each_once_under_many_writers(room, people):
    ann, bob, room = room
    writers = [ann, bob, *people("Cy", "Di")]
    for writer in writers[2:]:
        writer.join(room)
    readers = [writer.socket() for writer in writers]
    for reader in readers:
        reader.subscribe(room)

    def write(writer):
        for number in range(25):
            writer.say(room, str(number))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(write, writers))
    for reader in readers:
        seen = []
        while not seen or seen[-1] < 100:
            seen.append(reader.receive("message")["message"]["seq"])
        assert seen == list(range(1, 101))


def test_subscribing_while_others_write_misses_nothing(room):
    ann, bob, room = room
    done = threading.Event()

    def write():
        while not done.is_set():
            ann.say(room, "x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        socket = bob.socket()
        seen = []
        for _ in range(15):
            answer = socket.subscribe(room, after_seq=seen[-1] if seen else 0)
            seen += [message["seq"] for message in answer["messages"]]
            assert not answer["truncated"]
            for _ in range(3):
                seen.append(socket.receive("message")["message"]["seq"])
            socket.ask("unsubscribe", "unsubscribed", room_id=room)
            # What came between the last frame and the end of the subscription.
            seen += seqs(socket.kept)
            socket.kept.clear()
    finally:
        done.set()
        writer.join()
    assert seen == list(range(1, len(seen) + 1))


def test_an_unsubscribed_socket_hears_nothing(room):
    ann, bob, room = room
    socket = bob.socket()
    socket.subscribe(room)
    assert socket.ask("unsubscribe", "unsubscribed", room_id=room)["room_id"] == room
    assert socket.ask("unsubscribe", "nothing", room_id=room)["code"] == "not_subscribed"
    ann.say(room, "unheard")
    assert seqs(socket.drain()) == []


# Messages

def test_sent_goes_to_the_sender_and_message_to_everybody(room):
    ann, bob, room = room
    mine, theirs = ann.socket(), bob.socket()
    mine.subscribe(room)
    theirs.subscribe(room)
    sent = mine.ask("send", "sent", room_id=room, client_msg_id="c-1", content="hi", reply_to=None)
    assert (sent["client_msg_id"], set(sent["message"])) == ("c-1", MESSAGE)
    for socket in (mine, theirs):
        assert socket.receive("message")["message"] == sent["message"]
    assert ann.get(f"/api/rooms/{room}/messages").json()["messages"] == [sent["message"]]


def test_a_repeat_is_answered_and_not_broadcast_again(room):
    ann, bob, room = room
    mine, theirs = ann.socket(), bob.socket()
    theirs.subscribe(room)
    first = mine.ask("send", "sent", room_id=room, client_msg_id="c-1", content="hi")
    again = mine.ask("send", "sent", room_id=room, client_msg_id="c-1", content="hi")
    assert again["message"] == first["message"]
    over_rest = ann.post(f"/api/rooms/{room}/messages", content="hi", client_msg_id="c-1")
    assert (over_rest.status_code, over_rest.json()) == (200, first["message"])
    mine.ask("send", "sent", room_id=room, client_msg_id="c-2", content="end")
    heard = [theirs.receive("message", timeout=5)["message"]["client_msg_id"] for _ in range(2)]
    assert heard == ["c-1", "c-2"]


def test_messages_of_one_socket_keep_their_order(room):
    ann, _, room = room
    socket = ann.socket()
    for number in range(100):
        socket.send("send", room_id=room, client_msg_id=str(number), content=str(number))
    answers = [socket.receive("sent") for _ in range(100)]
    assert [a["client_msg_id"] for a in answers] == [str(n) for n in range(100)]
    assert [a["message"]["seq"] for a in answers] == list(range(1, 101))


@pytest.mark.parametrize("members", [{"content": ""}, {"content": "x" * 2001}, {"content": 1}, {}, {"content": "x", "reply_to": 99}])
def test_a_message_that_breaks_a_rule_is_answered_with_its_name(room, members):
    ann, _, room = room
    error = ann.socket().ask("send", "nothing", room_id=room, client_msg_id="c-1", **members)
    assert (error["code"], error["client_msg_id"]) == ("invalid", "c-1") and error["errors"]


def test_edits_and_deletions_reach_everybody_with_their_rev(room):
    ann, bob, room = room
    socket = bob.socket()
    socket.subscribe(room)
    sent = ann.say(room, "old")
    ann.patch(f"/api/rooms/{room}/messages/{sent['id']}", content="new")
    updated = socket.receive("message_updated")
    assert (updated["rev"], updated["message"]["content"], updated["message"]["id"]) == (1, "new", sent["id"])
    ann.delete(f"/api/rooms/{room}/messages/{sent['id']}")
    deleted = socket.receive("message_deleted")
    assert (deleted["rev"], deleted["message"]["content"]) == (2, "") and deleted["message"]["deleted_at"]


def test_typing_is_shown_to_others_only_and_not_too_often(room):
    ann, bob, room = room
    mine, theirs = ann.socket(), bob.socket()
    assert mine.ask("typing", "nothing", room_id=room)["code"] == "not_subscribed"
    mine.subscribe(room)
    theirs.subscribe(room)
    for _ in range(5):
        mine.send("typing", room_id=room)
    assert theirs.receive("typing") == {"type": "typing", "room_id": room, "user_id": ann.id}
    assert not [f for f in mine.drain() + theirs.drain() if f["type"] == "typing"]


# Lists

def about(socket, room):
    """The next that a socket hears about one room: other tests have rooms, too."""
    while True:
        listed = socket.receive("room")["room"]
        if listed["id"] == room:
            return listed


@pytest.mark.timed
def test_watching_rooms_hears_of_every_change_at_most_once_a_second(room, people):
    ann, bob, room = room
    eve = people("Eve").socket()
    eve.send("watch_rooms")
    eve.drain()
    began = time.monotonic()
    for number in range(30):
        ann.say(room, str(number))
    listed = about(eve, room)
    assert set(listed) == ROOM and (listed["unread"], listed["my_role"]) == (0, None)
    frames = 1
    while listed["last_seq"] < 30:
        listed = about(eve, room)
        frames += 1
    assert frames <= 2 + (time.monotonic() - began)
    new = bob.room("Brand new")
    about(eve, new)
    ann.patch(f"/api/rooms/{room}", name="Renamed")
    wait_until(lambda: about(eve, room)["name"] == "Renamed")
    ann.delete(f"/api/rooms/{room}")
    wait_until(lambda: about(eve, room)["is_active"] is False)


def test_a_room_in_the_list_is_the_watchers_own_view(room):
    ann, bob, room = room
    mine, theirs = ann.socket(), bob.socket()
    for socket in (mine, theirs):
        socket.send("watch_rooms")
        socket.drain()
    ann.say(room, "news")
    own = wait_until(lambda: (listed := about(mine, room))["last_seq"] and listed)
    other = wait_until(lambda: (listed := about(theirs, room))["last_seq"] and listed)
    assert (own["unread"], own["my_role"]) == (0, "owner")
    assert (other["unread"], other["my_role"]) == (1, "participant")


# Presence

def test_joining_over_rest_shows_to_who_follows(room):
    ann, bob, room = room
    socket = ann.socket()
    socket.subscribe(room)
    bob.join(room)
    inside = socket.presence(bob.id, status="in_call")
    assert set(inside) == PARTICIPANT
    assert bob.post(f"/api/rooms/{room}/leave").status_code == 200
    gone = socket.presence(bob.id, status="offline")
    assert gone["version"] > inside["version"] and gone["leave_time"]


def test_a_subscription_starts_presence_with_its_status(room):
    ann, bob, room = room
    socket = bob.socket()
    socket.subscribe(room)
    watcher = ann.socket()
    watcher.subscribe(room)
    for status in ("in_call", "online", "offline", "in_call"):
        socket.subscribe(room, status=status)
        watcher.presence(bob.id, status=status)
    assert {p["user_id"]: p["status"] for p in socket.subscribe(room)["participants"]} == {ann.id: "online", bob.id: "in_call"}


def test_the_last_status_set_counts(room):
    ann, bob, room = room
    first, second, watcher = bob.socket(), bob.socket(), ann.socket()
    watcher.subscribe(room)
    first.subscribe(room)
    second.subscribe(room)
    first.send("status", room_id=room, status="in_call")
    watcher.presence(bob.id, status="in_call")
    second.send("status", room_id=room, status="online")
    watcher.presence(bob.id, status="online")
    first.send("status", room_id=room, status="offline")
    watcher.presence(bob.id, status="offline")
    assert [p["user_id"] for p in ann.detail(room)["participants"]] == [ann.id]


@pytest.mark.timed
def test_a_closed_socket_is_a_departure_after_five_seconds(room):
    ann, bob, room = room
    watcher, socket = ann.socket(), bob.socket()
    watcher.subscribe(room)
    socket.subscribe(room, status="in_call")
    watcher.presence(bob.id, status="in_call")
    began = time.monotonic()
    socket.raw.close()
    watcher.presence(bob.id, timeout=12, status="offline")
    assert 4.5 < time.monotonic() - began < 11
    assert ann.detail(room)["participants_count"] == 1


def test_a_reload_is_not_a_departure(room):
    ann, bob, room = room
    watcher, socket = ann.socket(), bob.socket()
    watcher.subscribe(room)
    socket.subscribe(room, status="in_call")
    version = watcher.presence(bob.id, status="in_call")["version"]
    socket.raw.close()
    again = bob.socket()
    again.subscribe(room, status="in_call")
    # Longer than the grace: the time is what is tested here.
    deadline = time.monotonic() + 7
    while time.monotonic() < deadline:
        assert ann.detail(room)["participants_count"] == 2
        time.sleep(0.25)
    changes = [f["participant"] for f in watcher.drain() if f["type"] == "presence" and f["participant"]["user_id"] == bob.id]
    assert all(change["version"] == version for change in changes)


def test_one_socket_less_is_no_departure_while_another_is_there(room):
    ann, bob, room = room
    first, second = bob.socket(), bob.socket()
    first.subscribe(room)
    second.subscribe(room)
    first.raw.close()
    deadline = time.monotonic() + 6.5
    while time.monotonic() < deadline:
        assert ann.detail(room)["participants_count"] == 1
        time.sleep(0.25)


def test_a_newer_socket_inside_takes_over(room):
    ann, bob, room = room
    older, newer = bob.socket(), bob.socket()
    older.subscribe(room, status="in_call")
    newer.subscribe(room, status="in_call")
    assert older.receive("removed") == {"type": "removed", "room_id": room, "reason": "elsewhere"}
    ann.say(room, "to the newer")
    newer.receive("message")
    assert seqs(older.drain()) == []
    older.raw.close()
    assert [p["status"] for p in ann.detail(room)["participants"]] == ["in_call"]


def test_leaving_ends_ones_own_subscriptions(room):
    ann, bob, room = room
    socket = bob.socket()
    socket.subscribe(room)
    assert bob.post(f"/api/rooms/{room}/leave").status_code == 200
    assert socket.receive("unsubscribed")["room_id"] == room
    ann.say(room, "for members only")
    assert seqs(socket.drain()) == []
    assert socket.ask("subscribe", "nothing", room_id=room)["code"] == "not_member"


def test_a_closed_room_says_so_and_can_still_be_read(room):
    ann, bob, room = room
    ann.say(room, "before")
    socket = bob.socket()
    socket.subscribe(room, status="in_call")
    assert ann.delete(f"/api/rooms/{room}").status_code == 204
    assert socket.receive("room_closed") == {"type": "room_closed", "room_id": room}
    assert socket.ask("send", "nothing", room_id=room, client_msg_id="1", content="x")["code"] == "room_closed"
    assert socket.ask("status", "nothing", room_id=room, status="online")["code"] == "room_closed"
    answer = socket.subscribe(room)
    assert [m["content"] for m in answer["messages"]] == ["before"] and answer["participants"] == []


# Ends

def test_a_logout_ends_the_sessions_sockets_only(people):
    ann = people("Ann")
    ended = ann.socket()
    old = dict(ann.http.headers)
    ann.sign_in()
    other = ann.socket()
    assert ann.http.post("/api/auth/logout", headers={"authorization": old["authorization"]}).status_code == 204
    assert ended.closed() == 4401
    assert other.ask("ping", "pong")["type"] == "pong"


@pytest.mark.timed
def test_a_socket_whose_session_is_over_obeys_nothing_more(server, people):
    """Whoever stole it need not close it just because the server says so."""
    ann = people("Ann")
    room = ann.room()
    raw = RawSocket(ann)
    raw.ask("subscribed", type="subscribe", room_id=room)
    ended = dict(ann.http.headers)
    ann.sign_in()
    assert ann.http.post("/api/auth/logout", headers={"authorization": ended["authorization"]}).status_code == 204
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while (at := time.monotonic() - began) < server.bites_s + 3:
            raw.send(type="send", room_id=room, client_msg_id=str(time.monotonic_ns()), content=f"{at:.3f}")
            time.sleep(0.05)
    raw.close()
    obeyed = ann.get(f"/api/rooms/{room}/messages", limit=200).json()["messages"]
    assert [m["content"] for m in obeyed if float(m["content"]) >= server.bites_s] == []


def test_an_older_socket_does_not_bring_an_old_name_back(room):
    ann, bob, room = room
    socket = bob.socket()
    socket.subscribe(room, status="in_call")
    assert bob.patch("/api/auth/me", display_name="Robert").status_code == 200
    socket.presence(bob.id, user_display_name="Robert")
    socket.subscribe(room, status="in_call")
    assert socket.ask("status", "status_set", room_id=room, status="online")["type"] == "status_set"
    assert [p["user_display_name"] for p in ann.detail(room)["participants"]] == ["Robert"]


def test_a_new_password_ends_the_other_sessions_sockets(people):
    from contract.client import PASSWORD

    ann = people("Ann")
    ended = ann.socket()
    ann.sign_in()
    kept = ann.socket()
    assert ann.patch("/api/auth/me", password="another-good-one", current_password=PASSWORD).status_code == 200
    assert ended.closed() == 4401
    assert kept.ask("ping", "pong")["type"] == "pong"


def test_a_restart_closes_with_1012_and_everything_is_there_again(store_settings):
    server = Server(**store_settings).start()
    try:
        ann = Person(server, "Ann")
        room = ann.room()
        socket = ann.socket()
        socket.subscribe(room, status="in_call")
        ann.say(room, "before")
        server.process.terminate()
        assert socket.closed(timeout=20) == 1012
        assert server.process.wait(20) == 0
        # Longer than the grace of a departure: a restart is none.
        time.sleep(6)
        server.start()
        assert [p["status"] for p in ann.detail(room)["participants"]] == ["in_call"]
        answer = ann.socket().subscribe(room, after_seq=0)
        assert [m["content"] for m in answer["messages"]] == ["before"]
        assert [p["status"] for p in answer["participants"]] == ["in_call"]
        ann.close()
    finally:
        server.close()


def test_a_flood_of_frames_ends_the_socket_and_too_many_sockets_are_refused():
    with Server() as server:
        ann = Person(server, "Ann")
        socket = ann.socket()
        with contextlib.suppress(ConnectionClosed):
            for _ in range(2000):
                socket.send("ping")
        assert socket.closed() == 4429
        sockets = []
        with pytest.raises(InvalidStatus) as refusal:
            for _ in range(25):
                sockets.append(ann.socket())
        assert refusal.value.response.status_code == 429
        assert 19 <= len(sockets) <= 20
        sockets.pop().raw.close()
        wait_until(lambda: opens(ann))
        ann.close()


def opens(person):
    try:
        return person.socket()
    except InvalidStatus:
        return None
