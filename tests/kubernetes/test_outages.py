"""Whoever the operator speaks to goes away, is slow, or forgets; and comes back."""

from __future__ import annotations

import itertools
import json
import shutil

import pytest

from kubernetes.faults import DROP, Answer, Delay
from kubernetes.processes import wait_for
from kubernetes.stage import conditions, says

PROBLEM = {"type": "about:blank", "title": "Slow down", "status": 429, "detail": "too many calls", "code": "rate_limited"}


def test_a_server_that_is_away_is_waited_for(stage, meddled):
    operator = meddled().start()
    made = stage.ready()
    stage.cloudmeet_proxy.refuse()
    edited = stage.edit(made, lobby=True)
    new = stage.create()
    seen = stage.until(edited, says("Ready", "False", "ServerUnreachable"))
    assert says("Reconciling", "True")(seen) and seen["status"]["roomID"] == made["status"]["roomID"]
    stage.until(new, says("Ready", "False", "ServerUnreachable"))
    stage.cloudmeet_proxy.accept()
    stage.until(edited, says("Ready", "True", "Updated"), timeout=60)
    stage.until(new, says("Ready", "True", "Created"), timeout=60)
    assert operator.metrics().value("cloudmeet_operator_errors_total", reason="ServerUnreachable") > 0


def test_a_server_that_is_away_for_a_moment_changes_no_status(stage, meddled):
    meddled().start()
    made = stage.ready()
    stage.api_proxy.forget()
    stage.cloudmeet_proxy.cut()
    stage.cloudmeet_proxy.wait_for("GET", "/events$", count=2)
    stage.cloudmeet_proxy.wait_for("GET", f"/managed-rooms/{stage.manager}$", count=3)
    assert stage.api_proxy.seen("PATCH") == [] and stage.get(made)["status"] == made["status"]
    # Nor does it when there is something to do just then.
    with stage.cloudmeet_proxy.rule(Answer(503), method="PUT", times=1) as rule:
        stage.break_room(made, name="By hand")
        rule.wait_for_hit()
        stage.until(made, says("Synced", "True", "DriftCorrected"))
    assert len(stage.api_proxy.seen("PATCH")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, {"retry-after": "2", "content-type": "application/problem+json"}, json.dumps(PROBLEM).encode()),
        Answer(500, body=b"oops"),
        Answer(502, body=b"<html>bad gateway</html>"),
        Answer(404, body=b"<html>not here</html>"),
        Answer(200, body=b"<html>a login page</html>"),
    ],
    ids=lambda answer: str(answer.status),
)
def test_an_answer_that_is_none_is_asked_for_again(stage, meddled, answer):
    operator = meddled().start()
    # What it hears at first wakes everybody.
    wait_for(lambda: operator.metrics().value("cloudmeet_operator_stream_live") == 1, 20, "the stream")
    with stage.cloudmeet_proxy.rule(answer, method="PUT", times=2):
        made = stage.create()
        seen = stage.until(made, says("Ready", "False", "ServerUnreachable"))
        assert "Stalled" not in conditions(seen)
        stage.until(made, says("Ready", "True", "Created"), timeout=40)
    puts = stage.cloudmeet_proxy.seen("PUT")
    assert len(puts) == 3
    pauses = [after.began_s - before.ended_s for before, after in itertools.pairwise(puts)]
    # A second, and twice that, but for a little chance.
    assert pauses[0] >= 0.8 and pauses[1] >= 1.6, pauses
    if answer.status == 429:
        assert pauses[0] >= 2, "the server said when to come back"


@pytest.mark.parametrize("answer", [Answer(200, body=b"<html>a login page</html>"), Answer(202), Answer(404), Answer(500)],
                         ids=lambda answer: str(answer.status))
def test_a_room_is_let_go_by_the_servers_own_word_alone(stage, meddled, answer):
    meddled().start()
    made = stage.ready()
    with stage.cloudmeet_proxy.rule(answer, method="DELETE") as rule:
        stage.delete(made)
        stage.until(made, says("Ready", "False", "ServerUnreachable"))
        rule.wait_for_hit(2)
        assert stage.get(made)["metadata"]["finalizers"]
    stage.gone(made, timeout=60)
    assert stage.room(made) is None


def test_an_outage_is_told_once_however_it_shows(stage, meddled):
    meddled().start()
    made = stage.ready()
    stage.api_proxy.forget()
    answers = iter([Answer(503), Answer(502), DROP, Answer(500)])
    with stage.cloudmeet_proxy.rule(lambda _: next(answers, Answer(503)), method="PUT") as rule:
        stage.edit(made, lobby=True)
        rule.wait_for_hit(4)
    stage.until(made, says("Ready", "True", "Updated"), timeout=60)
    wait_for(lambda: ("Normal", "Updated") in stage.reasons(made), 20, "an event")
    assert stage.reasons(made).count(("Warning", "ServerUnreachable")) == 1
    assert len(stage.api_proxy.seen("PATCH", "/status$")) == 2


