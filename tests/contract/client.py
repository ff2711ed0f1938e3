"""A client that knows the contract and nothing of the server's code."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import socket
import struct
import time

import httpx
from websockets.sync.client import connect

from harness.server import Server

PASSWORD = "correct-horse-battery"
TIMEOUT_S = 5
_numbers = itertools.count()

ACCOUNT = {"id", "email", "display_name", "is_active", "is_admin", "created_at"}
ROOM = {
    "id", "name", "owner_id", "is_active", "created_at", "participants_count", "description", "visibility", "capacity",
    "lobby", "slug", "opens_at", "closes_at", "managed_by", "last_seq", "last_activity_at", "unread", "my_role",
}
PARTICIPANT = {
    "id", "user_id", "user_display_name", "status", "is_owner", "role", "join_time", "leave_time", "audio", "video",
    "screen", "hand", "muted_by_host", "version",
}
MESSAGE = {
    "id", "room_id", "user_id", "user_display_name", "is_owner", "content", "created_at", "seq", "client_msg_id",
    "reply_to", "edited_at", "deleted_at",
}
PROBLEM = {"type", "title", "status", "detail", "code"}


def unique_email() -> str:
    return f"user{os.getpid()}-{next(_numbers)}@example.org"


def problem(answer: httpx.Response, status: int, code: str) -> dict:
    """Checks that an answer is this problem, and gives its body."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert PROBLEM <= set(body), body
    assert isinstance(body["detail"], str) and body["detail"]
    assert (body["status"], body["code"]) == (status, code), body
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) > 0
    return body


