"""People who go on using CloudMeet while it is changed under them, and remember what was refused."""

from __future__ import annotations

import threading
import time

import httpx

from contract.client import Person

TIMEOUT_S = 10
PAUSE_S = 0.1
PAGE = 100


class Load:
    """One who asks who they are, one who reads, and one who writes, each by a new connection for every request."""

    def __init__(self, url: str, person: Person, room: int) -> None:
        self.url = url
        self.headers = {"authorization": person.http.headers["authorization"], "connection": "close"}
        self.messages = f"/api/rooms/{room}/messages"
        self.failed: list[str] = []
        self.answered = 0
        self.said: list[str] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._go_on, args=(ask,)) for ask in (self._who, self._read, self._write)]

    def _who(self, http: httpx.Client) -> httpx.Response:
        return http.get("/api/auth/me")

    def _read(self, http: httpx.Client) -> httpx.Response:
        return http.get(self.messages, params={"limit": 10})

    def _write(self, http: httpx.Client) -> httpx.Response:
        text = f"message {len(self.said)}"
        answer = http.post(self.messages, json={"content": text})
        if answer.is_success:
            self.said.append(text)
        return answer

    def _go_on(self, ask) -> None:
        with httpx.Client(base_url=self.url, headers=self.headers, timeout=TIMEOUT_S) as http:
            while not self.ended.wait(PAUSE_S):
                began = time.monotonic()
                try:
                    answer = ask(http)
                    wrong = "" if answer.is_success else f"{answer.status_code} {answer.text}"
                except httpx.HTTPError as error:
                    wrong = repr(error)
                self.answered += not wrong
                if wrong:
                    self.failed.append(f"{time.strftime('%T')} {ask.__name__} after {time.monotonic() - began:.2f} s: {wrong}")

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(TIMEOUT_S + 5)