def test_a_server_that_keeps_no_rooms_is_no_fault_of_a_resource(stage, meddled):
    """As an older release answers, or another address of this one."""
    meddled().start()
    body = json.dumps({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no such path", "code": "not_found"})
    headers = {"content-type": "application/problem+json"}
    with stage.cloudmeet_proxy.rule(Answer(404, headers, body.encode()), method="PUT"):
        made = stage.create()
        seen = stage.until(made, says("Ready", "False", "ServerUnreachable"))
        assert "Stalled" not in conditions(seen)
    stage.until(made, says("Ready", "True"), timeout=60)


def test_a_slow_server_is_given_time_and_not_asked_twice_at_once(stage, meddled):
    meddled().start()
    with stage.cloudmeet_proxy.rule(Delay(3), method="PUT", times=1):
        made = stage.create()
        stage.until(made, says("Ready", "True", "Created"))
    assert len(stage.cloudmeet_proxy.seen("PUT")) == 1


def test_deletion_waits_for_the_server(stage, meddled):
    meddled().start()
    made, retained = stage.ready(), stage.ready(deletionPolicy="Retain")
    stage.cloudmeet_proxy.refuse()
    for one in (made, retained):
        stage.delete(one)
        seen = stage.until(one, says("Ready", "False", "ServerUnreachable"))
        assert seen["status"]["phase"] == "Terminating"
    stage.cloudmeet_proxy.accept()
    for one in (made, retained):
        stage.gone(one, timeout=60)
        assert stage.room(one) is None
    room = stage.owner.get(f"/api/rooms/{retained['status']['roomID']}").json()
    assert room["is_active"] and room["managed_by"] is None


@pytest.mark.timeout(240)
def test_retain_is_the_way_out_of_a_server_that_never_comes_back(stage, meddled):
    meddled().start()
    made = stage.ready()
    stage.cloudmeet_proxy.refuse()
    stage.delete(made)
    stage.until(made, says("Ready", "False", "ServerUnreachable"))
    stage.edit(made, deletionPolicy="Retain")
    # It is asked for a minute whether it is not there after all.
    stage.gone(made, timeout=150)


def test_a_namespace_is_deleted_while_the_server_is_away(stage, meddled, cluster, tmp_path):
    cluster.start_controllers()
    # The operator lives elsewhere: its account and its lease do not go with the namespace.
    kubeconfig = stage.namespace.kubeconfig_for(stage.namespace.token, tmp_path / "elsewhere", stage.api_proxy.url)
    meddled(LEASE_NAMESPACE="default", LEASE_NAME=stage.manager, KUBECONFIG=kubeconfig).start()
    rooms = [stage.ready() for _ in range(5)]
    stage.cloudmeet_proxy.refuse()
    stage.namespace.delete("Namespace", stage.namespace.name)
    for room in rooms:
        stage.until(room, lambda resource: resource["metadata"].get("deletionTimestamp"))
    stage.cloudmeet_proxy.accept()
    cluster.api.wait_until_gone("Namespace", stage.namespace.name, timeout=90)
    assert stage.cloudmeet.all_managed(stage.manager) == []


def test_a_server_put_back_to_an_earlier_backup_gets_its_rooms_again(stage, operator, tmp_path):
    kept, edited = stage.ready("kept"), stage.ready("edited")
    server = stage.cloudmeet.server
    stage.cloudmeet.stop()
    shutil.copytree(server.settings["DATA_DIR"], tmp_path / "backup")
    stage.cloudmeet.start()
    stage.until(stage.edit(edited, lobby=True), says("Ready", "True"), timeout=60)
    later = stage.ready("later")
    stage.cloudmeet.stop()
    shutil.rmtree(server.settings["DATA_DIR"])
    shutil.copytree(tmp_path / "backup", server.settings["DATA_DIR"])
    stage.cloudmeet.start()
    again = stage.until_room(later, lambda room: room is not None, timeout=60)
    stage.until_room(edited, lambda room: room["lobby"], timeout=60)
    assert stage.room(kept)["room_id"] == kept["status"]["roomID"]
    seen = stage.until(later, lambda resource: resource["status"]["roomID"] == again["room_id"])
    assert says("Ready", "True")(seen)


def test_an_api_server_that_dies_is_waited_for(stage, operator, cluster):
    made = stage.ready()
    cluster.kill_api_server()
    cluster.start_api_server()
    edited = stage.edit(made, lobby=True)
    stage.until(edited, says("Ready", "True", "Updated"), timeout=60)
    wait_for(operator.is_ready, 30, "ready")
    stage.ready()


def test_a_watch_that_has_missed_too_much_begins_anew(stage, meddled, cluster):
    meddled().start()
    made, gone = stage.ready(), stage.ready()
    stage.api_proxy.refuse()
    stage.edit(made, lobby=True)
    for number in range(20):
        stage.annotate(made, number=str(number))
    stage.delete(gone)
    cluster.compact()
    cluster.kill_api_server()
    cluster.start_api_server()
    stage.api_proxy.accept()
    stage.until(made, says("Ready", "True", "Updated"), timeout=60)
    stage.gone(gone, timeout=60)


def test_a_status_that_is_not_written_is_written_later(stage, meddled):
    meddled().start()
    with stage.api_proxy.rule(Answer(500, body=b"{}"), method="PATCH", path="/status$", times=2):
        made = stage.create()
        stage.until(made, says("Ready", "True", "Created"), timeout=40)
    with stage.api_proxy.rule(DROP, method="PATCH", path="/status$", times=1, when="after"):
        other = stage.create()
        stage.until(other, says("Ready", "True", "Created"), timeout=40)


def test_events_that_cannot_be_told_are_no_trouble(stage, meddled):
    meddled().start()
    with stage.api_proxy.rule(Answer(403, body=b"{}"), method="POST", path="/events$"):
        stage.ready()


def test_rooms_are_told_of_when_the_stream_is_silent(stage, meddled):
    """A proxy between that keeps events to itself, as nginx does by default: the next round finds what was missed."""
    operator = meddled(RESYNC_SECONDS=10)
    with stage.cloudmeet_proxy.rule(Answer(429, {}, json.dumps(PROBLEM).encode()), method="GET", path="/events$"):
        operator.start()
        made = stage.ready()
        stage.break_room(made, lobby=True)
        stage.until(made, says("Synced", "True", "DriftCorrected"), timeout=40)
