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
    # As a container that starts again in its pod: under the same name, so that it need not wait for its own lease.
    died = 0
    for number in itertools.count(1):
        assert number < MOST, "it comes to no end"
        begin, ends_well = story_with_operator(stage, meddled, step)
        operator = meddled().start()
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
            wait_for(lambda: not operator.is_alive() or is_quiet(stage, operator, step), 30, "its end or its work done")
        if operator.is_alive():
            ends_well(resource)
            operator.stop()
            break
        died += 1
        second = meddled().start()
        ends_well(resource)
        # However often it was asked for: one room for each resource.
        uid = resource["metadata"]["uid"]
        assert len([room for room in stage.cloudmeet.all_managed(stage.manager) if room["uid"] == uid]) <= 1
        if step not in ("delete", "retain"):
            stage.delete(resource)
            stage.gone(resource)
        second.stop()
    assert died >= 2, died
    assert step not in ("delete", "retain") or stage.cloudmeet.all_managed(stage.manager) == []


def story_with_operator(stage, meddled, step):
    if step == "create":
        return story(stage, step)
    with meddled() as operator:
        prepared = story(stage, step)
        operator.stop()
    return prepared


def is_quiet(stage, operator, step) -> bool:
    """Whether the operator has done all that the deed asks for, and told it."""
    calls = [*stage.api_proxy.seen(), *stage.cloudmeet_proxy.seen()]
    if any(call.ended_s is None for call in calls if call.method != "GET"):
        return False
    resource = stage.namespace.get("rooms.cloudmeet.io", "it")
    if step in ("delete", "retain"):
        return resource is None
    reason = {"create": "Created", "edit": "Updated", "drift": "DriftCorrected"}[step]
    return says("Synced", "True", reason)(resource) and ("Normal", reason) in stage.reasons(resource)
