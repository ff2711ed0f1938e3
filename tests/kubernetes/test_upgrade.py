"""The definition of an older release is replaced: what was written by it goes on with its rooms."""

from __future__ import annotations

import copy
import json

import pytest
import yaml

from kubernetes.api import Refused
from kubernetes.cluster import Namespace
from kubernetes.conftest import CRD, define_rooms, settings
from kubernetes.processes import wait_for
from kubernetes.stage import KIND, Stage, says

OLD, NEW = "v1alpha0", "v1alpha1"
# What the older version did not know.
LATER = ("driftPolicy", "lobby", "suspend")


def older(definition: dict) -> dict:
    """The definition of an earlier release: a version of another name, that knew less."""
    definition = copy.deepcopy(definition)
    (version,) = definition["spec"]["versions"]
    version["name"] = OLD
    fields = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    for field in LATER:
        del fields[field]
    return definition


def both(definition: dict) -> dict:
    """The definition that leads from the one to the other: both are served, and the newer one is kept.

    Nobody converts between them, so the older one knows by now whatever the newer one does; else the cluster could not
    say who owns which field.
    """
    definition = copy.deepcopy(definition)
    (newer,) = definition["spec"]["versions"]
    definition["spec"]["versions"].append(newer | {"name": OLD, "storage": False, "deprecated": True})
    return definition


@pytest.fixture
def stage(another_cluster, cloudmeet, manager, owner, cloudmeet_proxy):
    """A namespace of a cluster in which nobody else needs the definition as it is."""
    namespace = another_cluster.namespace("upgraded")
    made = Stage(namespace, cloudmeet, manager, owner)
    made.cloudmeet_proxy = cloudmeet_proxy
    yield made
    for one in {namespace, made.namespace}:
        one.close()


def test_resources_of_an_older_version_go_on_with_their_rooms(stage, another_cluster, operators, tmp_path):
    definition = yaml.safe_load(CRD.read_text())
    define_rooms(another_cluster, older(definition))
    old = another_cluster.api.within(stage.namespace.name)
    manifest = stage.manifest("made-before") | {"apiVersion": f"cloudmeet.io/{OLD}"}
    first = old.apply(manifest)
    other = old.apply(stage.manifest("as-it-was") | {"apiVersion": f"cloudmeet.io/{OLD}"})
    # A new operator whose definition is not there yet waits for it.
    operator = operators(**settings(stage, tmp_path, cloudmeet_url=stage.cloudmeet_proxy.url)).start(ready=False)
    wait_for(lambda: "resources are not watched" in operator.log(), 20, "it looks for what is not there")
    # The definition by itself would leave nothing that reads what is stored: it is refused, and nothing is lost.
    with pytest.raises(Refused, match="storedVersions"):
        another_cluster.api.apply(definition)
    assert old.get(KIND, "made-before")["metadata"]["uid"] == first["metadata"]["uid"]

    define_rooms(another_cluster, both(definition))
    # Who asks anew what is served is shown the newer version.
    stage.namespace = Namespace(another_cluster, old.namespace)
    made = stage.until(first, says("Ready", "True", "Created"), timeout=60)
    assert made["apiVersion"].endswith(NEW) and operator.is_ready() and operator.is_alive()
    assert (made["spec"]["driftPolicy"], made["spec"]["lobby"]) == ("Correct", False)
    # Who still writes the older version is understood, and does not take away what it does not name.
    stage.edit(made, lobby=True)
    stage.until(made, says("Ready", "True", "Updated"))
    manifest["spec"]["displayName"] = "Written as before"
    old.apply(manifest)
    room = stage.until_room(made, lambda room: room["name"] == "Written as before")
    edited = stage.until(made, says("Ready", "True", "Updated"))
    assert edited["status"]["roomID"] == room["room_id"] == made["status"]["roomID"] and room["lobby"]
    assert old.get(KIND, "made-before")["status"] == edited["status"]

    # All that is stored is written once more, as the newer version; then the older one can go. Of one it is forgotten who
    # owns which field, as the documentation has it; of the other it is said by a version that nobody serves any more.
    other = stage.until(other, says("Ready", "True"))
    stage.cloudmeet_proxy.forget()
    kubectl = stage.namespace.kubectl
    listed = json.loads(kubectl("get", "mroom", "--output", "json").stdout)
    next(one for one in listed["items"] if one["metadata"]["name"] == "made-before")["metadata"]["managedFields"] = [{}]
    kubectl("replace", "-f", "-", input=json.dumps(listed))
    stored = '{"status": {"storedVersions": ["%s"]}}' % NEW
    kubectl("patch", "crd", definition["metadata"]["name"], "--subresource", "status", "--type", "merge", "--patch", stored)
    define_rooms(another_cluster, definition)
    with pytest.raises(Refused):
        old.get(KIND, "made-before")
    with pytest.raises(Refused, match="invalid group/version"):
        stage.namespace.apply(stage.manifest("as-it-was", capacity=7))
    stage.edit(other, capacity=7)
    stage.namespace.apply(stage.manifest("made-before", capacity=7))
    for resource in (edited, other):
        last = stage.until(resource, says("Ready", "True", "Updated"), timeout=60)
        assert last["metadata"]["uid"] == resource["metadata"]["uid"]
        assert last["status"]["roomID"] == resource["status"]["roomID"] == stage.room(resource)["room_id"]
    assert [call.method for call in stage.cloudmeet_proxy.seen() if call.method != "GET"] == ["PUT", "PUT"]
    assert len(stage.cloudmeet.all_managed(stage.manager)) == 2
