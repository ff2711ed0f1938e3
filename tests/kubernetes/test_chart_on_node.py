"""The chart on a real Kubernetes, with images FROM scratch: installed, used, changed under people's hands, and taken away."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets

import httpx
import pytest

from contract.client import PASSWORD, TIMEOUT_S, Person, first_administrator
from harness.server import ROOT
from kubernetes import images
from kubernetes.load import PAGE, Load
from kubernetes.processes import wait_for
from kubernetes.releases import CRD, WAIT_S, Release
from kubernetes.stage import FINALIZER, conditions

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

EXAMPLES = ROOT / "examples/rooms"
ROLLED = ("gateway", "auth", "conference", "operator")
# Nobody waits longer than must be.
BRISK = {
    "startupProbe": {"periodSeconds": 1}, "readinessProbe": {"periodSeconds": 2}, "registration": "open",
    "networkPolicy": {"enabled": True},
}
# The node's DNS keeps a name for 5 s, where a cluster's does for 30.
DRAIN_S = 8


@pytest.fixture(scope="module")
def images_loaded(node):
    """All images that the chart names, under names of the tests'."""
    for name in images.OURS:
        node.image_of(f"{images.PREFIX}/cloudmeet-{name}:{images.TAG}", functools.partial(images.ours, name))
    node.image_of(f"{images.PREFIX}/postgres:{images.TAG}", images.postgres)
    node.image_of(f"{images.PREFIX}/redis:{images.TAG}", images.redis)


