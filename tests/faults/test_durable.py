"""Acknowledged means on disk: kill -9 alone cannot show that, for the page cache outlives the process."""

from __future__ import annotations

import re
import subprocess
import time

from contract.client import Person, wait_until
from harness.server import Server

MESSAGES = 40
# `PID TIME fdatasync(FD) = 0 <SECONDS>`, also when another thread's call came between its two halves.
SYNCED = re.compile(r"^\d+ +(\d+\.\d+) (?:fdatasync|fsync|<\.\.\. (?:fdatasync|fsync) resumed).*= 0 <(\d+\.\d+)>$", re.M)


def test_sqlite_syncs_between_receiving_and_acknowledging_each_message(tmp_path):
    trace = tmp_path / "trace"
    with Server(RATE_LIMITS="off") as server:
        ann = Person(server, "Ann")
        room = ann.room()
        tracer = subprocess.Popen(
            ["strace", "-f", "-ttt", "-T", "-e", "trace=fdatasync,fsync", "-o", trace, "-p", str(server.process.pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(tmp_path / "errors").open("w"),
        )
        try:
            wait_until(lambda: "attached" in (tmp_path / "errors").read_text())
            wait_until(lambda: ann.say(room, "Is anybody tracing?") and SYNCED.search(trace.read_text()))
            windows = []
            for number in range(MESSAGES):
                sent = time.time()
                ann.say(room, f"message {number}")
                windows.append((sent, time.time()))
        finally:
            tracer.terminate()
            tracer.wait(10)
        ann.close()
    synced = [float(at) for at, _ in SYNCED.findall(trace.read_text())]
    for number, (sent, acknowledged) in enumerate(windows):
        assert any(sent <= at <= acknowledged for at in synced), f"message {number} was acknowledged before it was on disk"
