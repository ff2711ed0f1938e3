"""Rooms as resources: made, changed, healed and let go."""

from __future__ import annotations

import json

import pytest

from contract.client import PASSWORD, unique_email
from kubernetes.processes import wait_for
from kubernetes.stage import FINALIZER, KIND, conditions, says

ROOM_PASSWORD = "correct horse battery"


def managed_by(stage, room_id: str) -> str | None:
    answer = stage.cloudmeet.administrator.get(f"/api/rooms/{room_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["managed_by"]


def test_a_resource_becomes_a_room(stage, operator):
    made = stage.ready("class", displayName="Физика 8б", description="Thursdays", capacity=30, visibility="Private", lobby=True)
    room = stage.room(made)
    assert room["name"] == "Физика 8б" and room["description"] == "Thursdays" and room["capacity"] == 30
    assert room["visibility"] == "private" and room["lobby"] and room["owner"] == stage.owner.email
    assert made["metadata"]["finalizers"] == [FINALIZER]
    status = made["status"]
    assert status["roomID"] == room["room_id"] and status["joinURL"] == f"{stage.cloudmeet.url}/r/{room['room_id']}"
    assert status["phase"] == "Ready" and status["observedGeneration"] == made["metadata"]["generation"]
    assert status["participants"]["current"] == 0
    found = conditions(made)
    assert set(found) == {"Ready", "Synced"}
    assert {(one["status"], one["reason"]) for one in found.values()} == {("True", "Created")}
    wait_for(lambda: stage.reasons(made) == [("Normal", "Created")], what="one event")


def test_what_a_resource_leaves_out_has_the_defaults_that_are_promised(stage, operator):
    made = stage.ready("plain")
    assert made["spec"] | {"displayName": "", "owner": ""} == {
        "displayName": "", "owner": "", "capacity": 50, "visibility": "Public", "lobby": False, "suspend": False,
        "deletionPolicy": "Delete", "driftPolicy": "Correct",
    }
    room = stage.room(made)
    assert room["capacity"] == 50 and room["visibility"] == "public" and not room["lobby"]


@pytest.mark.parametrize(
    "change, seen",
    [
        ({"displayName": "Another"}, {"name": "Another"}),
        ({"description": "New"}, {"description": "New"}),
        ({"capacity": 7}, {"capacity": 7}),
        ({"visibility": "Private"}, {"visibility": "private"}),
        ({"lobby": True}, {"lobby": True}),
        ({"slug": "maths-8b"}, {"slug": "maths-8b"}),
        (
            {"schedule": {"start": "2031-01-01T10:00:00+02:00", "end": "2031-01-01T10:00:00Z"}},
            {"opens_at": "2031-01-01T08:00:00.000Z", "closes_at": "2031-01-01T10:00:00.000Z"},
        ),
    ],
    ids=lambda value: next(iter(value)),
)
def test_an_edit_changes_the_room(stage, operator, change, seen):
    made = stage.ready()
    edited = stage.edit(made, **change)
    ready = stage.until(edited, says("Ready", "True", "Updated"))
    room = stage.room(made)
    assert seen.items() <= room.items()
    assert ready["status"]["roomID"] == made["status"]["roomID"] == room["room_id"]
    assert ready["status"]["observedGeneration"] == edited["metadata"]["generation"]


def test_a_slug_is_the_rooms_name_in_links(stage, operator):
    made = stage.ready(slug=f"slug-{stage.namespace.name}")
    assert made["status"]["joinURL"] == f"{stage.cloudmeet.url}/r/slug-{stage.namespace.name}"


def test_moderators_come_go_and_may_have_no_account_yet(stage, operator):
    known, unknown = stage.cloudmeet.person("Mia Moderator"), unique_email()
    made = stage.ready(moderators=[known.email, unknown])
    assert stage.room(made)["moderators"] == [known.email]
    assert unknown in conditions(made)["Synced"]["message"]
    edited = stage.edit(made, moderators=[])
    stage.until(edited, says("Synced", "True"))
    assert stage.room(made)["moderators"] == []


def test_what_the_owner_is_shown_names_the_manager(stage, operator):
    made = stage.ready()
    assert managed_by(stage, made["status"]["roomID"]) == stage.manager
    changed = stage.owner.patch(f"/api/rooms/{made['status']['roomID']}", name="Mine")
    assert changed.status_code == 409 and changed.json()["managed_by"] == stage.manager


def test_drift_is_corrected(stage, operator):
    made = stage.ready()
    stage.break_room(made, name="By hand", lobby=True)
    room = stage.until_room(made, lambda room: room["name"] == "Class" and not room["lobby"])
    assert room["room_id"] == made["status"]["roomID"]
    stage.until(made, says("Synced", "True", "DriftCorrected"))
    wait_for(lambda: ("Normal", "DriftCorrected") in stage.reasons(made), what="an event")
    assert operator.metrics().value("cloudmeet_operator_drift_corrections_total") == 1


def test_drift_is_reported_and_left_alone(stage, operator):
    made = stage.ready(driftPolicy="Report")
    stage.break_room(made, capacity=3)
    seen = stage.until(made, says("Synced", "False", "Drifted"))
    assert "capacity" in conditions(seen)["Synced"]["message"] and seen["status"]["phase"] == "Drifted"
    assert says("Ready", "True")(seen) and stage.room(made)["capacity"] == 3
    wait_for(lambda: ("Warning", "Drifted") in stage.reasons(made), what="an event")
    # Whoever puts it right by hand is heard, too.
    stage.break_room(made, capacity=50)
    stage.until(made, says("Synced", "True"))


def test_a_room_closed_behind_the_operators_back_is_made_anew(stage, operator):
    made = stage.ready()
    stage.close_room(made)
    room = stage.until_room(made, lambda room: room is not None)
    assert room["room_id"] != made["status"]["roomID"]
    seen = stage.until(made, lambda resource: resource["status"]["roomID"] == room["room_id"])
    assert says("Ready", "True", "DriftCorrected")(seen)


def test_a_room_closed_behind_the_operators_back_is_reported(stage, operator):
    made = stage.ready(driftPolicy="Report")
    stage.close_room(made)
    seen = stage.until(made, says("Ready", "False", "Drifted"))
    assert "participants" not in seen["status"] and stage.room(made) is None
    # Another description is another matter.
    stage.edit(made, lobby=True)
    stage.until(made, says("Ready", "True"))


def test_a_deleted_resource_closes_its_room(stage, operator):
    made = stage.ready()
    room = stage.room(made)
    stage.delete(made)
    stage.gone(made)
    assert stage.room(made) is None
    # What an operator said that died since, and comes late, makes no other one.
    assert stage.describe(made, room).json()["code"] == "resource_gone"
    assert stage.owner.get(f"/api/rooms/{made['status']['roomID']}").json()["is_active"] is False


def test_a_retained_room_stays_and_is_its_owners_again(stage, operator):
    made = stage.ready(deletionPolicy="Retain")
    before = stage.room(made)
    stage.delete(made)
    stage.gone(made)
    assert stage.describe(made, before).json()["code"] == "resource_gone"
    room = stage.owner.get(f"/api/rooms/{made['status']['roomID']}").json()
    assert room["is_active"] and room["managed_by"] is None
    assert stage.owner.patch(f"/api/rooms/{room['id']}", name="Mine").status_code == 200


def test_a_resource_that_was_deleted_before_it_was_seen_leaves_nothing(stage, meddled):
    operator = meddled()
    made = stage.create()
    stage.delete(made)
    operator.start()
    stage.ready()
    assert stage.get(made) is None and stage.room(made) is None
    assert len(stage.cloudmeet_proxy.seen("PUT")) == 1


def test_a_room_is_adopted(stage, operator):
    room = stage.owner.room("By hand", slug=f"adopted-{stage.namespace.name}")
    made = stage.until(stage.create(externalRoomID=str(room)), says("Ready", "True", "Adopted"))
    assert made["status"]["roomID"] == str(room) and stage.room(made)["name"] == "Class"
    # It keeps the name in links that people know.
    assert made["status"]["joinURL"].endswith(f"/r/adopted-{stage.namespace.name}")
    wait_for(lambda: stage.reasons(made) == [("Normal", "Adopted")], what="one event")


def test_a_room_that_is_anothers_is_adopted_by_force_only(stage, operator):
    first = stage.ready("first")
    room = first["status"]["roomID"]
    second = stage.create("second", externalRoomID=room)
    seen = stage.until(second, says("Ready", "False", "AdoptionConflict"))
    assert says("Stalled", "True")(seen) and stage.manager in conditions(seen)["Stalled"]["message"]
    wait_for(lambda: stage.reasons(second) == [("Warning", "AdoptionConflict")], what="one event")
    stage.annotate(second, **{"cloudmeet.io/force-adopt": "true"})
    seen = stage.until(second, says("Ready", "True", "Adopted"))
    assert seen["status"]["roomID"] == room and "Stalled" not in conditions(seen)
    # The first one has lost it, and makes another.
    stage.until(first, lambda resource: resource["status"]["roomID"] != room)


def test_two_who_want_one_room_by_force_do_not_fight_for_it(stage, meddled):
    meddled().start()
    room = str(stage.owner.room("By hand"))
    forced = {"cloudmeet.io/force-adopt": "true"}
    first = stage.namespace.create(stage.manifest("first", forced, externalRoomID=room))
    stage.until(first, says("Ready", "True", "Adopted"))
    second = stage.namespace.create(stage.manifest("second", forced, externalRoomID=room))
    stage.until(second, lambda seen: says("Ready", "True", "Adopted")(seen) and seen["status"]["roomID"] == room)
    # Who has lost it makes one of its own, and lets the other be.
    stage.until(first, lambda seen: says("Ready", "True")(seen) and seen["status"]["roomID"] != room)
    stage.cloudmeet_proxy.forget()
    stage.ready("marker")
    assert len(stage.cloudmeet_proxy.seen("PUT")) == 1 and stage.room(second)["room_id"] == room


def test_an_adopted_room_that_is_closed_is_made_anew(stage, operator):
    room = str(stage.owner.room("By hand"))
    made = stage.until(stage.create(externalRoomID=room), says("Ready", "True", "Adopted"))
    stage.close_room(made)
    seen = stage.until(made, lambda seen: says("Ready", "True", "DriftCorrected")(seen) and seen["status"]["roomID"] != room)
    assert stage.room(made)["room_id"] == seen["status"]["roomID"]


def test_what_is_owed_is_no_drift(stage, meddled):
    """A password that its Secret holds now and a moderator who has an account now, also where drift is only reported."""
    operator = meddled(RESYNC_SECONDS=10).start()
    stage.secret("door", password=ROOM_PASSWORD)
    late = unique_email()
    made = stage.ready(
        driftPolicy="Report", moderators=[late], visibility="Password", passwordSecretRef={"name": "door", "key": "password"}
    )
    version = stage.room(made)["password_version"]
    stage.secret("door", password="another " + ROOM_PASSWORD)
    body = {"email": late, "display_name": "Late", "password": PASSWORD}
    assert stage.cloudmeet.administrator.post("/api/users", **body).status_code == 201
    stage.until_room(made, lambda room: room["password_version"] != version and room["moderators"] == [late], timeout=60)
    stage.until(made, says("Synced", "True"))
    assert ("Warning", "Drifted") not in stage.reasons(made)
    assert operator.metrics().value("cloudmeet_operator_drift_corrections_total") == 0


def test_a_room_that_is_not_there_is_not_adopted(stage, operator):
    made = stage.create(externalRoomID="987654321")
    stage.until(made, says("Ready", "False", "AdoptionConflict"))
    stage.delete(made)
    stage.gone(made)


def test_an_owner_without_an_account_is_waited_for(stage, operator):
    email = unique_email()
    made = stage.create(owner=email)
    seen = stage.until(made, says("Ready", "False", "OwnerNotFound"))
    assert says("Stalled", "True")(seen) and seen["status"]["phase"] == "Stalled"
    body = {"email": email, "display_name": "Late", "password": PASSWORD}
    assert stage.cloudmeet.administrator.post("/api/users", **body).status_code == 201
    seen = stage.until(made, says("Ready", "True", "Created"), timeout=40)
    assert set(conditions(seen)) == {"Ready", "Synced"}


def test_a_password_is_waited_for_and_followed(stage, operators, meddled):
    operator = meddled(RESYNC_SECONDS=10).start()
    made = stage.create(visibility="Password", passwordSecretRef={"name": "door", "key": "password"})
    seen = stage.until(made, says("Ready", "False", "SecretNotFound"))
    assert says("Reconciling", "True")(seen) and "door" in conditions(seen)["Ready"]["message"]
    stage.secret("door", other="value")
    stage.annotate(made, again="1")
    stage.until(made, lambda resource: "no key password" in conditions(resource)["Ready"]["message"])
    stage.secret("door", password=ROOM_PASSWORD + "\n")
    stage.until(made, says("Ready", "True", "Created"), timeout=40)
    guest = stage.cloudmeet.person("Guest")
    number = stage.room(made)["room_id"]
    assert guest.post(f"/api/rooms/{number}/join", password=ROOM_PASSWORD).status_code == 200
    # Another password counts by itself, and asks nobody to leave.
    version = stage.room(made)["password_version"]
    stage.secret("door", password="another " + ROOM_PASSWORD)
    stage.until_room(made, lambda room: room["password_version"] != version, timeout=40)
    late = stage.cloudmeet.person("Late")
    assert late.post(f"/api/rooms/{number}/join", password=ROOM_PASSWORD).status_code == 403
    assert late.post(f"/api/rooms/{number}/join", password="another " + ROOM_PASSWORD).status_code == 200
    for text in (operator.log(), json.dumps(stage.get(made)), json.dumps(stage.events(made))):
        assert ROOM_PASSWORD not in text
    # It was nobody's fault that the room had another.
    assert operator.metrics().value("cloudmeet_operator_drift_corrections_total") == 0


def test_a_password_that_the_server_refuses_is_said_and_can_be_mended(stage, operator):
    stage.secret("door", password="short")
    made = stage.create(visibility="Password", passwordSecretRef={"name": "door", "key": "password"})
    seen = stage.until(made, says("Ready", "False", "InvalidSpec"))
    assert "password" in conditions(seen)["Stalled"]["message"] and "short" not in json.dumps(seen["status"])
    stage.secret("door", password=ROOM_PASSWORD)
    stage.annotate(made, again="1")
    stage.until(made, says("Ready", "True"))


def test_two_resources_with_one_slug(stage, operator):
    slug = f"one-{stage.namespace.name}"
    first = stage.ready(slug=slug)
    second = stage.create(slug=slug)
    seen = stage.until(second, says("Ready", "False", "InvalidSpec"))
    assert says("Stalled", "True")(seen)
    assert stage.room(first)["slug"] == slug and stage.room(second) is None
    stage.edit(second, slug=f"{slug}-2")
    stage.until(second, says("Ready", "True"))


def test_what_only_the_server_refuses_is_said_and_can_be_mended(stage, operator):
    made = stage.create(slug="admin")
    seen = stage.until(made, says("Ready", "False", "InvalidSpec"))
    assert "slug" in conditions(seen)["Stalled"]["message"]
    wait_for(lambda: stage.reasons(made) == [("Warning", "InvalidSpec")], what="one event")
    stage.edit(made, slug=None)
    seen = stage.until(made, says("Ready", "True", "Created"))
    assert "Stalled" not in conditions(seen)


def test_a_suspended_room_is_left_alone(stage, operator):
    made = stage.ready()
    stage.edit(made, suspend=True, displayName="Later")
    seen = stage.until(made, says("Synced", "Unknown", "Suspended"))
    assert seen["status"]["phase"] == "Suspended" and not says("Ready", "True")(seen)
    stage.break_room(made, capacity=9)
    marker = stage.ready("marker")
    assert stage.room(made)["capacity"] == 9 and stage.room(made)["name"] == "Class" and marker
    stage.edit(made, suspend=False)
    stage.until(made, says("Ready", "True", "Updated"))
    assert stage.room(made)["capacity"] == 50 and stage.room(made)["name"] == "Later"


def test_who_is_there_shows_and_not_more_than_twice_a_minute(stage, meddled):
    meddled().start()
    made = stage.ready()
    people = [stage.cloudmeet.person(f"Guest {number}") for number in range(3)]
    room = int(made["status"]["roomID"])
    stage.api_proxy.forget()
    people[0].join(room)
    # The first status was written a moment ago.
    stage.until(made, lambda resource: resource["status"]["participants"]["current"] == 1, timeout=45)
    for person in people[1:]:
        person.join(room)
    stage.until(made, lambda resource: resource["status"]["participants"]["current"] == 3, timeout=45)
    first, second = stage.api_proxy.seen("PATCH", "/status$")
    assert second.began_s - first.ended_s > 25
    assert "Guest" not in json.dumps(stage.get(made))


def test_a_name_as_long_as_names_are(stage, operator):
    name = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert len(name) == 253
    made = stage.ready(name, displayName="ы" * 255, description="ы" * 2000)
    assert stage.room(made)["name"] == "ы" * 255
    wait_for(lambda: stage.reasons(made) == [("Normal", "Created")], what="an event, though its name would be too long")
    stage.delete(made)
    stage.gone(made)


def test_what_people_see_with_kubectl(stage, operator):
    made = stage.ready("shown", displayName="Shown", capacity=12)
    kubectl = stage.namespace.kubectl
    head, row = kubectl("get", "mroom").stdout.splitlines()
    assert head.split() == ["NAME", "TITLE", "PHASE", "READY", "PEOPLE", "MAX", "AGE"]
    assert row.split()[:6] == ["shown", "Shown", "Ready", "True", "0", "12"]
    head, row = kubectl("get", "mroom", "-o", "wide").stdout.splitlines()
    assert head.split()[-2:] == ["URL", "REASON"] and row.split()[-2:] == [made["status"]["joinURL"], "Created"]
    assert "shown" in kubectl("get", "cloudmeet").stdout
    kubectl("wait", "--for=condition=Ready", "mroom/shown", "--timeout", "10s")
    described = kubectl("describe", "mroom", "shown").stdout
    assert "Created" in described and f"room {made['status']['roomID']} was made" in described
    explained = kubectl("explain", "rooms.cloudmeet.io.spec.owner").stdout
    assert "e-mail address of an account" in " ".join(explained.split())
    scaled = kubectl("scale", "mroom/shown", "--replicas", "2", check=False)
    assert scaled.returncode != 0
    assert KIND in kubectl("api-resources", "--api-group", "cloudmeet.io", "-o", "name").stdout
