"""Accounts and sessions over REST."""

import base64
import re
import time

import httpx
import jwt
import pytest

from contract.client import ACCOUNT, PASSWORD, Person, problem, unique_email, wait_until
from harness.server import Server

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url, timeout=5) as client:
        yield client


def register(http, **changes):
    body = {"email": unique_email(), "display_name": "Ann", "password": PASSWORD} | changes
    return http.post("/api/auth/register", json={k: v for k, v in body.items() if v is not ...})


def login(http, person, query="", password=PASSWORD):
    return http.post("/api/auth/login" + query, json={"email": person.email, "password": password})


def bearer(token):
    return {"authorization": "Bearer " + token}


def cookie(token):
    return {"cookie": "cm_refresh=" + token}


def test_registering_gives_the_account_and_no_password(http):
    answer = register(http, email="  Some.One+tag@Example.ORG ", more=1)
    assert answer.status_code == 201
    account = answer.json()
    assert set(account) == ACCOUNT
    assert account["email"] == "some.one+tag@example.org"
    assert account["is_active"] is True and account["is_admin"] is False
    assert TIME.fullmatch(account["created_at"])


def test_an_address_is_taken_without_regard_to_case(http):
    email = unique_email()
    assert register(http, email=email).status_code == 201
    problem(register(http, email=email.upper()), 409, "email_taken")


@pytest.mark.parametrize("changes, field", [
    ({"email": ...}, "email"), ({"display_name": ...}, "display_name"), ({"password": ...}, "password"),
    ({"email": "nobody"}, "email"), ({"email": "a@b"}, "email"), ({"email": "a b@example.org"}, "email"),
    ({"email": "x" * 250 + "@example.org"}, "email"), ({"email": 1}, "email"), ({"email": None}, "email"),
    ({"display_name": "x"}, "display_name"), ({"display_name": "x" * 101}, "display_name"),
    ({"display_name": "  "}, "display_name"), ({"display_name": "a\u202eb"}, "display_name"),
    ({"display_name": "a\x00b"}, "display_name"), ({"display_name": "a\nb"}, "display_name"),
    ({"password": "1234567"}, "password"), ({"password": "x" * 129}, "password"),
    ({"password": "password"}, "password"), ({"password": "PASSWORD1"}, "password"), ({"password": []}, "password"),
])
def test_a_field_that_breaks_a_rule_is_named(http, changes, field):
    body = problem(register(http, **changes), 422, "invalid")
    assert [error["field"] for error in body["errors"]] == [field]
    assert all(set(error) == {"field", "message"} and error["message"] for error in body["errors"])


def test_all_broken_fields_are_named_at_once(http):
    body = problem(register(http, email="nobody", display_name="x", password="short"), 422, "invalid")
    assert {error["field"] for error in body["errors"]} == {"email", "display_name", "password"}


@pytest.mark.parametrize("changes", [
    {"display_name": "Ян"}, {"display_name": "😀😀"}, {"display_name": "😀" * 100}, {"password": "testpass"},
    {"password": "securepassword"}, {"password": "😀" * 128}, {"password": "x" * 128}, {"password": "пароль из слов"},
])
def test_lengths_count_characters_and_the_limits_are_allowed(http, changes):
    assert register(http, **changes).status_code == 201


def test_a_password_may_not_be_the_address(http):
    email = unique_email()
    problem(register(http, email=email, password=email.upper()), 422, "invalid")


def test_a_login_gives_a_bearer_token_and_a_cookie_out_of_reach(http, people):
    answer = login(http, people("Ann"))
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    given = answer.headers["set-cookie"]
    assert given.startswith("cm_refresh=")
    for attribute in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={30 * 24 * 3600}"):
        assert attribute in given
    assert "Secure" not in given
    assert http.get("/api/auth/me", headers=bearer(body["access_token"])).status_code == 200


