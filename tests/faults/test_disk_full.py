"""A full disk: writing is refused for what it is, reading goes on, nothing acknowledged is lost, and room heals it."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess

import pytest

from contract.client import Person, wait_until
from harness.server import Server

SIZE_MIB = 24
TEXT = "x" * 2000


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes, which only processes see that are started with its prefix: it needs no
    root. Gives the prefix, where they see it, and where it is seen from here."""
    place = tmp_path / "disk"
    place.mkdir()
    # Who may mount needs no names of its own; everybody else is root among theirs.
    may_mount = subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL, timeout=10).returncode == 0
    own = [] if may_mount else ["--user"]
    # A process that does nothing keeps the file system, also while no server runs.
    script = f"mount -t tmpfs -o size={SIZE_MIB}m,mode=700 tmpfs {place} && echo ready && exec sleep infinity"
    command = ["unshare", *own, *(["--map-root-user"] if own else []), "--mount", "sh", "-c", script]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "ready\n", "a mount namespace could not be made"
        prefix = ["nsenter", "--target", str(holder.pid), *own, *(["--preserve-credentials"] if own else []), "--mount"]
        yield prefix, place, pathlib.Path(f"/proc/{holder.pid}/root{place}")
    finally:
        holder.kill()
        holder.wait(10)


def fill(path: pathlib.Path) -> None:
    """Takes what the disk has left."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as ballast:
        while True:
            ballast.write(b"\0" * 4096)


def test_on_a_full_disk_nothing_acknowledged_is_lost_and_it_recovers(small_disk):
    prefix, place, from_here = small_disk
    server = Server(RATE_LIMITS="off", DATA_DIR=place / "data")
    server.prefix = prefix
    with server:
        ann = Person(server, "Ann")
        room = ann.room()
        acknowledged = [ann.say(room, f"{number} {TEXT[:1900]}")["content"] for number in range(50)]
        ballast = from_here / "ballast"
        fill(ballast)
        refusals = []

        def is_full() -> bool:
            # What room the log still had is taken by the first of these.
            number = len(acknowledged)
            answer = ann.post(f"/api/rooms/{room}/messages", content=f"{number} {TEXT[:1900]}", client_msg_id=f"m{number}")
            if answer.status_code == 201:
                acknowledged.append(answer.json()["content"])
                return False
            refusals.append(answer)
            return True

        wait_until(is_full, timeout=60, every=0)
        refused = refusals[0]
        assert refused.status_code == 507 and refused.json()["code"] == "storage_full", refused.text
        read = lambda: [  # noqa: E731
            message["content"]
            for after in range(0, len(acknowledged), 200)
            for message in ann.get(f"/api/rooms/{room}/messages", after_seq=after, limit=200).json()["messages"]
        ]
        assert read() == acknowledged
        assert ann.get("/livez").status_code == 200
        ballast.unlink()
        number = len(acknowledged)
        said = lambda: ann.post(f"/api/rooms/{room}/messages", content=f"{number} again", client_msg_id=f"m{number}")  # noqa: E731
        answers = []
        wait_until(lambda: answers.append(said()) or answers[-1].is_success)
        answer = answers[-1]
        assert answer.json()["seq"] == number + 1
        acknowledged.append(f"{number} again")
        assert read() == acknowledged
        # And after a crash as well.
        server.kill()
        server.start()
        ann.sign_in()
        assert read() == acknowledged
