"""What the cluster refuses before anybody sees it, and what it says then."""

from __future__ import annotations

import json

import pytest

REFUSED = {
    "no name": ({"displayName": None}, "spec.displayName: Required value"),
    "an empty name": ({"displayName": ""}, "spec.displayName"),
    "a blank name": ({"displayName": "  "}, "displayName must not be blank"),
    "a long name": ({"displayName": "x" * 256}, "may not be more than 255"),
    "no owner": ({"owner": None}, "spec.owner: Required value"),
    "an owner that is no address": ({"owner": "ann"}, "owner must be an e-mail address"),
    "a long owner": ({"owner": "a" * 250 + "@b.cd"}, "may not be more than 254"),
    "a moderator that is no address": ({"moderators": ["bob at home"]}, "each of the moderators must be an e-mail address"),
    "a moderator twice": ({"moderators": ["bob@example.org", "bob@example.org"]}, "Duplicate value"),
    "too many moderators": ({"moderators": [f"m{number}@example.org" for number in range(101)]}, "must have at most 100 items"),
    "a long description": ({"description": "x" * 2001}, "may not be more than 2000"),
    "room for one": ({"capacity": 1}, "greater than or equal to 2"),
    "room for too many": ({"capacity": 1001}, "less than or equal to 1000"),
    "a capacity in words": ({"capacity": "many"}, "must be of type integer"),
    "an unknown visibility": ({"visibility": "Secret"}, 'supported values: "Public", "Private", "Password"'),
    "no password": ({"visibility": "Password"}, "a room with visibility Password needs passwordSecretRef"),
    "a password without a key": ({"passwordSecretRef": {"name": "a"}}, "passwordSecretRef.key: Required value"),
    "an end before the start": (
        {"schedule": {"start": "2031-01-01T10:00:00Z", "end": "2031-01-01T10:00:00+01:00"}},
        "schedule.end must be later than schedule.start",
    ),
    "an end at the start": (
        {"schedule": {"start": "2031-01-01T10:00:00Z", "end": "2031-01-01T10:00:00Z"}},
        "schedule.end must be later than schedule.start",
    ),
    "a time that is none": ({"schedule": {"start": "tomorrow"}}, "must be of type date-time"),
    "a slug with capitals": ({"slug": "Maths"}, "slug must be of a to z"),
    "a slug of digits": ({"slug": "12345"}, "not of digits only"),
    "a slug that ends badly": ({"slug": "maths-"}, "with - at neither end"),
    "a short slug": ({"slug": "ab"}, "spec.slug"),
    "a room id that is none": ({"externalRoomID": "first"}, "externalRoomID must be the id of a room"),
    "an unknown deletion policy": ({"deletionPolicy": "Orphan"}, 'supported values: "Delete", "Retain"'),
    "an unknown drift policy": ({"driftPolicy": "Ignore"}, 'supported values: "Correct", "Report"'),
    "an unknown field": ({"colour": "blue"}, 'unknown field "spec.colour"'),
}


@pytest.mark.parametrize("change, message", REFUSED.values(), ids=REFUSED.keys())
def test_a_description_that_cannot_be_is_refused_with_a_word_on_it(stage, change, message):
    manifest = stage.manifest("refused")
    manifest["spec"] = {name: value for name, value in (manifest["spec"] | change).items() if value is not None}
    done = stage.namespace.kubectl("apply", "-f", "-", input=json.dumps(manifest), check=False)
    assert done.returncode == 1 and message in done.stderr, done
    assert stage.namespace.get("rooms.cloudmeet.io", "refused") is None


IMMUTABLE = {
    "owner": ({}, {"owner": "new@example.org"}, "owner is immutable"),
    "externalRoomID, another": ({"externalRoomID": "7"}, {"externalRoomID": "8"}, "externalRoomID is immutable"),
    "externalRoomID, later": ({}, {"externalRoomID": "8"}, "externalRoomID is immutable"),
    "externalRoomID, taken away": ({"externalRoomID": "7"}, {"externalRoomID": None}, "externalRoomID is immutable"),
}


@pytest.mark.parametrize("first, change, message", IMMUTABLE.values(), ids=IMMUTABLE.keys())
def test_what_cannot_be_changed_says_so(stage, first, change, message):
    made = stage.create("fixed", **first)
    done = stage.namespace.kubectl("patch", "mroom", "fixed", "--type", "merge", "-p", json.dumps({"spec": change}), check=False)
    assert done.returncode == 1 and message in done.stderr, done
    assert stage.get(made)["spec"] == made["spec"]


def test_an_unknown_field_is_pruned_where_nobody_is_strict(stage):
    manifest = stage.manifest("pruned", colour="blue")
    stage.namespace.kubectl("apply", "--validate=false", "-f", "-", input=json.dumps(manifest))
    assert "colour" not in stage.namespace.get("rooms.cloudmeet.io", "pruned")["spec"]


def test_a_status_is_not_written_with_the_description(stage):
    manifest = stage.manifest("claims") | {"status": {"phase": "Ready", "roomID": "1"}}
    made = stage.namespace.create(manifest)
    assert "status" not in made