def test_a_login_ignores_the_case_of_the_address_and_never_judges_a_password(http, people):
    ann = people("Ann")
    assert http.post("/api/auth/login", json={"email": ann.email.upper(), "password": PASSWORD}).status_code == 200
    for password in ("", "x", "x" * 5000, "password", "\x00"):
        problem(login(http, ann, password=password), 401, "wrong_credentials")
    for email in ("nobody@example.org", "", "no address", "\x00@x.org"):
        answer = http.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        problem(answer, 401, "wrong_credentials")


def test_me_and_validate_say_whose_a_token_is(people):
    ann = people("Ann")
    me = ann.get("/api/auth/me").json()
    assert set(me) == ACCOUNT and me["email"] == ann.email
    valid = ann.get("/api/auth/validate").json()
    assert valid == {"valid": True, "user_id": ann.id, "email": ann.email, "display_name": "Ann"}


@pytest.mark.parametrize("header", [
    None, "", "Bearer", "Bearer nonsense", "Bearer a.b.c", "Basic dXNlcjpwYXNz", "nonsense",
])
def test_without_a_good_token_nothing_is_answered(http, header):
    headers = {} if header is None else {"authorization": header}
    for path in ("/api/auth/me", "/api/auth/validate", "/api/rooms", "/api/rooms/1"):
        answer = http.get(path, headers=headers)
        assert answer.status_code == 401
        problem(answer, 401, answer.json()["code"])
        assert answer.json()["code"] in ("unauthenticated", "invalid_token")


def test_a_token_is_signed_by_a_public_key_and_tampering_shows(http, people):
    token = login(http, people("Ann")).json()["access_token"]
    keys = http.get("/.well-known/jwks.json").json()["keys"]
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "EdDSA"
    [key] = [key for key in keys if key["kid"] == header["kid"]]
    claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["EdDSA"], options={"verify_aud": False})
    assert claims["exp"] - claims["iat"] == 3600
    head, body, signature = token.split(".")
    forged = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    public = base64.urlsafe_b64decode(key["x"] + "==")
    for bad in (
        f"{forged}.{body}.", f"{forged}.{body}.{signature}", f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA",
        jwt.encode(claims, public, algorithm="HS256", headers={"kid": key["kid"], "typ": "at+jwt"}),
    ):
        problem(http.get("/api/auth/me", headers=bearer(bad)), 401, "invalid_token")


