"""A new signing key: it takes over without anybody being turned away, on every server."""

from __future__ import annotations

import re
import threading
import time

import httpx
import jwt
import psycopg
import pytest

from conftest import fresh_databases
from contract.client import PASSWORD, Person, wait_until
from harness.server import INNER, Server, Split, run_to_end

pytestmark = pytest.mark.timed

# A new key is published so long before it signs.
NOTICE_S = 15


class Users:
    """People who sign in and call all the time; whoever is turned away is noted."""

    def __init__(self, server) -> None:
        self.server = server
        self.early = Person(server, "Early")
        self.refused: list[str] = []
        self.kids: set[str] = set()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(2)]

    def work(self) -> None:
        late = Person(self.server, "Late")
        while not self.over.is_set():
            late.sign_in()
            self.kids.add(kid(late))
            for person in (late, self.early):
                for path in ("/api/rooms", "/api/auth/me"):
                    answer = person.get(path)
                    if answer.status_code != 200:
                        self.refused.append(f"{path}: {answer.text}")

    def __enter__(self) -> "Users":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


def kid(person: Person) -> str:
    return jwt.get_unverified_header(person.http.headers["authorization"].removeprefix("Bearer "))["kid"]


def published(server) -> list[str]:
    return [key["kid"] for key in httpx.get(server.url + "/.well-known/jwks.json").json()["keys"]]


def rotate(server: Server) -> str:
    """Rotates as an administrator does beside a running server, and gives the new key's name."""
    done = run_to_end(["rotate-keys"], **server.settings)
    assert done.returncode == 0, done.stderr
    [name] = re.findall(r"Key (\S+) signs access tokens in 1[45] seconds", done.stdout)
    return name


@pytest.fixture(params=["in one", "apart, with two auth servers"])
def system(request, postgres):
    """A system, and its servers of accounts."""
    if request.param == "in one":
        with Server(RATE_LIMITS="off") as server:
            yield server, [server]
        return
    with Split(RATE_LIMITS="off", **fresh_databases(postgres)) as split:
        with Server(**{name: value for name, value in split.auth.settings.items() if name != "DATA_DIR"}) as second:
            both = f"{split.auth.url},{second.url}"
            with Server(**split.gateway.settings | {"AUTH_SERVICE_URL": both, "DATA_DIR": None}) as gateway:
                yield gateway, [split.auth, second]


def test_a_new_key_takes_over_and_nobody_is_turned_away(system):
    entrance, auth_servers = system
    with Users(entrance) as users:
        wait_until(lambda: users.kids)
        [old] = users.kids
        began = time.monotonic()
        new = rotate(auth_servers[0])
        for server in auth_servers:
            wait_until(lambda server=server: published(server) == [old, new], timeout=NOTICE_S)
        assert users.kids == {old}, "it is published before it signs"
        wait_until(lambda: new in users.kids, timeout=NOTICE_S + 5)
        assert time.monotonic() - began > NOTICE_S - 2
        users.kids.clear()
        wait_until(lambda: len(users.kids) == 1)
        wait_until(lambda: users.kids == {new}, timeout=5)
    assert users.refused == []
    # What the old key signed is good to its end.
    assert kid(users.early) == old and users.early.get("/api/auth/me").status_code == 200
    for server in auth_servers:
        assert published(server) == [old, new]
    database = auth_servers[0].settings.get("AUTH_DATABASE_URL")
    if database:
        rotate(auth_servers[0])
        with psycopg.connect(database) as connection:
            erased = connection.execute("SELECT kid FROM signing_keys WHERE sealed_private_key = ''").fetchall()
        assert erased == [(old,)], "what signs no more is not kept"


def test_only_who_has_keys_and_their_secret_rotates_them(postgres):
    databases = fresh_databases(postgres)
    with Server(ROLE="auth", **INNER, **databases) as server:
        before = published(server)
        for settings, words in (
            ({"ROLE": "gateway", "AUTH_SERVICE_URL": "http://a:1", "CONFERENCE_SERVICE_URL": "http://b:1"}, "role auth"),
            ({"ROLE": "auth", "JWT_SECRET_KEY": "s" * 32}, "JWT_SECRET_KEY"),
            ({"ROLE": "auth", "INTERNAL_TOKEN": "another-secret-than-the-servers-have"}, "INTERNAL_TOKEN"),
        ):
            done = run_to_end(["rotate-keys"], **databases | INNER | {"DATA_DIR": server.home / "data"} | settings)
            assert done.returncode == 1 and words in done.stderr, done
        assert published(server) == before
        login = {"email": "nobody@example.org", "password": PASSWORD}
        assert httpx.post(server.url + "/api/auth/login", json=login).status_code == 401
