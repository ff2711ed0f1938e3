"""The operator dies at any of the moments at which it waits for somebody; the next one ends what it began."""

from __future__ import annotations

import itertools

import pytest

from kubernetes.processes import wait_for
from kubernetes.stage import says

# More calls than a life of a resource has.
MOST = 40


def story(stage, step: str):
    """Brings a resource to where a deed begins, and gives the deed and how it ends well."""
    if step == "create":
        return lambda: stage.create("it"), lambda made: stage.until(made, says("Ready", "True"), timeout=40)
    made = stage.ready("it", deletionPolicy="Retain" if step == "retain" else "Delete")

    def edit():
        return stage.edit(made, displayName="Another")

    def drift():
        stage.break_room(made, capacity=9)
        return made

    def leave():
        stage.delete(made)
        return made

    def healed(resource):
        stage.until_room(resource, lambda room: room["capacity"] == 50, timeout=40)
        stage.until(resource, says("Synced", "True"), timeout=40)

    def left(resource):
        stage.gone(resource, timeout=40)
        assert stage.room(resource) is None

    return {
        "edit": (edit, lambda made: stage.until(made, says("Ready", "True", "Updated"), timeout=40)),
        "drift": (drift, healed),
        "delete": (leave, left),
        "retain": (leave, left),
    }[step]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["create", "edit", "drift", "delete", "retain"])
def test_whenever_the_operator_dies_all_ends_well(stage, meddled, step, when):
    died = 0
    for number in itertools.count(1):
        assert number < MOST, "it comes to no end"
        begin, ends_well = story_with_operator(stage, meddled, step, number)
        operator = meddled(name=f"dies-{number}").start()
        wait_for(lambda: operator.metrics().value("cloudmeet_operator_stream_live") == 1, 30, "the stream")
        # Every call that changes something or waits for the server, to either side.
        calls = itertools.count(1)

        def kill(exchange, operator=operator, calls=calls, number=number):
            if next(calls) == number:
                operator.kill()

        with (
            stage.api_proxy.rule(kill, path="^/apis/(cloudmeet.io|events.k8s.io)/", when=when, method="PATCH"),
            stage.api_proxy.rule(kill, path="^/apis/events.k8s.io/", when=when, method="POST"),
            stage.cloudmeet_proxy.rule(kill, path=f"/{stage.manager}/", when=when),
        ):
            resource = begin()
            wait_for(lambda: not operator.is_alive() or is_quiet(stage, operator), 30, "its end or its work done")
        if operator.is_alive():
            ends_well(resource)
            operator.stop()
            break
        died += 1
        second = meddled(name=f"goes-on-{number}").start()
        ends_well(resource)
        # However often it was asked for: one room for each resource.
        uid = resource["metadata"]["uid"]
        assert len([room for room in stage.cloudmeet.all_managed(stage.manager) if room["uid"] == uid]) <= 1
        if step != "delete" and step != "retain":
            stage.delete(resource)
            stage.gone(resource)
        second.stop()
    assert died >= 2, died
    assert stage.cloudmeet.all_managed(stage.manager) == [] or step not in ("delete", "retain")


def story_with_operator(stage, meddled, step, number):
    if step == "create":
        return story(stage, step)
    with meddled(name=f"prepares-{number}") as operator:
        prepared = story(stage, step)
        operator.stop()
    return prepared


def is_quiet(stage, operator) -> bool:
    """Whether the operator has looked at the resource after the deed, and waits for nothing."""
    resource = stage.namespace.get("rooms.cloudmeet.io", "it")
    if resource is None:
        return True
    status = resource.get("status", {})
    settled = status.get("observedGeneration") == resource["metadata"]["generation"] and says("Synced", "True")(resource)
    as_described = (stage.room(resource) or {}).get("capacity") == 50
    events = {reason for _, reason in stage.reasons(resource)}
    reason = next((one["reason"] for one in status.get("conditions", []) if one["type"] == "Synced"), None)
    return settled and as_described and reason in events
