"""Redis slow, away, back, or refusing: nobody is refused for it, and nothing is lost."""

from __future__ import annotations

import contextlib
import threading
import time

import httpx
import pytest

from conftest import fresh_databases
from contract.client import Person, Socket, wait_until
from harness.redis import Redis
from harness.server import INNER, Server

pytestmark = pytest.mark.timed

# Other servers' messages, by the table of changes.
CAUGHT_UP_S = 3
# Redis hangs or is gone, until readyz says so; or works, until it says that.
NOTICED_S = 8
# No answer may wait for Redis longer than this.
ANSWERED_S = 2


@pytest.fixture
def redis():
    """A Redis of the test's own, that it may harm."""
    with Redis() as running:
        yield running


@contextlib.contextmanager
def pair(postgres, redis_url: str, **settings: str):
    shared = fresh_databases(postgres) | {"RATE_LIMITS": "off", "REDIS_URL": redis_url}
    shared |= {"INTERNAL_TOKEN": INNER["INTERNAL_TOKEN"]} | settings
    with Server(**shared) as here, Server(**shared) as there:
        yield here, there


def redis_state(server: Server) -> str:
    answer = httpx.get(server.url + "/readyz", timeout=ANSWERED_S)
    assert answer.status_code == 200, answer.text
    return answer.json()["redis"]


class Meeting:
    """Ann on one server and Bob on the other; whoever is told something late or not at all fails the test."""

    def __init__(self, here: Server, there: Server) -> None:
        self.ann, self.bob = Person(here, "Ann"), Person(there, "Bob")
        self.room = self.ann.room()
        self.bob.join(self.room)
        self.there = Socket(there, self.bob.ticket())
        self.there.subscribe(self.room)

    def goes_on(self, lines: int = 5) -> None:
        for _ in range(lines):
            began = time.monotonic()
            said = self.ann.say(self.room, "hi")
            assert time.monotonic() - began < ANSWERED_S
            self.there.receive("message", timeout=CAUGHT_UP_S, message=said)
            began = time.monotonic()
            assert self.history()[-1] == said["seq"], "a page is what the store has"
            assert time.monotonic() - began < ANSWERED_S

    def history(self) -> list[int]:
        answer = self.ann.get(f"/api/rooms/{self.room}/messages", limit=200)
        return [message["seq"] for message in answer.json()["messages"]]


def test_redis_frozen_thawed_killed_and_back(postgres, redis):
    with pair(postgres, redis.url()) as (here, there):
        meeting = Meeting(here, there)
        for harm, heal in ((redis.freeze, redis.thaw), (redis.kill, redis.start)):
            for server in (here, there):
                wait_until(lambda server=server: redis_state(server) == "up", timeout=NOTICED_S)
            meeting.goes_on()
            harm()
            meeting.goes_on()
            for server in (here, there):
                wait_until(lambda server=server: redis_state(server) == "away", timeout=NOTICED_S)
            meeting.goes_on()
            heal()
        for server in (here, there):
            wait_until(lambda server=server: redis_state(server) == "up", timeout=NOTICED_S)
        meeting.goes_on()
        assert meeting.history() == list(range(1, 36))
        for server in (here, there):
            # Told once each time, not with every attempt.
            assert server.read_log().count("the bus is away") == 2


def test_what_is_said_while_redis_goes_and_comes_is_heard_once_and_in_order(postgres, redis):
    with pair(postgres, redis.url()) as (here, there):
        meeting = Meeting(here, there)
        wait_until(lambda: redis_state(there) == "up", timeout=NOTICED_S)
        over = threading.Event()

        def disturb():
            for harm, heal in ((redis.freeze, redis.thaw), (redis.kill, redis.start)) * 2:
                over.wait(0.7)
                harm()
                over.wait(0.7)
                heal()
            over.set()

        disturbing = threading.Thread(target=disturb)
        disturbing.start()
        said = []
        while not over.is_set():
            said.append(meeting.ann.say(meeting.room, f"line {len(said)}")["seq"])
        disturbing.join()
        heard = [meeting.there.receive("message", timeout=CAUGHT_UP_S)["message"]["seq"] for _ in said]
        assert heard == said == list(range(1, len(said) + 1))


def test_a_server_starts_without_its_redis_and_finds_it_later(postgres, redis):
    url = redis.url()
    redis.kill()
    with pair(postgres, url) as (here, there):
        meeting = Meeting(here, there)
        meeting.goes_on()
        assert redis_state(here) == "away"
        redis.start()
        wait_until(lambda: redis_state(here) == redis_state(there) == "up", timeout=NOTICED_S)
        meeting.goes_on()


