"""The gateway and an auth service whose published keys vanish, change, or are none."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import json
import socket
import threading
import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.client import Person, problem
from harness.server import INNER, Server

pytestmark = pytest.mark.timed

# A key that is not known is asked for at most once in this time, whoever asks.
ASKED_ANEW_S = 1
# How long the gateway waits for keys.
PATIENCE_S = 3


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An Ed25519 key as an auth service has one."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = Ed25519PrivateKey.generate()
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.public = self.private.public_key().public_bytes(*raw)
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": base64url(self.public)}

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data)

    def token(self, kid: str | None = None, **claims: object) -> str:
        now = int(time.time())
        said = {"iss": "cloudmeet", "aud": "cloudmeet", "sub": "1", "sid": "s", "iat": now, "exp": now + 600}
        return jwt.encode(said | claims, self.private, "EdDSA", {"typ": "at+jwt", "kid": self.kid if kid is None else kid})


class Services:
    """Stands in for services: publishes the keys that it is told to, and is otherwise a real auth service, or believes everything."""

    def __init__(self, *keys: Key | dict, real: Server | None = None) -> None:
        self.publish(*keys)
        self.real = real
        self.asked = 0
        # What the last who asked was told.
        self.told = None
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def publish(self, *keys: Key | dict) -> None:
        self.answer = 200, json.dumps({"keys": [getattr(key, "jwk", key) for key in keys]}).encode()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            behind = self.real and socket.create_connection(("127.0.0.1", self.real.port))
            if behind:
                threading.Thread(target=pass_on, args=(behind, client), daemon=True).start()
            # A gateway asks for one thing after the other, so that each begins a chunk.
            while chunk := client.recv(2**20):
                if chunk.startswith(b"GET /.well-known/jwks.json "):
                    self.asked += 1
                    # Nobody answers until there is an answer.
                    while self.answer is None:
                        if self.over.wait(0.05):
                            return
                    told = self.answer
                    try:
                        client.sendall(response(*told))
                    finally:
                        self.told = told
                elif behind:
                    behind.sendall(chunk)
                elif chunk.endswith(b"\r\n\r\n"):
                    client.sendall(response(200, b"{}"))

    def __enter__(self) -> "Services":
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.listener.close()


def response(status: int, body: bytes) -> bytes:
    length = b"" if status == 204 else b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %d Word\r\nContent-Type: application/json\r\n%s\r\n%s" % (status, length, body)


def pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError), one, other:
        while chunk := one.recv(2**20):
            other.sendall(chunk)


ANOTHER = Key("another")
RSA = rsa.generate_private_key(65537, 2048)
SECRET = b"a secret that somebody publishes"
KEYS = json.dumps({"keys": [ANOTHER.jwk]}).encode()

# What may be read where the keys should be, and is no set of keys.
NO_KEYS = {
    "nonsense": (200, b"\x00\xff<html>"),
    "nothing": (200, b""),
    "an error that looks like keys": (500, KEYS),
    "a redirect": (302, KEYS),
    "not found": (404, KEYS),
    "no content": (204, b""),
    "another shape": (200, b'{"keys": {}}'),
    "a bare list": (200, json.dumps([ANOTHER.jwk]).encode()),
    "half a set": (200, KEYS[:-9]),
    "lists in lists": (200, b'{"keys":' + b"[" * 100_000),
    "16 MiB": (200, KEYS + b" " * 2**24),
}


def strange(ours: Key) -> dict[str, object]:
    """Entries of a set of keys that are no key of Ed25519, or not the one of that name (RFC 7517, 5: passed over)."""
    return {
        "another key by this name": ANOTHER.jwk,
        "RSA": jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True) | {"alg": "RS256", "use": "sig"},
        "a secret": {"kty": "oct", "alg": "HS256", "use": "sig", "k": base64url(SECRET)},
        "another curve": ours.jwk | {"crv": "Ed448"},
        "another algorithm": ours.jwk | {"alg": "HS256"},
        "half a key": ours.jwk | {"x": ours.jwk["x"][:20]},
        "no key": ours.jwk | {"x": "no key"},
        "nothing but a name": {},
        "a number for a key": ours.jwk | {"x": 7},
    }


class System:
    """The services apart, who read their keys where the test says what there is."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.auth = stack.enter_context(Server(ROLE="auth", RATE_LIMITS="off", **INNER))
        self.real = httpx.get(self.auth.url + "/.well-known/jwks.json").json()["keys"]
        # One each, so that it shows who has asked.
        services = [stack.enter_context(Services(*self.real, real=self.auth)) for _ in range(2)]
        upstreams = [{"AUTH_SERVICE_URL": stand_in.url} for stand_in in services]
        self.conference = stack.enter_context(Server(ROLE="conference", RATE_LIMITS="off", **INNER | upstreams[0]))
        upstreams[1] |= {"CONFERENCE_SERVICE_URL": self.conference.url}
        self.gateway = stack.enter_context(Server(ROLE="gateway", RATE_LIMITS="off", **upstreams[1]))
        self.readers = list(zip((self.conference, self.gateway), services, strict=True))
        person = Person(self.gateway, "Ann")
        self.known = person.http.headers["authorization"].removeprefix("Bearer ")
        said = jwt.decode(self.known, options={"verify_signature": False})
        self.session = {"sub": said["sub"], "sid": said["sid"]}
        person.close()
        self.http = stack.enter_context(httpx.Client(timeout=4 * PATIENCE_S))

    def publish(self, *keys: Key | dict) -> None:
        for _, services in self.readers:
            services.publish(*keys)

    def answer(self, answer: tuple[int, bytes] | None) -> None:
        for _, services in self.readers:
            services.answer = answer

    def ask(self, server: Server, token: str) -> httpx.Response:
        return self.http.get(server.url + "/api/rooms", headers={"authorization": "Bearer " + token})

    def known_go_on(self) -> None:
        for server, _ in self.readers:
            began = time.monotonic()
            assert self.ask(server, self.known).status_code == 200
            assert time.monotonic() - began < 1, "whose key is known waits for none"

    def becomes(self, status: int, token: str) -> list[httpx.Response]:
        """Waits until who reads keys has read what there is now, and answers so; until then a token may be refused, and nothing else."""
        answers = []
        waiting = list(self.readers)
        deadline = time.monotonic() + ASKED_ANEW_S + 2 * PATIENCE_S + 1
        while waiting:
            for server, services in list(waiting):
                answer = self.ask(server, token)
                if answer.status_code == status and services.told is services.answer:
                    waiting.remove((server, services))
                    answers.append(answer)
                    continue
                assert answer.status_code in (status, 401, 503), answer.text
                assert time.monotonic() < deadline, f"still {answer.status_code}, not {status}"
            time.sleep(0.02)
        return answers

    def token(self, key: Key, kid: str | None = None) -> str:
        return key.token(kid, **self.session)

    def forged(self, key: object, algorithm: str, kid: str) -> str:
        said = jwt.decode(self.token(ANOTHER), options={"verify_signature": False})
        return jwt.encode(said, key, algorithm, {"typ": "at+jwt", "kid": kid})


