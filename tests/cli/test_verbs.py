"""Every verb, from both sides, on both stores."""

from __future__ import annotations

import json
import os
import pwd
import stat
import uuid

import pytest

from cli.conftest import Installation
from cli.terminal import first_line
from contract.client import ACCOUNT, MESSAGE, PARTICIPANT, PASSWORD, ROOM, problem, unique_email, wait_until

NEW_PASSWORD = "another-horse-battery"


def slug() -> str:
    return "r-" + uuid.uuid4().hex[:12]


def made(installation: Installation, *more: str) -> dict:
    """Makes an account by the program."""
    email = unique_email()
    create = ["users", "create", "--email", email, "--name", "Made", "--password-stdin", *more]
    return installation.cli.json(*create, stdin=PASSWORD + "\n")


def signs_in(installation: Installation, email: str, password: str) -> bool:
    answer = installation.administrator.post("/api/auth/login", email=email, password=password)
    assert answer.status_code in (200, 401, 403), answer.text
    return answer.status_code == 200


def test_users_are_made_shown_listed_and_renamed(installation):
    cli = installation.cli
    account = made(installation)
    assert set(account) == ACCOUNT and account["is_active"] and not account["is_admin"]
    assert signs_in(installation, account["email"], PASSWORD)
    shown = cli.json("users", "show", account["email"].upper())
    assert shown == cli.json("users", "show", account["id"]) == account
    assert account in cli.json("users", "list")
    assert cli.json("users", "list", "--query", account["email"]) == [account]
    assert cli.text("-o", "name", "users", "list", "--query", account["email"]) == account["email"] + "\n"
    renamed = cli.json("users", "rename", account["id"], "Another Name")
    assert renamed == account | {"display_name": "Another Name"}
    assert "Another Name" in cli.text("users", "list")


def test_lists_page_by_themselves(installation):
    cli = installation.cli
    mark = uuid.uuid4().hex[:8]
    people = [installation.person(f"Page {mark} {number}") for number in range(3)]
    assert len(cli.json("users", "list", "--query", mark)) == len(people)
    assert len(cli.json("users", "list", "--query", mark, "--limit", 2)) == 2
    for number in range(103):
        installation.administrator.room(f"Paged {mark} {number}")
    names = [room["name"] for room in cli.json("rooms", "list", "--query", mark)]
    assert names == [f"Paged {mark} {number}" for number in reversed(range(103))]


def test_a_new_administrator_administers_and_the_last_one_stays(installation):
    cli = installation.cli
    account = made(installation, "--admin")
    assert account["is_admin"]
    assert not cli.json("users", "revoke-admin", account["email"])["is_admin"]
    assert cli.json("users", "grant-admin", account["email"])["is_admin"]
    cli.run("users", "revoke-admin", account["id"])
    admins = [one for one in cli.json("users", "list") if one["is_admin"] and one["is_active"]]
    assert [one["email"] for one in admins] == [installation.administrator.email]
    last = installation.administrator.email
    for verb in ("revoke-admin", "deactivate", "delete"):
        assert "Somebody has to administer" in cli.refused("--yes", "users", verb, last)


def test_a_password_is_set_and_ends_sessions(installation):
    ann = installation.person("Ann")
    socket = ann.socket()
    installation.cli.run("users", "set-password", ann.email, "--password-stdin", stdin=NEW_PASSWORD)
    assert socket.closed(timeout=6) == 4401
    assert not signs_in(installation, ann.email, PASSWORD)
    assert signs_in(installation, ann.email, NEW_PASSWORD)


def test_who_is_deactivated_is_out_within_5_s_and_may_come_back(installation):
    ann = installation.person("Ann")
    socket = ann.socket()
    account = installation.cli.json("--yes", "users", "deactivate", ann.email)
    assert not account["is_active"]
    assert socket.closed(timeout=5) == 4401
    wait_until(lambda: ann.get("/api/auth/me").status_code == 401)
    assert not signs_in(installation, ann.email, PASSWORD)
    assert installation.cli.json("users", "activate", ann.id)["is_active"]
    assert signs_in(installation, ann.email, PASSWORD)


