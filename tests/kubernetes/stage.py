"""A namespace with an operator that looks after it, and a CloudMeet whom it asks."""

from __future__ import annotations

import functools
import itertools
import os
import pathlib
import subprocess

import httpx
import yaml

from harness.server import ROOT
from kubernetes.cloudmeet import CloudMeet
from kubernetes.cluster import Namespace
from kubernetes.operators import Operator
from kubernetes.processes import wait_for

KIND = "rooms.cloudmeet.io"
FINALIZER = "cloudmeet.io/room"
RELEASE = "meet"
# What the chart calls the lease of that release.
LEASE = f"{RELEASE}-cloudmeet-operator"
RENDER_TIMEOUT_S = 30
_names = itertools.count(1)


def conditions(resource: dict) -> dict[str, dict]:
    return {one["type"]: one for one in resource.get("status", {}).get("conditions", [])}


def says(kind: str, status: str, reason: str | None = None):
    """That a resource has a condition, for what it describes now."""

    def check(resource: dict | None) -> bool:
        found = conditions(resource or {}).get(kind)
        if found is None or found["observedGeneration"] != resource["metadata"]["generation"]:
            return False
        return found["status"] == status and reason in (None, found["reason"])

    return check


def chart_access(namespace: str, **operator: object) -> list[dict]:
    """The account of the chart's operator, and what it may do."""
    helm = os.environ.get("HELM")
    assert helm, "HELM names the directory that tests/harness/install-helm.sh has made: run `make test-kubernetes`"
    values = {"server": {"enabled": False}, "operator": {"enabled": True, "cloudmeetUrl": "http://meet.example"} | operator}
    done = subprocess.run(
        [pathlib.Path(helm) / "helm3", "template", RELEASE, ROOT / "charts/cloudmeet", "--namespace", namespace,
         "--show-only", "templates/operator/rbac.yaml", "--values", "-"],
        input=yaml.safe_dump(values), capture_output=True, text=True, timeout=RENDER_TIMEOUT_S, check=False,
    )
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


class Stage:
    """Makes resources, waits for what becomes of them, and looks at their rooms."""

    def __init__(self, namespace: Namespace, cloudmeet: CloudMeet, manager: str, owner: object) -> None:
        self.namespace = namespace
        self.cloudmeet = cloudmeet
        self.manager = manager
        self.owner = owner
        self.operator: Operator | None = None

    @functools.cache
    def account(self) -> str:
        """Makes the account of an operator of this namespace, as the chart does, and gives its name."""
        made = chart_access(self.namespace.name, watchNamespaces=[self.namespace.name], manager=self.manager)
        for one in made:
            self.namespace.apply(one)
        return next(one["metadata"]["name"] for one in made if one["kind"] == "ServiceAccount")

    def manifest(self, name: str | None = None, annotations: dict | None = None, **spec: object) -> dict:
        name = name or f"room-{next(_names)}"
        metadata = {"name": name} | ({"annotations": annotations} if annotations else {})
        spec = {"displayName": "Class", "owner": self.owner.email} | spec
        return {"apiVersion": "cloudmeet.io/v1alpha1", "kind": "Room", "metadata": metadata, "spec": spec}

    def create(self, name: str | None = None, **spec: object) -> dict:
        return self.namespace.create(self.manifest(name, **spec))

    def ready(self, name: str | None = None, **spec: object) -> dict:
        """Makes a resource, and waits until its room is there."""
        return self.until(self.create(name, **spec), says("Ready", "True"))

    def edit(self, resource: dict, **spec: object) -> dict:
        return self.namespace.patch(KIND, resource["metadata"]["name"], {"spec": spec})

    def annotate(self, resource: dict, **annotations: str) -> dict:
        return self.namespace.patch(KIND, resource["metadata"]["name"], {"metadata": {"annotations": annotations}})

    def delete(self, resource: dict) -> None:
        self.namespace.delete(KIND, resource["metadata"]["name"])

    def get(self, resource: dict) -> dict | None:
        return self.namespace.get(KIND, resource["metadata"]["name"])

    def until(self, resource: dict, condition, timeout: float = 20) -> dict:
        """Waits until a condition holds for a resource, and gives it as it is then."""
        return self.namespace.wait_for(KIND, resource["metadata"]["name"], condition, timeout)

    def gone(self, resource: dict, timeout: float = 20) -> None:
        self.namespace.wait_until_gone(KIND, resource["metadata"]["name"], timeout)

    def room(self, resource: dict) -> dict | None:
        """The room of a resource, as the server has it."""
        return self.cloudmeet.managed(self.manager, resource["metadata"]["uid"])

    def until_room(self, resource: dict, condition, timeout: float = 20) -> dict:
        def holds():
            room = self.room(resource)
            assert condition(room), room
            return room or {"gone": True}

        return wait_for(holds, timeout, "the room as it should be", every=0.05)

    def events(self, resource: dict) -> list[dict]:
        """What was told of a resource, as (type, reason)."""
        uid = resource["metadata"]["uid"]
        return [one for one in self.namespace.list("events.events.k8s.io") if one["regarding"].get("uid") == uid]

    def reasons(self, resource: dict) -> list[tuple[str, str]]:
        told = sorted(self.events(resource), key=lambda event: event["eventTime"])
        return [(event["type"], event["reason"]) for event in told]

    def secret(self, name: str, **data: str) -> None:
        self.namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})

    def break_room(self, resource: dict, **change: object) -> None:
        """Describes the room differently, past the operator: as another operator of this cluster's name would."""
        answer = self.describe(resource, self.room(resource) | change)
        assert answer.status_code == 200, answer.text

    def describe(self, resource: dict, room: dict) -> httpx.Response:
        """Says to the server what the room of a resource is like, in the way of operators."""
        keys = ("name", "description", "owner", "moderators", "visibility", "capacity", "lobby", "slug", "password_version")
        path = f"/api/managed-rooms/{self.manager}/{resource['metadata']['uid']}"
        return self.cloudmeet.http.put(path, json={key: room[key] for key in keys})

    def close_room(self, resource: dict) -> None:
        """Closes the room past the operator."""
        answer = self.cloudmeet.http.delete(f"/api/managed-rooms/{self.manager}/{resource['metadata']['uid']}")
        assert answer.status_code == 204, answer.text