class Person:
    """Somebody with an account who is signed in."""

    def __init__(self, server: Server, name: str = "Somebody", sign_in: bool = True, **more: object) -> None:
        self.server = server
        self.name = name
        self.email = unique_email()
        self.http = httpx.Client(base_url=server.url, timeout=TIMEOUT_S)
        answer = self.post("/api/auth/register", email=self.email, display_name=name, password=PASSWORD, **more)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        self.sockets: list[Socket] = []
        if sign_in:
            self.sign_in()

    def sign_in(self) -> None:
        answer = self.post("/api/auth/login", email=self.email, password=PASSWORD)
        assert answer.status_code == 200, answer.text
        self.http.headers["authorization"] = "Bearer " + answer.json()["access_token"]

    def get(self, path: str, **params: object) -> httpx.Response:
        return self.http.get(path, params=params)

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.http.post(path, json=body)

    def patch(self, path: str, **body: object) -> httpx.Response:
        return self.http.patch(path, json=body)

    def delete(self, path: str) -> httpx.Response:
        return self.http.delete(path)

    def room(self, name: str = "Weekly planning", **more: object) -> int:
        answer = self.post("/api/rooms", name=name, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def join(self, room: int, **shown: object) -> None:
        answer = self.post(f"/api/rooms/{room}/join", **shown)
        assert answer.status_code == 200, answer.text

    def wait(self, room: int) -> dict:
        answer = self.post(f"/api/rooms/{room}/join")
        assert answer.status_code == 202, answer.text
        return answer.json()

    def do(self, room: int, deed: str, other: "Person") -> httpx.Response:
        """Does something to somebody in a room: `ann.do(room, "kick", bob)`."""
        return self.post(f"/api/rooms/{room}/participants/{other.id}/{deed}")

    def say(self, room: int, content: str, **more: object) -> dict:
        answer = self.post(f"/api/rooms/{room}/messages", content=content, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def detail(self, room: int) -> dict:
        answer = self.get(f"/api/rooms/{room}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ticket(self) -> str:
        answer = self.post("/api/ws-ticket")
        assert answer.status_code == 200, answer.text
        return answer.json()["ticket"]

    def socket(self, **options: object) -> "Socket":
        socket = Socket(self.server, self.ticket(), **options)
        self.sockets.append(socket)
        return socket

    def close(self) -> None:
        for socket in self.sockets:
            socket.raw.close()
        self.http.close()


class Socket:
    """A WebSocket: what is not waited for is kept, so that nothing is overlooked."""

    def __init__(self, server: Server, ticket: str, welcome: bool = True, **options: object) -> None:
        self.raw = connect(
            server.ws_url, subprotocols=["cloudmeet.v1", "ticket." + ticket], open_timeout=TIMEOUT_S,
            close_timeout=1, max_size=None, legacy=True, **options,
        )
        self.kept: list[dict] = []
        if welcome:
            self.welcome = self.receive("welcome")

    def send(self, kind: str, **members: object) -> None:
        self.raw.send(json.dumps({"type": kind, **members}))

    def ask(self, kind: str, answer: str, **members: object) -> dict:
        """Sends a request with an id and waits for the answer that repeats it."""
        request = f"r{next(_numbers)}"
        self.send(kind, id=request, **members)
        return self.receive(answer, "error", id=request)

    def receive(self, *kinds: str, timeout: float = TIMEOUT_S, **members: object) -> dict:
        """Waits for a frame of one of these types with these members; others are kept for later."""

        def fits(frame: dict) -> bool:
            return frame["type"] in kinds and all(frame.get(name) == value for name, value in members.items())

        for index, frame in enumerate(self.kept):
            if fits(frame):
                return self.kept.pop(index)
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"no {kinds} with {members} within {timeout} s; kept: {self.kept}"
            try:
                frame = json.loads(self.raw.recv(timeout=left))
            except TimeoutError:
                continue
            if fits(frame):
                return frame
            self.kept.append(frame)

    def drain(self) -> list[dict]:
        """Everything that came so far: a ping goes out, and what its pong finds before it is all."""
        pong = self.ask("ping", "pong")
        assert pong["type"] == "pong"
        kept, self.kept = self.kept, []
        return kept

    def presence(self, user: int, timeout: float = TIMEOUT_S, **members: object) -> dict:
        """Waits until a person is as described."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self.receive("presence", timeout=max(0.01, deadline - time.monotonic()))
            person = frame["participant"]
            if person["user_id"] == user and all(person[name] == value for name, value in members.items()):
                return person

    def subscribe(self, room: int, **members: object) -> dict:
        answer = self.ask("subscribe", "subscribed", room_id=room, **members)
        assert answer["type"] == "subscribed", answer
        return answer

    def closed(self, timeout: float = TIMEOUT_S) -> int:
        """Waits until the server closes the socket, and gives the code."""
        from websockets.exceptions import ConnectionClosed

        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                self.kept.append(json.loads(self.raw.recv(timeout=deadline - time.monotonic())))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006
            except TimeoutError:
                break
        raise AssertionError(f"the socket is still open; kept: {self.kept}")


class RawSocket:
    """A WebSocket by hand, that answers nothing: no pong, no Close."""

    def __init__(self, person: "Person") -> None:
        port = person.server.port
        self.raw = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.raw.sendall(
            f"GET /api/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: cloudmeet.v1, ticket.{person.ticket()}\r\n\r\n".encode()
        )
        assert self.raw.recv(4096).startswith(b"HTTP/1.1 101")

    def send(self, **frame: object) -> None:
        payload = json.dumps(frame).encode()
        assert len(payload) < 65536
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self.raw.sendall(bytes([0x81]) + length + mask + masked)

    def ask(self, answer: str, **frame: object) -> None:
        """Sends a frame and waits until one of this type has come."""
        self.send(**frame)
        received = b""
        while f'"{answer}"'.encode() not in received:
            received += self.raw.recv(4096)

    def reset(self) -> None:
        """Ends the connection without a Close frame and without a FIN."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.raw.close()

    def close(self) -> None:
        self.raw.close()


def wait_until(condition, timeout: float = TIMEOUT_S, every: float = 0.05):
    """Waits until a condition gives something true, and gives that."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(every)


def first_administrator(running) -> Person:
    """Registers who administers a fresh system: whoever comes first, or who follows the setup link."""
    setup = re.search(r"\?setup=([\w-]+)", running.read_log())
    return Person(running, "Administrator", **({"setup_code": setup[1]} if setup else {}))