def test_a_refresh_by_cookie_rotates_and_a_replay_gets_the_same_successor(http, people):
    first = login(http, people("Ann")).cookies["cm_refresh"]
    http.cookies.clear()
    answers = [http.post("/api/auth/refresh", headers=cookie(first)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    second = answers[0].cookies["cm_refresh"]
    assert second != first and answers[1].cookies["cm_refresh"] == second
    assert "refresh_token" not in answers[0].json()
    http.cookies.clear()
    assert http.post("/api/auth/refresh", headers=cookie(second)).status_code == 200


def test_a_refresh_token_stands_in_the_body_only_where_asked_for(http, people):
    body = login(http, people("Ann"), "?refresh=body").json()
    http.cookies.clear()
    answer = http.post("/api/auth/refresh", json={"refresh_token": body["refresh_token"]})
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != body["refresh_token"]
    assert http.get("/api/auth/me", headers=bearer(answer.json()["access_token"])).status_code == 200


def test_a_refresh_without_a_good_token_is_refused(http):
    problem(http.post("/api/auth/refresh"), 401, "invalid_refresh_token")
    problem(http.post("/api/auth/refresh", json={"refresh_token": "x"}), 401, "invalid_refresh_token")


def test_a_refresh_by_cookie_needs_a_matching_origin_when_one_is_sent(http, server, people):
    token = login(http, people("Ann")).cookies["cm_refresh"]
    http.cookies.clear()
    for origin in ("https://evil.example", "null", "http://localhost:1"):
        answer = http.post("/api/auth/refresh", headers={"origin": origin} | cookie(token))
        problem(answer, 403, "foreign_origin")
        http.cookies.clear()
    answer = http.post("/api/auth/refresh", headers={"origin": server.url} | cookie(token))
    assert answer.status_code == 200


def test_a_logout_ends_the_session_with_all_its_tokens(http, people):
    ann = people("Ann")
    body = login(http, ann, "?refresh=body").json()
    headers = bearer(body["access_token"])
    answer = http.post("/api/auth/logout", headers=headers)
    assert answer.status_code == 204 and "Max-Age=0" in answer.headers["set-cookie"]
    http.cookies.clear()
    problem(http.get("/api/auth/me", headers=headers), 401, "session_over")
    problem(http.post("/api/auth/refresh", json={"refresh_token": body["refresh_token"]}), 401, "invalid_refresh_token")
    problem(http.post("/api/auth/logout"), 401, "unauthenticated")
    assert ann.get("/api/auth/me").status_code == 200, "another session goes on"


def test_a_new_name_shows_everywhere(server, people):
    ann, bob = people("Ann", "Bob")
    room = ann.room()
    ann.join(room)
    ann.say(room, "hi")
    answer = ann.patch("/api/auth/me", display_name=" Анна ")
    assert answer.status_code == 200 and answer.json()["display_name"] == "Анна"
    assert ann.get("/api/auth/validate").json()["display_name"] == "Анна"
    in_room = lambda: [p["user_display_name"] for p in bob.detail(room)["participants"]]  # noqa: E731
    wait_until(lambda: in_room() == ["Анна"], timeout=server.bites_s)
    messages = ann.get(f"/api/rooms/{room}/messages").json()["messages"]
    assert messages[0]["user_display_name"] == "Анна"


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(server, http, people):
    ann = people("Ann")
    other = bearer(login(http, ann).json()["access_token"])
    body = problem(ann.patch("/api/auth/me", password="another-good-one"), 422, "invalid")
    assert body["errors"][0]["field"] == "current_password"
    wrong = ann.patch("/api/auth/me", password="another-good-one", current_password="wrong")
    problem(wrong, 403, "wrong_password")
    problem(ann.patch("/api/auth/me", password="short", current_password=PASSWORD), 422, "invalid")
    assert http.get("/api/auth/me", headers=other).status_code == 200
    assert ann.patch("/api/auth/me", password="another-good-one", current_password=PASSWORD).status_code == 200
    assert ann.get("/api/auth/me").status_code == 200
    wait_until(lambda: http.get("/api/auth/me", headers=other).status_code == 401, timeout=server.bites_s)
    problem(http.get("/api/auth/me", headers=other), 401, "session_over")
    problem(login(http, ann), 401, "wrong_credentials")
    assert login(http, ann, password="another-good-one").status_code == 200


def test_with_a_shared_secret_tokens_are_hs256_and_no_key_is_public():
    secret = "a-secret-that-nobody-can-guess-at-all"
    with Server(JWT_SECRET_KEY=secret, JWT_ACCESS_TOKEN_EXPIRE_MINUTES=5) as server:
        ann = Person(server)
        answer = ann.post("/api/auth/login", email=ann.email, password=PASSWORD).json()
        claims = jwt.decode(answer["access_token"], secret, algorithms=["HS256"], options={"verify_aud": False})
        assert answer["expires_in"] == 300 and claims["sub"] == str(ann.id)
        assert ann.get("/.well-known/jwks.json").json() == {"keys": []}
        ann.close()


def test_sessions_survive_a_restart():
    server = Server().start()
    try:
        ann = Person(server)
        assert server.terminate() == 0
        server.start()
        assert ann.get("/api/auth/me").status_code == 200
        ann.close()
    finally:
        server.close()


@pytest.mark.timed
def test_unknown_and_wrong_take_about_the_same_time(http, people):
    ann = people("Ann")

    def seconds(email):
        began = time.monotonic()
        answer = http.post("/api/auth/login", json={"email": email, "password": "wrong"})
        assert answer.status_code == 401
        return time.monotonic() - began

    known, unknown = zip(*((seconds(ann.email), seconds("nobody@example.org")) for _ in range(9)))
    ratio = sorted(unknown)[4] / sorted(known)[4]
    assert 0.5 < ratio < 2, "an unknown account would answer many times faster without the dummy hash"
