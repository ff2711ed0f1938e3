"""Several operators: one acts, the others stand by, and none writes that does not lead."""

from __future__ import annotations

import time

import pytest

from kubernetes.conftest import settings
from kubernetes.faults import Answer, FaultProxy
from kubernetes.processes import wait_for
from kubernetes.stage import LEASE, says

LEASE_S = 3
LONG_LEASE_S = 30
pytestmark = pytest.mark.timed


@pytest.fixture
def replica(stage, operators, tmp_path, cluster):
    """Makes replicas, each with its own proxies, so that one sees who writes."""
    made = []

    def make(name: str, lease_s: int = LEASE_S):
        api, rooms = FaultProxy(cluster.url, cluster.ca).start(), FaultProxy(stage.cloudmeet.url).start()
        made.extend([api, rooms])
        (tmp_path / name).mkdir()
        told = settings(stage, tmp_path / name, server=api.url, cloudmeet_url=rooms.url)
        operator = operators(**told, name=name, LEASE_DURATION_SECONDS=lease_s)
        operator.api, operator.rooms = api, rooms
        return operator.start()

    yield make
    for proxy in made:
        proxy.close()


def leads(operator) -> bool:
    return operator.metrics().value("cloudmeet_operator_leader") == 1


def writes(operator, lease: bool = False) -> list:
    """What an operator has written, to either side."""
    calls = [*operator.api.seen(), *operator.rooms.seen()]
    return [call for call in calls if call.method != "GET" and ("/leases" in call.path) == lease]


def holder(stage) -> str | None:
    lease = stage.namespace.get("leases", LEASE)
    return lease and lease["spec"].get("holderIdentity")


def test_one_leads_and_the_others_are_ready(stage, replica):
    first = replica("first")
    wait_for(lambda: leads(first), 20, "a leader")
    others = [replica("second"), replica("third")]
    for _ in range(5):
        stage.ready()
    assert all(operator.is_ready() and not leads(operator) and writes(operator) == [] for operator in others)
    assert holder(stage) == "first" and all(writes(operator, lease=True) == [] for operator in others)


def test_a_leader_that_stops_hands_over_at_once(stage, replica):
    first = replica("first", LONG_LEASE_S)
    wait_for(lambda: leads(first), 20, "a leader")
    second = replica("second", LONG_LEASE_S)
    began = time.monotonic()
    first.stop()
    wait_for(lambda: leads(second), 10, "the next leader")
    # It need not wait until the lease would have run out.
    assert time.monotonic() - began < LONG_LEASE_S / 2
    stage.ready()


def test_a_leader_that_dies_is_followed_after_its_lease(stage, replica):
    first = replica("first")
    wait_for(lambda: leads(first), 20, "a leader")
    second = replica("second")
    made = stage.ready()
    first.kill()
    edited = stage.edit(made, lobby=True)
    stage.until(edited, says("Ready", "True", "Updated"), timeout=LEASE_S * 4)
    assert leads(second)


def test_a_frozen_leader_that_thaws_writes_nothing(stage, replica):
    first = replica("first")
    wait_for(lambda: leads(first), 20, "a leader")
    second = replica("second")
    rooms = [stage.ready() for _ in range(3)]
    first.freeze()
    for room in rooms:
        stage.edit(room, displayName="While it slept")
    wait_for(lambda: leads(second), LEASE_S * 5, "the next leader")
    for room in rooms:
        stage.until(room, says("Ready", "True", "Updated"))
        # More for it to want to do, the moment it wakes.
        stage.edit(room, displayName="While it woke")
        stage.until(room, says("Ready", "True", "Updated"))
    first.api.forget()
    first.rooms.forget()
    first.thaw()
    wait_for(lambda: not leads(first), 20, "it knows")
    for room in rooms:
        stage.until(stage.edit(room, displayName="Afterwards"), says("Ready", "True"))
        stage.until_room(room, lambda seen: seen["name"] == "Afterwards")
    assert writes(first) == [] and writes(first, lease=True) == []
    # It is as good as new.
    second.stop()
    wait_for(lambda: leads(first), LEASE_S * 5, "its turn again")
    stage.ready()


def test_a_leader_that_cannot_renew_its_lease_stops_in_time(stage, replica):
    first = replica("first")
    wait_for(lambda: leads(first), 20, "a leader")
    second = replica("second")
    made = stage.ready()
    # It can do everything but renew.
    with first.api.rule(Answer(500, body=b"{}"), path="/leases"):
        wait_for(lambda: not leads(first), LEASE_S * 3, "it gives up")
        first.api.forget()
        first.rooms.forget()
        stage.until(stage.edit(made, lobby=True), says("Ready", "True", "Updated"), timeout=LEASE_S * 5)
        assert leads(second) and writes(first) == []


def test_two_who_want_it_at_once_do_not_both_get_it(stage, replica):
    several = [replica(f"replica-{number}") for number in range(4)]
    wait_for(lambda: any(leads(operator) for operator in several), 20, "a leader")
    for _ in range(2):
        leader = next(operator for operator in several if leads(operator))
        assert sum(leads(operator) for operator in several) == 1 and holder(stage) == leader.name
        leader.stop()
        several.remove(leader)
        wait_for(lambda: any(leads(operator) for operator in several), LEASE_S * 3, "the next leader")
    stage.ready()
    assert [bool(writes(operator)) for operator in several].count(True) == 1