@pytest.fixture(scope="module")
def system():
    with contextlib.ExitStack() as stack:
        running = System(stack)
        yield running
        for server, _ in running.readers:
            assert server.process.poll() is None
            assert "panicked" not in server.read_log()


def test_while_no_keys_can_be_read_those_that_are_known_go_on_and_others_wait(system):
    for name, answer in NO_KEYS.items():
        system.answer(answer)
        for refusal in system.becomes(503, system.token(Key(name))):
            problem(refusal, 503, "service_unavailable")
        system.known_go_on()
    ours = Key("back")
    system.publish(*system.real, ours)
    system.becomes(200, system.token(ours))


def test_nobody_waits_in_turn_for_keys_that_do_not_come(system):
    system.answer(None)
    _, services = system.readers[1]
    before = services.asked
    tokens = [system.token(Key(f"none {number}")) for number in range(20)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        # Until the keys are read anew, all of these are unknown at once.
        while services.asked == before:
            began = time.monotonic()
            asking = [pool.submit(system.ask, system.gateway, token) for token in tokens]
            system.known_go_on()
            assert {answer.result().status_code for answer in asking} <= {401, 503}
    # Once at the gateway, and once at the service behind it.
    assert PATIENCE_S < time.monotonic() - began < 2 * PATIENCE_S + 2


def test_a_key_is_found_among_strange_ones_and_none_of_those_is_believed(system):
    ours = Key("ours")
    entries = strange(ours)
    named = [entry | {"kid": name} for name, entry in entries.items()]
    others = [ANOTHER.jwk | {"kid": str(number)} for number in range(8000)]
    private = {"d": base64url(ours.private.private_bytes_raw())}
    system.publish(*named, *others, ours.jwk | private | {"x5c": ["AAAA"], "exp": 1})
    system.becomes(200, system.token(ours))
    for server, _ in system.readers:
        for kid in [*entries, "", "8000"]:
            for token in (system.token(ours, kid), system.forged(SECRET, "HS256", kid), system.forged(RSA, "RS256", kid)):
                assert system.ask(server, token).status_code == 401, kid
        for token in (system.token(ANOTHER, "ours"), system.forged(ours.public, "HS256", "ours"), system.forged(RSA, "RS256", "ours")):
            assert system.ask(server, token).status_code == 401
    assert private["d"] not in system.gateway.read_log()


def test_a_key_that_is_published_no_more_is_believed_no_more(system):
    ours = Key("gone")
    system.publish(*system.real, ours)
    system.becomes(200, system.token(ours))
    system.publish()
    # Somebody comes with an unknown one, so that they are read anew.
    system.becomes(401, system.token(Key("unknown")))
    for server, _ in system.readers:
        for token in (system.token(ours), system.known):
            problem(system.ask(server, token), 401, "invalid_token")


def test_keys_are_read_once_a_second_however_many_names_are_made_up(system):
    system.publish(*system.real)
    _, services = system.readers[1]
    until, before, forged = time.monotonic() + 2.5, services.asked, 0
    while time.monotonic() < until:
        forged += 1
        assert system.ask(system.gateway, system.token(ANOTHER, f"made up {forged}")).status_code == 401
    assert forged > 100
    assert services.asked - before <= 4