def test_a_deleted_account_leaves_its_words_under_a_neutral_name(installation):
    owner, ann = installation.person("Owner"), installation.person("Ann")
    room = owner.room()
    ann.join(room)
    ann.say(room, "what stays")
    assert installation.cli.text("--yes", "users", "delete", ann.email) == f"Deleted {ann.email}.\n"
    def names():
        messages = owner.get(f"/api/rooms/{room}/messages").json()["messages"]
        return [(message["content"], message["user_display_name"]) for message in messages]
    wait_until(lambda: names() == [("what stays", "Deleted user")], timeout=6)
    assert "no account" in installation.cli.refused("users", "show", ann.email)
    assert "no such account" in installation.cli.refused("users", "show", ann.id)


def test_a_reset_link_sets_a_password_once(installation):
    ann = installation.person("Ann")
    link = installation.cli.json("users", "reset-link", ann.email)
    assert link["url"].endswith("/#reset=" + link["code"])
    reset = {"code": link["code"], "password": NEW_PASSWORD}
    assert ann.post("/api/auth/reset", **reset).status_code == 204
    assert signs_in(installation, ann.email, NEW_PASSWORD)
    problem(ann.post("/api/auth/reset", **reset), 403, "invalid_reset_code")


def test_rooms_are_made_shown_listed_changed_and_closed(installation):
    cli, ann = installation.cli, installation.person("Ann")
    name = slug()
    create = ["rooms", "create", "Weekly planning", "--owner", ann.email, "--description", "What next", "--capacity",
              7, "--lobby", "--slug", name, "--opens-at", "2020-01-31T09:30:00Z", "--closes-at", "2099-01-31T09:30:00Z"]
    room = cli.json(*create)
    assert set(room) == ROOM and room["owner_id"] == ann.id and room["capacity"] == 7 and room["lobby"]
    assert room["opens_at"] == "2020-01-31T09:30:00.000Z"
    assert ann.detail(room["id"])["my_role"] == "owner"
    shown = cli.json("rooms", "show", name)
    assert {key: shown[key] for key in ("id", "name", "slug")} == {"id": room["id"], "name": room["name"], "slug": name}
    assert name + "\n" in cli.text("-o", "name", "rooms", "list")
    other = slug()
    changed = cli.json("rooms", "update", name, "--name", "Daily", "--description", "", "--capacity", 9,
                       "--lobby=false", "--slug", other, "--opens-at", "", "--closes-at", "")
    expected = {"name": "Daily", "description": None, "capacity": 9, "lobby": False, "slug": other, "opens_at": None,
                "closes_at": None}
    assert {key: changed[key] for key in expected} == expected
    link = cli.json("rooms", "update", other, "--visibility", "private") and cli.json("rooms", "link-code", other)
    assert link["url"].endswith(f"/r/{other}#code={link['code']}")
    assert cli.json("rooms", "link-code", other, "--renew")["code"] != link["code"]
    socket = ann.socket()
    socket.subscribe(room["id"])
    assert cli.text("--yes", "rooms", "delete", other) == "Closed Daily.\n"
    socket.receive("room_closed", timeout=5)
    assert not [one for one in cli.json("rooms", "list") if one["id"] == room["id"]]
    assert [one["is_active"] for one in cli.json("rooms", "list", "--all") if one["id"] == room["id"]] == [False]


def test_a_room_with_a_password_asks_for_it(installation):
    ann, bob = installation.person("Ann"), installation.person("Bob")
    as_ann, as_bob = installation.acting(ann), installation.acting(bob)
    name = slug()
    create = ["rooms", "create", "Guarded", "--slug", name, "--visibility", "password", "--password-stdin"]
    room = as_ann.json(*create, stdin="a-room-password\n")
    assert room["owner_id"] == ann.id and room["my_role"] == "owner"
    assert "needs a password" in as_bob.refused("rooms", "join", name)
    assert "not right" in as_bob.refused("rooms", "join", name, "--password-stdin", stdin="wrong-password")
    joined = as_bob.json("rooms", "join", name, "--password-stdin", stdin="a-room-password")
    assert joined["room_id"] == room["id"]


