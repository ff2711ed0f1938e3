"""Administration: accounts of others, links for new passwords, keys for programs, and what is recorded of it."""

from __future__ import annotations

import httpx
import pytest

from contract.client import ACCOUNT, PASSWORD, Person, problem, unique_email, wait_until
from contract.policy import ADMINISTRATION
from harness.server import Server

API_KEY = {"id", "name", "scopes", "created_by", "created_at", "expires_at", "last_used_at"}
OTHER = "another-good-password"


def new_user(administrator: Person, **more: object) -> dict:
    answer = administrator.post("/api/users", **{"email": unique_email(), "display_name": "Somebody", "password": PASSWORD} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def can_sign_in(server, email: str, password: str) -> bool:
    answer = httpx.post(server.url + "/api/auth/login", json={"email": email, "password": password})
    assert answer.status_code in (200, 401, 403), answer.text
    return answer.status_code == 200


@pytest.mark.parametrize("operation", ADMINISTRATION)
def test_only_administrators_administer(server, administrator, people, operation):
    ann, bob = people("Ann", "Bob")
    method, path, body = ADMINISTRATION[operation]
    key = administrator.post("/api/api-keys", name="Key", scopes=["rooms:manage"]).json()
    names = {"user": bob.id, "key": key["id"]}
    body = body and {name: unique_email() if value == "{fresh}" else value for name, value in body.items()}
    for client, status, code in ((ann.http, 403, "forbidden"), (None, 401, None)):
        ask = client or httpx.Client(base_url=server.url)
        answer = ask.request(method, path.format(**names), json=body)
        assert answer.status_code == status and code in (None, answer.json()["code"]), answer.text
    answer = administrator.http.request(method, path.format(**names), json=body)
    assert answer.is_success, answer.text


def test_accounts_are_found_by_parts_of_address_or_name(administrator):
    user = new_user(administrator, display_name="Ярослав Мудрый")
    assert set(user) == ACCOUNT and not user["is_admin"] and user["is_active"]
    found = lambda **query: [one["id"] for one in administrator.get("/api/users", **query).json()]  # noqa: E731
    assert found(query="мУДР") == [user["id"]]
    assert found(query=user["email"].upper()) == [user["id"]]
    assert found(query="100%") == [] and found(query="\x00") == []
    everybody = found(limit=100)
    assert everybody == sorted(everybody)
    assert found(skip=1, limit=2) == everybody[1:3]
    for query in ({"limit": 0}, {"limit": 101}, {"skip": -1}, {"query": "x" * 256}):
        problem(administrator.get("/api/users", **query), 422, "invalid")
    problem(administrator.get("/api/users/999999"), 404, "user_not_found")
    problem(administrator.get("/api/users/x"), 404, "user_not_found")


def test_an_account_is_found_by_its_whole_address(administrator):
    user = new_user(administrator)
    assert administrator.get("/api/users", email=user["email"].upper()).json() == [user]
    assert administrator.get("/api/users", email=unique_email()).json() == []
    problem(administrator.get("/api/users", email="none"), 422, "invalid")


def test_administrators_make_rooms_for_others(administrator, people):
    ann, bob = people("Ann", "Bob")
    made = administrator.post("/api/rooms", name="For Ann", visibility="private", owner_id=ann.id)
    assert made.status_code == 201 and made.json()["owner_id"] == ann.id and made.json()["my_role"] is None
    assert ann.detail(made.json()["id"])["my_role"] == "owner"
    deed = ann.get(f"/api/rooms/{made.json()['id']}/audit").json()[-1]
    assert (deed["action"], deed["actor_id"], deed["target_id"]) == ("create_room", administrator.id, ann.id)
    assert bob.post("/api/rooms", name="Own", owner_id=bob.id).status_code == 201
    problem(bob.post("/api/rooms", name="For Ann", owner_id=ann.id), 403, "forbidden")
    problem(administrator.post("/api/rooms", name="Nobody's", owner_id=2**62), 404, "user_not_found")
    administrator.patch(f"/api/users/{bob.id}", is_active=False)
    wait_until(lambda: administrator.post("/api/rooms", name="Gone", owner_id=bob.id).status_code == 404)


def test_administrators_ask_the_table_of_rules_for_others(administrator, people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()

    def may(asking, **more):
        answer = asking.get(f"/api/rooms/{room}/can-i", action="kick", **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["allowed"]

    assert may(administrator, as_user_id=ann.id) and not may(administrator, as_user_id=bob.id)
    assert may(ann, as_user_id=ann.id)
    problem(ann.get(f"/api/rooms/{room}/can-i", action="kick", as_user_id=bob.id), 403, "forbidden")
    problem(administrator.get(f"/api/rooms/{room}/can-i", action="kick", as_user_id=-1), 404, "user_not_found")


def test_an_account_is_made_whatever_registration_says_and_each_mistake_is_named(server, administrator):
    user = new_user(administrator, is_admin=True)
    assert user["is_admin"]
    problem(administrator.post("/api/users", email=user["email"].upper(), display_name="Twin"), 409, "email_taken")
    refused = problem(administrator.post("/api/users", email="x", display_name="y", password="z"), 422, "invalid")
    assert {error["field"] for error in refused["errors"]} == {"email", "display_name", "password"}
    silent = new_user(administrator, password=None)
    assert not can_sign_in(server, silent["email"], PASSWORD)


def test_who_is_deactivated_is_out_everywhere_and_comes_back_when_activated(server, administrator, people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    bob.join(room)
    sockets = [bob.socket() for _ in range(2)]
    for socket in sockets:
        socket.subscribe(room)
    answer = administrator.patch(f"/api/users/{bob.id}", is_active=False)
    assert answer.status_code == 200 and not answer.json()["is_active"]
    for socket in sockets:
        assert socket.closed(timeout=server.bites_s + 1) == 4401
    wait_until(lambda: bob.get("/api/rooms").status_code == 401, timeout=server.bites_s + 1)
    problem(bob.post("/api/auth/login", email=bob.email, password=PASSWORD), 403, "account_inactive")
    assert administrator.patch(f"/api/users/{bob.id}", is_active=True).status_code == 200
    # What ended does not begin again.
    assert bob.get("/api/rooms").status_code == 401
    bob.sign_in()
    assert bob.detail(room)["my_role"] == "participant"


def test_a_room_whose_owner_is_deactivated_goes_on_with_its_moderators(server, administrator, people):
    ann, bob, eve = people("Ann", "Bob", "Eve")
    room = ann.room(lobby=True)
    owner, host = ann.socket(), bob.socket()
    owner.subscribe(room, status="in_call")
    bob.wait(room)
    ann.do(room, "admit", bob)
    ann.do(room, "promote", bob)
    host.subscribe(room, status="in_call")
    assert administrator.patch(f"/api/users/{ann.id}", is_active=False).status_code == 200
    assert owner.closed(timeout=server.bites_s + 1) == 4401
    eve.wait(room)
    assert host.receive("lobby")["participant"]["user_id"] == eve.id
    assert bob.do(room, "admit", eve).status_code == 200
    host.ask("send", "sent", room_id=room, client_msg_id="1", content="we go on")
    detail = bob.detail(room)
    assert (detail["owner_id"], detail["is_active"]) == (ann.id, True)
    # Nobody acts against the owner; an administrator gives the room another.
    problem(bob.do(room, "ban", ann), 403, "against_owner")
    assert administrator.post(f"/api/rooms/{room}/owner", user_id=bob.id).status_code == 200
    assert bob.detail(room)["my_role"] == "owner"


def test_a_new_password_ends_all_sessions_but_ones_own(server, administrator, people):
    bob = people("Bob")
    assert administrator.patch(f"/api/users/{bob.id}", password=OTHER).status_code == 200
    wait_until(lambda: bob.get("/api/rooms").status_code == 401, timeout=server.bites_s + 1)
    assert can_sign_in(server, bob.email, OTHER) and not can_sign_in(server, bob.email, PASSWORD)
    problem(administrator.patch(f"/api/users/{bob.id}", password="short"), 422, "invalid")
    # Whoever sets their own stays where they are, and is out everywhere else.
    chief = people("Chief")
    administrator.patch(f"/api/users/{chief.id}", is_admin=True)
    here = chief.http.headers["authorization"]
    chief.sign_in()
    elsewhere = chief.http.headers["authorization"]
    chief.http.headers["authorization"] = here
    assert chief.patch(f"/api/users/{chief.id}", password=OTHER).status_code == 200
    state = lambda token: httpx.get(server.url + "/api/rooms", headers={"authorization": token}).status_code  # noqa: E731
    wait_until(lambda: state(elsewhere) == 401, timeout=server.bites_s + 1)
    assert state(here) == 200


def test_who_administers_changes_at_once_on_live_sockets_too(server, administrator, people):
    bob = people("Bob")
    problem(bob.get("/api/users"), 403, "forbidden")
    socket = bob.socket()
    assert administrator.patch(f"/api/users/{bob.id}", is_admin=True).json()["is_admin"]
    # The page comes back by itself, and with its new rights.
    assert socket.closed(timeout=server.bites_s + 1) == 1012
    wait_until(lambda: bob.get("/api/users").status_code == 200, timeout=server.bites_s + 1)
    assert administrator.patch(f"/api/users/{bob.id}", is_admin=False).status_code == 200
    wait_until(lambda: bob.get("/api/users").status_code == 403, timeout=server.bites_s + 1)


def test_the_last_administrator_stays():
    with Server() as server:
        ann, bob = Person(server, "Ann"), Person(server, "Bob")
        for change in ({"is_admin": False}, {"is_active": False}):
            problem(ann.patch(f"/api/users/{ann.id}", **change), 409, "last_administrator")
        problem(ann.delete(f"/api/users/{ann.id}"), 409, "last_administrator")
        assert ann.patch(f"/api/users/{bob.id}", is_admin=True).status_code == 200
        assert ann.patch(f"/api/users/{ann.id}", is_admin=False).status_code == 200
        problem(ann.get("/api/users"), 403, "forbidden")
        for person in (ann, bob):
            person.close()


def test_a_deleted_account_leaves_what_it_said_and_nothing_else(server, administrator, people):
    ann, bob, eve = people("Ann", "Bob the Builder", "Eve")
    own, moderated, lonely = ann.room(), bob.room("Moderated"), bob.room("Lonely")
    bob.join(own)
    for person in (ann, eve):
        person.join(moderated)
    bob.do(moderated, "promote", eve)
    said = bob.say(own, "I was here")
    assert administrator.delete(f"/api/users/{bob.id}").status_code == 204
    problem(administrator.delete(f"/api/users/{bob.id}"), 404, "user_not_found")
    problem(administrator.get(f"/api/users/{bob.id}"), 404, "user_not_found")
    assert not can_sign_in(server, bob.email, PASSWORD)

    def is_erased():
        message = ann.get(f"/api/rooms/{own}/messages").json()["messages"][0]
        return message["user_display_name"] == "Deleted user" and message

    message = wait_until(is_erased, timeout=7)
    assert (message["id"], message["content"], message["user_id"]) == (said["id"], "I was here", bob.id)
    members = ann.get(f"/api/rooms/{own}/participants", members=True).json()
    assert bob.id not in {member["user_id"] for member in members}
    wait_until(lambda: eve.detail(moderated)["my_role"] == "owner", timeout=7)
    wait_until(lambda: not administrator.detail(lonely)["is_active"], timeout=7)
    # The address is free, and whoever takes it is somebody else.
    again = new_user(administrator, email=bob.email)
    assert again["id"] != bob.id
    told = administrator.get("/api/audit", limit=200).text
    assert "Bob the Builder" not in told and bob.email not in told


def test_a_new_password_by_a_link_works_once(server, administrator, people):
    bob = people("Bob")
    first = administrator.post(f"/api/users/{bob.id}/reset-link")
    assert first.status_code == 201 and set(first.json()) == {"code", "url", "expires_at"}
    assert first.json()["url"].endswith("/#reset=" + first.json()["code"])
    link = administrator.post(f"/api/users/{bob.id}/reset-link").json()
    reset = lambda code, password: httpx.post(  # noqa: E731
        server.url + "/api/auth/reset", json={"code": code, "password": password}
    )
    problem(reset(first.json()["code"], OTHER), 403, "invalid_reset_code")
    problem(reset("nonsense", OTHER), 403, "invalid_reset_code")
    problem(reset(link["code"], "short"), 422, "invalid")
    assert reset(link["code"], OTHER).status_code == 204
    problem(reset(link["code"], OTHER), 403, "invalid_reset_code")
    wait_until(lambda: bob.get("/api/rooms").status_code == 401, timeout=server.bites_s + 1)
    assert can_sign_in(server, bob.email, OTHER) and not can_sign_in(server, bob.email, PASSWORD)
    # For who may not sign in, a link is good for nothing.
    link = administrator.post(f"/api/users/{bob.id}/reset-link").json()
    administrator.patch(f"/api/users/{bob.id}", is_active=False)
    problem(reset(link["code"], PASSWORD), 403, "invalid_reset_code")


def test_a_key_is_shown_once_and_revoked(administrator, people):
    made = administrator.post("/api/api-keys", name="Operator", scopes=["rooms:manage", "rooms:manage"])
    assert made.status_code == 201, made.text
    assert set(made.json()) == API_KEY | {"key"} and made.json()["key"].startswith("cmk_")
    assert made.json()["scopes"] == ["rooms:manage"]
    listed = administrator.get("/api/api-keys")
    assert made.json()["key"] not in listed.text
    assert listed.json()[0] == {name: value for name, value in made.json().items() if name != "key"}
    for wrong in ({"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"expires_at": "2020-01-01T00:00:00Z"}):
        answer = administrator.post("/api/api-keys", **{"name": "Key", "scopes": ["rooms:manage"]} | wrong)
        refused = problem(answer, 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == list(wrong)
    assert administrator.delete(f"/api/api-keys/{made.json()['id']}").status_code == 204
    problem(administrator.delete(f"/api/api-keys/{made.json()['id']}"), 404, "api_key_not_found")
    assert made.json()["id"] not in {key["id"] for key in administrator.get("/api/api-keys").json()}


def test_what_administrators_do_is_recorded_with_whom(administrator, people):
    bob = people("Bob")
    administrator.patch(f"/api/users/{bob.id}", display_name="Robert", is_admin=True, password=OTHER)
    administrator.patch(f"/api/users/{bob.id}", is_admin=False, is_active=False)
    administrator.patch(f"/api/users/{bob.id}", is_active=False)
    administrator.delete(f"/api/users/{bob.id}")

    def deeds():
        told = [deed for deed in administrator.get("/api/audit", limit=200).json() if deed["target_id"] == bob.id]
        return len(told) >= 6 and told

    told = wait_until(deeds, timeout=7)
    assert [deed["action"] for deed in reversed(told)] == [
        "rename_user", "grant_admin", "set_password", "deactivate_user", "revoke_admin", "delete_user",
    ]
    assert {(deed["actor_id"], deed["result"], deed["address"]) for deed in told} == {(administrator.id, "done", "127.0.0.1")}
    assert all(deed["request_id"] for deed in told)
