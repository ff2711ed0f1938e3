"""A thousand resources at once: how much is written for them, and what they cost when nothing happens.

`make test-kubernetes` takes 200; `LONG=1` the thousand that is promised, on the program that is shipped.
"""

from __future__ import annotations

import os
import time

import pytest

from kubernetes.crowd import everyone, processor_s, resident_mib
from kubernetes.processes import wait_for
from kubernetes.stage import KIND, says

LONG = bool(os.environ.get("LONG"))
MANY = 1000 if LONG else 200
IDLE_S = 60 if LONG else 10
pytestmark = pytest.mark.timed


def all_ready(stage) -> bool:
    resources = stage.namespace.list(KIND)
    return len(resources) == MANY and all(says("Ready", "True")(one) for one in resources)


def writes(stage, path: str = "") -> list:
    return [call for call in stage.api_proxy.seen(path=path) if call.method != "GET" and "/leases" not in call.path]


@pytest.fixture
def operator(stage, meddled):
    return meddled().start()


@pytest.mark.timeout(900 if LONG else 240)
def test_many_resources_are_looked_after_with_few_writes(stage, meddled, operator, capsys):
    manifests = [stage.manifest(f"room-{number}", displayName=f"Class {number}") for number in range(MANY)]
    began = time.monotonic()
    everyone(stage.namespace.create, manifests)
    wait_for(lambda: all_ready(stage), 300, f"{MANY} rooms", every=0.5)
    took = time.monotonic() - began
    # A finalizer, a status and an event each.
    wait_for(lambda: len(writes(stage, "/events$")) >= MANY, 60, "all events")
    assert len(writes(stage)) <= 3 * MANY, len(writes(stage))
    assert len(stage.cloudmeet_proxy.seen("PUT")) == MANY
    told = [f"{MANY} rooms ready after {took:.1f} s, {len(writes(stage)) / MANY:.2f} writes a room"]

    # Nothing happens: nothing is done.
    stage.api_proxy.forget()
    stage.cloudmeet_proxy.forget()
    pid = operator.program.process.pid
    before, began = processor_s(pid), time.monotonic()
    time.sleep(IDLE_S)
    share = (processor_s(pid) - before) / (time.monotonic() - began)
    assert writes(stage) == [] and stage.cloudmeet_proxy.seen() == []
    assert share < 0.01, f"{share:.2%} of a core while nothing happens"
    told.append(f"idle: {share:.2%} of a core, {resident_mib(pid):.1f} MiB")
    assert operator.metrics().value("cloudmeet_operator_queue_depth") == 0
    assert operator.metrics().value("cloudmeet_operator_rooms", phase="Ready") == MANY
    if LONG:
        assert resident_mib(pid) <= 40

    # Another one takes over: it reads, and finds nothing to do.
    operator.stop()
    stage.api_proxy.forget()
    stage.cloudmeet_proxy.forget()
    began = time.monotonic()
    second = meddled(name="second").start()
    wait_for(lambda: second.metrics().value("cloudmeet_operator_rooms", phase="Ready") == MANY, 30, "all rooms looked at")
    took = time.monotonic() - began
    wait_for(lambda: second.metrics().value("cloudmeet_operator_queue_depth") == 0, 10, "an empty queue")
    assert took <= 10 and writes(stage) == []
    assert [call for call in stage.cloudmeet_proxy.seen() if call.method != "GET"] == []
    told.append(f"restart: all looked at after {took:.1f} s, without a write")

    # All of them edited at once, and all deleted.
    began = time.monotonic()
    everyone(lambda one: stage.edit(one, capacity=7), manifests)
    wait_for(lambda: all_ready(stage), 300, "all edits", every=0.5)
    told.append(f"all edited after {time.monotonic() - began:.1f} s")
    rooms = stage.cloudmeet.all_managed(stage.manager)
    assert len(rooms) == MANY and {room["capacity"] for room in rooms} == {7}
    began = time.monotonic()
    everyone(stage.delete, manifests)
    wait_for(lambda: stage.namespace.list(KIND) == [], 300, "all deleted", every=0.5)
    told.append(f"all deleted after {time.monotonic() - began:.1f} s")
    assert stage.cloudmeet.all_managed(stage.manager) == []
    with capsys.disabled():
        print("\n  " + "\n  ".join(told))