def test_people_come_and_go_and_hosts_decide(installation):
    ann, bob, cleo = (installation.person(name) for name in ("Ann", "Bob", "Cleo"))
    host, guest = installation.acting(ann), installation.acting(bob)
    room = ann.room(lobby=True)

    def waits(person):
        answer = person.post(f"/api/rooms/{room}/join")
        assert answer.status_code == 202, answer.text

    waiting = guest.json("rooms", "join", room)
    assert waiting["waiting"] and waiting["position"] == 1
    assert set(host.json("rooms", "admit", room, bob.id)) == PARTICIPANT
    waits(cleo)
    assert host.json("rooms", "deny", room, cleo.id)["user_id"] == cleo.id
    waits(cleo)
    assert [one["user_id"] for one in host.json("rooms", "admit", room, "--all")["admitted"]] == [cleo.id]

    members = host.json("rooms", "participants", room, "--members")
    assert [one["user_id"] for one in members] == [ann.id, bob.id, cleo.id]
    assert host.json("rooms", "mute", room, bob.id)["muted_by_host"]
    assert host.json("rooms", "promote", room, bob.id)["role"] == "moderator"
    assert host.json("rooms", "demote", room, bob.id)["role"] == "participant"
    host.run("rooms", "kick", room, cleo.id)
    problem(cleo.get(f"/api/rooms/{room}/messages"), 403, "not_member")
    host.run("rooms", "ban", room, cleo.id)
    problem(cleo.post(f"/api/rooms/{room}/join"), 403, "banned")
    assert [one["user_id"] for one in host.json("rooms", "participants", room, "--banned")] == [cleo.id]
    host.run("rooms", "unban", room, cleo.id)
    waits(cleo)
    assert "Nobody may do this to the room's owner" in host.refused("rooms", "kick", room, ann.id)
    assert "You may not do this" in guest.refused("rooms", "kick", room, cleo.id)
    assert host.json("rooms", "hand-on", room, bob.id)["owner_id"] == bob.id
    installation.cli.run("rooms", "end", room)
    assert guest.json("rooms", "participants", room) == []
    assert host.json("rooms", "leave", room)["message"]
    assert "not in this room" in host.refused("rooms", "leave", room)


def test_chat_is_sent_read_followed_and_exported(installation, tmp_path):
    ann, bob = installation.person("Ann"), installation.person("Bob")
    room = ann.room()
    bob.join(room)
    cli = installation.acting(ann)
    sent = cli.json("chat", "send", room, "hello from the terminal")
    assert set(sent) == MESSAGE and sent["seq"] == 1 and sent["user_id"] == ann.id
    cli.run("chat", "send", room, "-", stdin="two\nlines\n")
    for number in range(3, 9):
        bob.say(room, f"message {number}")
    page = cli.json("chat", "history", room)
    assert page["total"] == 8 and [one["seq"] for one in page["messages"]] == list(range(1, 9))
    assert page["messages"][1]["content"] == "two\nlines"
    after = cli.json("chat", "history", room, "--after", 2, "--limit", 3)
    assert [one["seq"] for one in after["messages"]] == [3, 4, 5]
    assert [one["seq"] for one in cli.json("chat", "history", room, "--limit", 2)["messages"]] == [7, 8]
    assert "two\n    lines" in cli.text("chat", "history", room)

    following = cli.start("-o", "json", "chat", "follow", room, "--after", 6)
    try:
        assert [json.loads(first_line(following))["seq"] for _ in range(2)] == [7, 8]
        bob.say(room, "live")
        assert json.loads(first_line(following))["content"] == "live"
    finally:
        following.kill()
        following.communicate()

    for form, sign in (("json", '"messages"'), ("txt", "live"), ("html", "<!doctype html>")):
        text = installation.cli.text("chat", "export", room, "--format", form)
        assert sign.lower() in text.lower()
        target = tmp_path / f"history.{form}"
        installation.cli.run("chat", "export", room, "--format", form, "--file", target)
        assert target.read_text() == text and stat.S_IMODE(target.stat().st_mode) == 0o600
        assert "is there already" in installation.cli.refused("chat", "export", room, "--file", target)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_long_history_is_read_whole(installation):
    ann = installation.person("Ann")
    room = ann.room()
    for number in range(1, 206):
        ann.say(room, str(number))
    cli = installation.acting(ann)
    expected = list(range(1, 206))
    assert [one["seq"] for one in cli.json("chat", "history", room, "--after", 0)["messages"]] == expected
    assert [one["seq"] for one in cli.json("chat", "history", room, "--limit", 203)["messages"]] == expected[2:]
    assert [one["seq"] for one in cli.json("chat", "history", room, "--limit", 300)["messages"]] == expected


