"""An installation of the chart on the node, in a namespace that lets in no pod that is not `restricted`."""

from __future__ import annotations

import json
import pathlib
import subprocess

import yaml

from harness.server import ROOT
from kubernetes import images
from kubernetes.forward import Forward
from kubernetes.machine import Node
from kubernetes.processes import wait_for

CHART = ROOT / "charts/cloudmeet"
CRD = "rooms.cloudmeet.io"
WAIT_S = 120
POD_SECURITY = {f"pod-security.kubernetes.io/{how}": "restricted" for how in ("enforce", "warn")}


class Release:
    """One release, reached through its Service; it has the API of a server that tests have started."""

    def __init__(self, node: Node, name: str, major: int, values: dict) -> None:
        self.node = node
        self.name = name
        self.major = major
        self.namespace = f"chart-{name}"
        self.kubectl = node.kubectl(self.namespace)
        self.front = Forward()
        self.url, self.ws_url = self.front.url, self.front.ws_url
        self.values = node.home / f"values-{name}.yaml"
        self.values.write_text(yaml.safe_dump({
            "publicUrl": self.url, "image": {"prefix": images.PREFIX, "tag": images.TAG, "pullPolicy": "Never"}
        } | values))
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": POD_SECURITY}})

    @property
    def fullname(self) -> str:
        return f"{self.name}-cloudmeet"

    def helm(self, verb: str, *words: object) -> str:
        """Runs Helm, which waits until all is as it should be."""
        done = self.node.helm(
            verb, self.name, *words, "--namespace", self.namespace, "--timeout", f"{WAIT_S}s", major=self.major, check=False,
            timeout=WAIT_S + 30,
        )
        assert done.returncode == 0, f"helm {verb}: {done.stdout}{done.stderr}\n{self.state()}"
        # Whatever Pod Security had to say against a pod.
        assert "would violate" not in done.stderr, done.stderr
        return done.stdout

    def install(self) -> str:
        said = self.helm("install", CHART, "--values", self.values, "--wait")
        address = self.json("get", "service", self.fullname)["spec"]["clusterIP"]
        self.front.lead_to(self.node.init, address, 80)
        return said

    def upgrade(self, change: str) -> None:
        self.helm("upgrade", CHART, "--reuse-values", "--set", change, "--wait")

    def state(self) -> str:
        """What there is, for who has to find out why it is not as it should be."""
        pods = self.kubectl("get", "all,events", "--output", "wide", check=False).stdout
        logs = self.kubectl(
            "logs", "--selector", f"app.kubernetes.io/instance={self.name}", "--all-containers", "--prefix", "--tail", "15",
            check=False,
        ).stdout
        return pods + logs

    def json(self, *words: str) -> dict:
        return json.loads(self.kubectl(*words, "--output", "json").stdout)

    def apply(self, *manifests: dict) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "--filename", "-", input=json.dumps(listed))

    def secret(self, name: str, **data: str) -> None:
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})

    def volume(self, size: str) -> None:
        """Offers a volume of the node's for a claim that names no class. Its owner is root: the pod's group gets it."""
        directory = self.node.home / f"volume-{self.name}"
        directory.mkdir(mode=0o755)
        here = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "Exists"}]}
        self.apply({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": self.name}, "spec": {
                "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "local": {"path": str(directory)},
                "claimRef": {"namespace": self.namespace, "name": self.fullname},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [here]}},
            },
        })

    def pods(self) -> dict[str, str]:
        """The pods that are there, those that are about to go among them, and what each is."""
        found = self.json("get", "pods")["items"]
        return {one["metadata"]["name"]: one["metadata"]["labels"]["app.kubernetes.io/component"] for one in found}

    def settled(self, **components: int) -> dict[str, str]:
        """Waits until there are so many pods of each component and no others, and gives them."""
        wanted = sorted(name for name, count in components.items() for _ in range(count))

        def all_there():
            pods = self.pods()
            assert sorted(pods.values()) == wanted, pods
            return pods or {"none": ""}

        return wait_for(all_there, WAIT_S, "pods of before being gone", every=1)

    def rooms(self) -> dict[str, dict]:
        return {one["metadata"]["name"]: one for one in self.json("get", CRD)["items"]}

    def rooms_ready(self) -> dict[str, dict]:
        """Waits as people do, and gives the rooms."""
        self.kubectl("wait", "--for", "condition=Ready", CRD, "--all", "--timeout", f"{WAIT_S}s", timeout=WAIT_S + 10)
        return self.rooms()

    def meeting(self, room: str) -> None:
        """Lets two people meet in a room, each in a browser."""
        script = pathlib.Path(__file__).parent / "meeting.mjs"
        done = subprocess.run(
            ["node", script, self.url, room], capture_output=True, text=True, timeout=WAIT_S, check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.state()}"

    def read_log(self) -> str:
        """What the servers have said, where a setup link may be."""
        selector = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component in (server,auth)"
        return self.kubectl("logs", "--tail", "-1", "--selector", selector).stdout

    def close(self) -> None:
        """Takes away all but the empty namespace, so that another release may have the definition."""
        self.node.helm("uninstall", self.name, "--namespace", self.namespace, "--wait", major=self.major, check=False)
        if CRD in self.kubectl("get", "customresourcedefinitions", "--output", "name").stdout:
            # Nobody looks after rooms any more, and their finalizers would keep them.
            for room in self.rooms():
                self.kubectl("patch", CRD, room, "--type", "merge", "--patch", '{"metadata": {"finalizers": null}}')
        self.kubectl("delete", "customresourcedefinition", CRD, "--ignore-not-found", "--timeout", "30s")
        self.front.close()