@pytest.mark.parametrize(
    ("options", "state", "logged"),
    [
        pytest.param(["--requirepass", "secret"], "away", "NOAUTH", id="a password that is not given"),
        pytest.param(["--replicaof", "127.0.0.1 1"], "up", "read only replica", id="read-only"),
        pytest.param(["--maxmemory", "1"], "up", "OOM", id="full"),
    ],
)
def test_a_redis_that_refuses_hinders_nobody(postgres, redis, options, state, logged):
    redis.kill()
    redis.start(*options)
    with pair(postgres, redis.url()) as (here, there):
        meeting = Meeting(here, there)
        meeting.goes_on()
        wait_until(lambda: redis_state(here) == state, timeout=NOTICED_S)
        meeting.goes_on()
        assert meeting.history() == list(range(1, 11))
        assert logged in here.read_log()
        # Told once each time, not with every attempt.
        assert here.read_log().count("Redis refuses") <= 1 and here.read_log().count("Redis serves no cache") <= 1


def test_the_password_of_redis_is_used_and_never_shown(postgres, redis):
    redis.kill()
    redis.start("--requirepass", "opensesame")
    with pair(postgres, redis.url(user=":opensesame@")) as (here, _):
        wait_until(lambda: redis_state(here) == "up", timeout=NOTICED_S)
        assert "opensesame" not in here.read_log()
    with pair(postgres, redis.url(user=":wrong-password@")) as (here, _):
        assert "AuthenticationFailed" in wait_until(lambda: "the bus is away" in here.read_log() and here.read_log())
        assert redis_state(here) == "away"
        assert "wrong-password" not in here.read_log()


def test_limits_are_counted_together_and_by_each_server_alone_without_redis(postgres, redis):
    with pair(postgres, redis.url(), RATE_LIMITS="on") as servers:
        ann = Person(servers[0], "Ann")

        def guesses(limit: int) -> int:
            """Wrong passwords at both servers in turn, until both refuse to hear more."""
            heard, refused = 0, set()
            while len(refused) < 2:
                assert heard <= limit
                for server in servers:
                    body = {"email": ann.email, "password": "wrong"}
                    answer = httpx.post(server.url + "/api/auth/login", json=body, timeout=ANSWERED_S)
                    if answer.status_code == 429:
                        assert 0 < int(answer.headers["retry-after"]) <= 16 * 60
                        refused.add(server.url)
                    else:
                        assert answer.status_code == 401, answer.text
                        heard += 1
            return heard

        assert guesses(10) == 10
        # Nothing was given away by being refused; each server heard five of its ten.
        redis.kill()
        assert guesses(10) == 10


def test_a_page_that_is_kept_is_never_out_of_date(postgres, redis):
    with pair(postgres, redis.url(), CACHE_TTL_SECONDS="60") as (here, there):
        meeting = Meeting(here, there)
        ann, bob, room = meeting.ann, meeting.bob, meeting.room
        page = lambda person: person.get(f"/api/rooms/{room}/messages").json()["messages"]  # noqa: E731
        pages_kept = lambda: [key for key in redis.keys() if ":page:" in key]  # noqa: E731
        said = ann.say(room, "first")
        assert page(ann) == page(bob)
        wait_until(lambda: len(pages_kept()) == 1)
        assert ann.patch(f"/api/rooms/{room}/messages/{said['id']}", content="better").status_code == 200
        assert [message["content"] for message in page(bob)] == ["better"]
        ann.say(room, "second")
        assert [message["content"] for message in page(bob)] == ["better", "second"]
        assert ann.patch("/api/auth/me", display_name="Anna").status_code == 200
        wait_until(lambda: {message["user_display_name"] for message in page(bob)} == {"Anna"})
        assert page(ann) == page(bob)
        # One for each of the four texts, and each of them goes by itself.
        wait_until(lambda: len(pages_kept()) == 4)
        assert all(0 < int(redis.command("PTTL", key).strip(b":\r\n")) <= 60_000 for key in pages_kept())


def test_what_redis_has_of_a_page_is_answered_by_a_server_that_has_not_read_it(postgres, redis):
    with pair(postgres, redis.url()) as (here, there):
        meeting = Meeting(here, there)
        meeting.ann.say(meeting.room, "hi")
        path = f"/api/rooms/{meeting.room}/messages"
        assert meeting.ann.get(path).json()["total"] == 1
        (kept,) = wait_until(lambda: [key for key in redis.keys() if ":page:" in key])
        redis.command("SET", kept, '{"messages":[],"total":99}')
        assert meeting.ann.get(path).json()["total"] == 1, "the first server has it in its own memory"
        assert meeting.bob.get(path).json()["total"] == 99, "the second asks Redis before the store"