@pytest.fixture
def release(node, images_loaded):
    made: list[Release] = []

    def make(*arguments: object) -> Release:
        made.append(Release(node, *arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


def room(name: str, **spec: object) -> dict:
    return {"apiVersion": "cloudmeet.io/v1alpha1", "kind": "Room", "metadata": {"name": name}, "spec": spec}


def store(name: str) -> dict:
    return {
        "enabled": True, "image": {"repository": f"{images.PREFIX}/{name}", "tag": images.TAG, "pullPolicy": "Never"},
        "auth": {"password": secrets.token_hex(16)},
    }


def contents(person: Person, number: int) -> list[str]:
    """What stands in a room's history, from the oldest on."""
    found: list[dict] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = person.get(f"/api/rooms/{number}/messages", limit=PAGE, after_seq=after).json()["messages"]
        found += page
        if len(page) < PAGE:
            return [one["content"] for one in found]


def until_edited(release: Release, name: str, person: Person, **spec: object) -> dict:
    """Edits a room, and waits until the operator has done it."""
    release.kubectl("patch", CRD, name, "--type", "merge", "--patch", json.dumps({"spec": spec}))

    def done():
        found = release.json("get", CRD, name)
        ready = conditions(found)["Ready"]
        assert (ready["status"], ready["observedGeneration"]) == ("True", found["metadata"]["generation"]), ready
        return found

    found = wait_for(done, WAIT_S, "the operator having done what was edited", every=0.2)
    assert person.detail(found["status"]["roomID"])["name"] == spec["displayName"]
    return found


class Known(Person):
    """Somebody who has an account already."""

    def __init__(self, release: Release, email: str) -> None:
        self.server, self.email, self.sockets = release, email, []
        self.http = httpx.Client(base_url=release.url, timeout=TIMEOUT_S)
        self.sign_in()


def give_key(release: Release, administrator: Person) -> None:
    """Makes a key for the operator, which takes it up by itself."""
    made = administrator.post("/api/api-keys", name="operator", scopes=["rooms:manage"])
    assert made.status_code == 201, made.text
    release.secret(f"{release.fullname}-operator", **{"api-key": made.json()["key"]})


def test_one_server_on_files_with_the_operator_by_helm_4(release):
    """As the smallest installation in the chart's README; all is found again when it has been uninstalled."""
    files = {"sqlite": {"enabled": True, "persistence": {"size": "1Gi"}}, "operator": {"enabled": True}}
    meet = release("files", 4, BRISK | files)
    meet.volume("1Gi")
    meet.install()
    meet.settled(server=1, operator=1)
    meet.helm("test")

    # Accounts as NOTES says, from the command line that is in the image.
    cli = ["exec", "--stdin", f"deployment/{meet.fullname}", "--", "/cloudmeet", "--direct"]
    for name, *more in (("Ann", "--admin"), ("Bob",)):
        who = ["--name", name, "--email", f"{name.lower()}@example.org"]
        meet.kubectl(*cli, "users", "create", *who, "--password-stdin", *more, input=PASSWORD)
    with contextlib.closing(Known(meet, "ann@example.org")) as ann:
        adopted = ann.room("Weekly planning")
        give_key(meet, ann)
        meet.kubectl("apply", "--filename", str(EXAMPLES))
        rooms = meet.rooms_ready()
        assert len(rooms) == 5
        assert int(rooms["weekly"]["status"]["roomID"]) == adopted
        number = rooms["algebra"]["status"]["roomID"]
        meet.meeting(number)
        said = contents(ann, number)
        assert len(said) == 2

        # One that keeps files stops before the next starts.
        meet.upgrade("log.level=warn")
        meet.settled(server=1, operator=1)
        assert contents(ann, number) == said

        meet.helm("uninstall", "--wait")
        meet.settled()
        kept = meet.rooms()
        assert {name: one["metadata"]["uid"] for name, one in kept.items()} == {
            name: one["metadata"]["uid"] for name, one in rooms.items()
        }
        assert all(FINALIZER in one["metadata"]["finalizers"] for one in kept.values())

        meet.install()
        edited = until_edited(meet, "algebra", ann, displayName="Algebra, Tuesday group")
        assert edited["status"]["roomID"] == number
        assert contents(ann, number) == said
        meet.kubectl("delete", CRD, "--all", "--timeout", "30s")
        # It is closed; who were in it keep its history.
        assert ann.detail(number)["is_active"] is False


def test_parts_twice_on_postgres_and_redis_by_helm_3(release):
    """As the try-out in the chart's README, each part twice; people go on while it is upgraded and rolled back."""
    part = {"replicaCount": 2, "preStopSeconds": DRAIN_S}
    meet = release("parts", 3, BRISK | {
        "split": True, "gateway": part, "auth": part, "conference": part, "secrets": {"existingSecret": "shared"},
        "postgres": store("postgres") | {"persistence": {"enabled": False}}, "redis": store("redis"),
        "operator": {"enabled": True, "replicaCount": 2, "watchNamespaces": ["chart-parts"], "manager": "parts"},
    })
    everybody = {"gateway": 2, "auth": 2, "conference": 2, "operator": 2, "postgres": 1, "redis": 1}
    meet.secret("shared", **{"internal-token": secrets.token_hex(32)})
    meet.install()
    before = meet.settled(**everybody)
    meet.helm("test")

    # The first administrator as NOTES says, by the link in the log.
    with contextlib.closing(first_administrator(meet)) as admin:
        give_key(meet, admin)
        meet.apply(room("class", displayName="Class", owner=admin.email, visibility="Public"))
        number = meet.rooms_ready()["class"]["status"]["roomID"]
        meet.meeting(number)

        with Load(meet.url, admin, number) as load:
            meet.upgrade("log.level=warn")
            upgraded = meet.settled(**everybody)
            meet.helm("rollback", "1", "--wait")
            rolled_back = meet.settled(**everybody)
        rolled = [{name for name, kind in pods.items() if kind in ROLLED} for pods in (before, upgraded, rolled_back)]
        assert not rolled[0] & rolled[1] and not rolled[1] & rolled[2]
        assert not load.failed, "\n".join([*load.failed, meet.state()])
        assert load.answered > 3 * 50
        # Each was stored once.
        assert [text for text in contents(admin, number) if text.startswith("message ")] == load.said

        leader = meet.json("get", "lease", f"{meet.fullname}-operator")["spec"]["holderIdentity"]
        assert any(leader.startswith(name) for name in rolled_back), leader
        until_edited(meet, "class", admin, displayName="Class of 2027")
        meet.kubectl("delete", CRD, "--all", "--timeout", "30s")
    meet.helm("uninstall", "--wait")
    meet.settled()
    meet.kubectl("get", "customresourcedefinition", CRD)
