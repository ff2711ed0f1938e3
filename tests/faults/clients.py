"""Writers and readers that go on whatever happens to the server, and remember what they saw."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time

import httpx
import websockets

from faults.checker import Entry

REQUEST_TIMEOUT_S = 10
RETRY_S = 0.05
PASSWORD = "correct-horse-battery"

# What a service may say while a part of the system is away, over REST and on a socket.
AWAY = (502, 503, 504)
AWAY_CODES = ("unavailable", "overloaded")

# What a client may see of a server that dies under it.
BROKEN = (httpx.HTTPError, OSError, websockets.WebSocketException, asyncio.TimeoutError, EOFError)


def entry(message: dict) -> Entry:
    return Entry(message["seq"], message["client_msg_id"], message["content"])


class Person:
    """Somebody who is signed in, and signs in again when that is lost."""

    def __init__(self, url: str, ws_url: str, email: str, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        self.url, self.ws_url, self.email, self.timeout_s = url, ws_url, email, timeout_s
        self.http = httpx.AsyncClient(base_url=url, timeout=timeout_s)
        self.id = 0

    async def sign_up(self) -> None:
        body = {"email": self.email, "display_name": "Somebody", "password": PASSWORD}
        answer = await self.http.post("/api/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        await self.sign_in()

    async def sign_in(self) -> None:
        answer = await self.http.post("/api/auth/login", json={"email": self.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.http.headers["authorization"] = "Bearer " + answer.json()["access_token"]

    async def socket(self) -> websockets.ClientConnection:
        answer = await self.http.post("/api/ws-ticket")
        answer.raise_for_status()
        protocols = ["cloudmeet.v1", "ticket." + answer.json()["ticket"]]
        return await websockets.connect(self.ws_url, subprotocols=protocols, open_timeout=self.timeout_s)

    async def close(self) -> None:
        await self.http.aclose()


class Ledger:
    """What was sent, what was acknowledged, what was seen."""

    def __init__(self) -> None:
        self.attempted: dict[str, str] = {}
        self.acknowledged: list[Entry] = []
        self.readers: dict[str, list[Entry]] = {}
        self.repeats = 0
        # When each writer was told so.
        self.acknowledged_at: dict[str, list[float]] = {}
        # Which connections broke, of whom, when; and what was refused because a part was away.
        self.broken: list[tuple[float, str, str]] = []
        self.refused: list[tuple[float, str, str]] = []

    def acknowledge(self, writer: str, message: dict) -> None:
        self.acknowledged.append(entry(message))
        self.acknowledged_at.setdefault(writer, []).append(time.monotonic())

    def broke(self, who: str, error: BaseException) -> None:
        self.broken.append((time.monotonic(), who, repr(error)))

    def refuse(self, who: str, what: str) -> None:
        self.refused.append((time.monotonic(), who, what))

    def attempt(self, name: str) -> str:
        if name in self.attempted:
            self.repeats += 1
        return self.attempted.setdefault(name, f"text of {name}")


def away(answer: httpx.Response) -> str:
    """Checks that an answer is a refusal in order, because a part of the system is away, and gives its code."""
    assert answer.status_code in AWAY, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json", answer.headers
    assert int(answer.headers["retry-after"]) > 0, answer.headers
    return f"{answer.status_code} {answer.json()['code']}"


async def write_over_rest(
    person: Person, room: int, writer: str, ledger: Ledger, stop: asyncio.Event, pause_s: float = 0
) -> None:
    """Sends one message after the other; one whose fate is unknown again under its name until it is known."""
    number = 0
    while not stop.is_set():
        name = f"{writer}-{number}"
        content = ledger.attempt(name)
        try:
            answer = await person.http.post(
                f"/api/rooms/{room}/messages", json={"content": content, "client_msg_id": name}
            )
        except BROKEN as error:
            ledger.broke(writer, error)
            await asyncio.sleep(RETRY_S)
            continue
        if answer.status_code in (200, 201):
            ledger.acknowledge(writer, answer.json())
            number += 1
            await asyncio.sleep(pause_s)
        else:
            ledger.refuse(writer, away(answer))
            await asyncio.sleep(RETRY_S)


async def write_over_socket(person: Person, room: int, writer: str, ledger: Ledger, stop: asyncio.Event) -> None:
    """Keeps several messages under way; after a break all that were not acknowledged go again, in order."""
    open_names: list[str] = []
    number = 0
    while not stop.is_set():
        try:
            socket = await open_socket(person, writer, ledger)
            async with socket:
                for name in open_names:
                    await send(socket, room, name, ledger.attempt(name))
                while not stop.is_set():
                    while len(open_names) < 8:
                        name = f"{writer}-{number}"
                        number += 1
                        open_names.append(name)
                        await send(socket, room, name, ledger.attempt(name))
                    frame = await receive(socket, person.timeout_s)
                    if frame["type"] == "sent":
                        ledger.acknowledge(writer, frame["message"])
                        open_names.remove(frame["client_msg_id"])
                    elif frame["type"] == "error":
                        assert frame["code"] in AWAY_CODES, frame
                        ledger.refuse(writer, frame["code"])
                        await asyncio.sleep(RETRY_S)
                        name = frame["client_msg_id"]
                        await send(socket, room, name, ledger.attempt(name))
        except BROKEN as error:
            ledger.broke(writer, error)
            await asyncio.sleep(RETRY_S)


async def open_socket(person: Person, who: str, ledger: Ledger) -> websockets.ClientConnection:
    """Opens a socket as soon as there is a ticket; a refused one is noted, and asked for again."""
    while True:
        try:
            return await person.socket()
        except httpx.HTTPStatusError as error:
            ledger.refuse(who, away(error.response))
            await asyncio.sleep(RETRY_S)


async def send(socket: websockets.ClientConnection, room: int, name: str, content: str) -> None:
    frame = {"type": "send", "room_id": room, "client_msg_id": name, "content": content}
    async with asyncio.timeout(REQUEST_TIMEOUT_S):
        await socket.send(json.dumps(frame))


async def receive(socket: websockets.ClientConnection, timeout_s: float) -> dict:
    # Not by `wait_for`: Python 3.11's loses a cancellation that comes together with a frame.
    async with asyncio.timeout(timeout_s):
        return json.loads(await socket.recv())


async def read_over_socket(person: Person, room: int, reader: str, ledger: Ledger, until: asyncio.Future) -> None:
    """Follows the room; after a break from the last message it has. Ends once it has the last one."""
    seen = ledger.readers.setdefault(reader, [])
    while not reached(seen, until):
        try:
            socket = await open_socket(person, reader, ledger)
            async with socket:
                while not reached(seen, until):
                    await follow(socket, room, reader, ledger, until)
        except BROKEN as error:
            ledger.broke(reader, error)
            # Not all at once: a thousand clients would not come back together either.
            await asyncio.sleep(random.uniform(0, 2 * RETRY_S))


async def follow(
    socket: websockets.ClientConnection, room: int, reader: str, ledger: Ledger, until: asyncio.Future
) -> None:
    """Subscribes from the last message that the reader has, and reads on until that must be done again."""
    seen = ledger.readers[reader]
    after = seen[-1].seq if seen else 0
    await socket.send(json.dumps({"type": "subscribe", "room_id": room, "after_seq": after, "after_rev": 0}))
    truncated = None
    while truncated is not True and not reached(seen, until):
        with contextlib.suppress(asyncio.TimeoutError):
            frame = await receive(socket, 0.5)
            if frame["type"] == "subscribed":
                seen.extend(entry(message) for message in frame["messages"])
                truncated = frame["truncated"]
            elif frame["type"] == "message":
                assert truncated is False, "a message came before the subscription was whole"
                seen.append(entry(frame["message"]))
            elif frame["type"] == "error":
                assert frame["code"] in AWAY_CODES, frame
                ledger.refuse(reader, frame["code"])
                await asyncio.sleep(RETRY_S)
                return


async def read_over_rest(person: Person, room: int, reader: str, ledger: Ledger, until: asyncio.Future) -> None:
    """Pages forward, again and again. Ends once it has the last one."""
    seen = ledger.readers.setdefault(reader, [])
    while not reached(seen, until):
        after = seen[-1].seq if seen else 0
        try:
            answer = await person.http.get(
                f"/api/rooms/{room}/messages", params={"after_seq": after, "limit": random.randint(1, 200)}
            )
        except BROKEN as error:
            ledger.broke(reader, error)
            await asyncio.sleep(RETRY_S)
            continue
        if answer.status_code == 200:
            seen.extend(entry(message) for message in answer.json()["messages"])
        else:
            ledger.refuse(reader, away(answer))
        await asyncio.sleep(RETRY_S)


def reached(seen: list[Entry], until: asyncio.Future) -> bool:
    return until.done() and bool(seen) and seen[-1].seq >= until.result()


async def whole_history(person: Person, room: int) -> list[Entry]:
    """Reads all that the store holds."""
    history: list[Entry] = []
    while True:
        after = history[-1].seq if history else 0
        answer = await person.http.get(f"/api/rooms/{room}/messages", params={"after_seq": after, "limit": 200})
        answer.raise_for_status()
        page = [entry(message) for message in answer.json()["messages"]]
        if not page:
            return history
        history.extend(page)
