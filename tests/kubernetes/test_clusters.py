"""Two clusters that share one CloudMeet and, by mistake, one name there."""

from __future__ import annotations

import contextlib

import pytest

from kubernetes.conftest import define_rooms, settings
from kubernetes.faults import FaultProxy
from kubernetes.processes import wait_for
from kubernetes.stage import KIND, Stage, conditions, says

# Other tests' rooms are on the same server.
SLUG = "shared-by-two-clusters"


@pytest.fixture
def two(stage, another_cluster, operators, tmp_path):
    """A stage in each of two clusters, each with an operator of the same manager and a proxy that sees what it asks."""
    define_rooms(another_cluster)
    stages = [stage, Stage(another_cluster.namespace("elsewhere"), stage.cloudmeet, stage.manager, stage.owner)]
    with contextlib.ExitStack() as stack:
        stack.callback(stages[1].namespace.close)
        for number, one in enumerate(stages):
            one.cloudmeet_proxy = stack.enter_context(FaultProxy(stage.cloudmeet.url))
            home = tmp_path / f"cluster-{number}"
            home.mkdir()
            one.operator = operators(**settings(one, home, cloudmeet_url=one.cloudmeet_proxy.url)).start()
        yield stages


def writes(stage: Stage, about: dict) -> list:
    """What the operator of a cluster has said to the server of a resource."""
    calls = stage.cloudmeet_proxy.seen(path=about["metadata"]["uid"])
    return [call for call in calls if call.method != "GET"]


def looks_again(stage: Stage) -> None:
    """Lets an operator that knows nothing hear all rooms, and waits until it has looked at its resources."""
    stage.operator.kill()
    stage.operator.start()
    count = len(stage.namespace.list(KIND))

    def looked():
        metrics = stage.operator.metrics()
        is_idle = metrics.value("cloudmeet_operator_queue_depth") == 0
        has_heard = metrics.value("cloudmeet_operator_stream_live") == 1
        return is_idle and has_heard and metrics.value("cloudmeet_operator_reconciles_total") >= count

    wait_for(looked, 60, "all resources looked at")


def test_each_keeps_its_own_rooms_and_leaves_the_others_alone(two):
    here, there = two
    ours, theirs = here.ready("maths"), there.ready("maths")
    assert ours["status"]["roomID"] != theirs["status"]["roomID"]
    # Broken by hand, each is put right by who keeps it.
    here.break_room(theirs, name="By hand")
    here.break_room(ours, name="By hand")
    for resource in (ours, theirs):
        here.until_room(resource, lambda room: room["name"] == "Class")
    # Nor is one taken for forgotten by an operator that starts anew.
    for one in two:
        looks_again(one)
    assert {room["uid"] for room in here.cloudmeet.all_managed(here.manager)} >= {ours["metadata"]["uid"], theirs["metadata"]["uid"]}
    assert writes(here, theirs) == [] and writes(there, ours) == []
    here.delete(ours)
    here.gone(ours)
    looks_again(here)
    assert here.room(ours) is None
    assert there.room(theirs)["room_id"] == theirs["status"]["roomID"] and writes(here, theirs) == []
    assert says("Ready", "True")(there.get(theirs))


def test_who_wants_what_the_other_has_is_told(two):
    here, there = two
    ours = here.ready()
    here.ready(slug=SLUG)
    wanting = there.create(externalRoomID=ours["status"]["roomID"])
    seen = there.until(wanting, says("Ready", "False", "AdoptionConflict"))
    assert seen["status"]["phase"] == "Stalled" and here.manager in conditions(seen)["Ready"]["message"]
    named = there.until(there.create(slug=SLUG), says("Ready", "False", "InvalidSpec"))
    assert "link name" in conditions(named)["Ready"]["message"]
    # By force it goes to the one, and the other makes another; they do not take it from each other for ever.
    there.annotate(wanting, **{"cloudmeet.io/force-adopt": "true"})
    taken = there.until(wanting, says("Ready", "True", "Adopted"))
    assert taken["status"]["roomID"] == ours["status"]["roomID"]
    other = here.until(ours, lambda resource: resource["status"]["roomID"] != ours["status"]["roomID"])
    wait_for(lambda: here.room(ours) is not None, what="another room")
    for one in two:
        looks_again(one)
    assert here.room(ours)["room_id"] == other["status"]["roomID"] == here.get(ours)["status"]["roomID"]
    assert there.room(wanting)["room_id"] == taken["status"]["roomID"]