def test_keys_are_made_listed_and_revoked(installation):
    cli = installation.cli
    key = cli.json("api-keys", "create", "operator", "--expires-at", "2099-01-31T00:00:00Z")
    assert key["key"].startswith("cmk_") and key["scopes"] == ["rooms:manage"]
    listed = [one for one in cli.json("api-keys", "list") if one["id"] == key["id"]]
    assert listed == [{name: value for name, value in key.items() if name != "key"}]
    assert cli.text("--yes", "api-keys", "revoke", key["id"]) == f"Revoked the key {key['id']}.\n"
    assert not [one for one in cli.json("api-keys", "list") if one["id"] == key["id"]]
    assert "no such key" in cli.refused("--yes", "api-keys", "revoke", key["id"])
    assert "expires_at" in cli.refused("api-keys", "create", "late", "--expires-at", "2020-01-01T00:00:00Z")


def test_the_table_of_rules_answers_for_anybody(installation):
    ann, bob = installation.person("Ann"), installation.person("Bob")
    room = ann.room()
    bob.join(room)
    cli = installation.cli
    allowed = cli.json("can-i", "kick", room, "--as", ann.email)
    assert allowed["allowed"] and allowed["rule"] == "kick.host_towards_others.active"
    denied = cli.run("-o", "json", "can-i", "kick", room, "--as", bob.id, code=1)
    assert not json.loads(denied.stdout)["allowed"] and denied.stderr == ""
    assert cli.run("can-i", "kick", room, "--as", ann.id, "--user", ann.id, code=1).stdout.startswith("no: Nobody")
    assert "one of" in cli.refused("can-i", "fly", room, "--as", ann.id)


def test_the_record_says_who_did_it_from_where(installation):
    ann = installation.person("Ann")
    cli = installation.cli
    cli.run("users", "rename", ann.email, "Ann Other")
    room = cli.json("rooms", "create", "Recorded", "--owner", ann.email)["id"]

    def deed(action, target):
        deeds = [one for one in cli.json("audit", "--limit", 100) if one["action"] == action and one["target_id"] == target]
        return deeds[0] if deeds else None

    renamed = wait_until(lambda: deed("rename_user", ann.id))
    if installation.side == "direct":
        assert (renamed["actor_id"], renamed["actor_name"]) == (None, "console")
        name = pwd.getpwuid(os.getuid()).pw_name
        assert renamed["address"] == f"{name}@{os.uname().nodename}"
    else:
        assert (renamed["actor_id"], renamed["address"]) == (installation.administrator.id, "127.0.0.1")
    assert renamed["result"] == "done" and renamed["request_id"]
    assert len(cli.json("audit", "--limit", 2)) == 2
    of_room = cli.json("audit", "--room", room, "--limit", 1000)
    assert [(one["action"], one["target_id"]) for one in of_room] == [("create_room", ann.id)]


def test_rooms_are_watched_line_by_line(installation):
    mark = uuid.uuid4().hex[:8]
    ann = installation.person("Ann")
    room = ann.room(f"Watched {mark}")
    watching = installation.cli.start("rooms", "watch", "--query", mark, "--interval", 1)
    try:
        assert json.loads(first_line(watching))["id"] == room
        ann.patch(f"/api/rooms/{room}", name=f"Watched {mark} again")
        assert json.loads(first_line(watching))["name"] == f"Watched {mark} again"
        ann.delete(f"/api/rooms/{room}")
        assert json.loads(first_line(watching)) == {"id": room, "gone": True}
    finally:
        watching.kill()
        watching.communicate()


@pytest.mark.parametrize("form", ["table", "json", "yaml", "name"])
def test_every_form_says_the_same(installation, form):
    email = installation.administrator.email
    text = installation.cli.text("-o", form, "users", "show", email)
    assert email in text
    if form == "json":
        assert set(json.loads(text)) == ACCOUNT
