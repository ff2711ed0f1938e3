"""The node of the harness: pods run on it, and are reached in it and from nowhere else."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest

from kubernetes.processes import wait_for

pytestmark = pytest.mark.node

PROGRAM = pathlib.Path(__file__).resolve().parent / "hello.c"
RESTRICTED = {
    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def manifest(image: str) -> str:
    container = {
        "name": "hello", "image": image, "ports": [{"name": "http", "containerPort": 8080}], "securityContext": RESTRICTED,
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
    }
    labels = {"app": "hello"}
    items = [
        {"apiVersion": "v1", "kind": "Namespace",
         "metadata": {"name": "hello", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "hello", "namespace": "hello"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hello", "namespace": "hello"},
         "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]}},
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def test_pods_of_our_own_images_become_ready_and_answer(node, tmp_path):
    subprocess.run(["gcc", "-Os", "-static", "-s", "-o", tmp_path / "hello", PROGRAM], check=True, timeout=60)
    image = node.image("localhost/hello:1", tmp_path / "hello")
    kubectl = node.kubectl("hello")
    kubectl("apply", "-f", "-", input=manifest(image))
    kubectl("rollout", "status", "deployment/hello", "--timeout", "60s", timeout=90)
    pods = {pod["metadata"]["name"]: pod for pod in json.loads(kubectl("get", "pods", "-o", "json").stdout)["items"]}
    assert len(pods) == 2
    address = json.loads(kubectl("get", "service", "hello", "-o", "json").stdout)["spec"]["clusterIP"]

    def everyone_answered():
        answered.add(node.enter("curl", "--silent", "--fail", "--max-time", "5", f"http://{address}/").stdout)
        return answered == set(pods)

    answered: set[str] = set()
    wait_for(everyone_answered, 30, "every pod answering behind the Service")
    name = next(iter(pods))
    assert kubectl("logs", name).stdout == "listening\n"
    pod_address = pods[name]["status"]["podIP"]
    # Outside, somebody else may have that address.
    outside = ["curl", "--silent", "--max-time", "2", "--noproxy", "*", f"http://{pod_address}:8080/"]
    assert subprocess.run(outside, capture_output=True, check=False, text=True).stdout not in pods
    assert node.enter(*outside).stdout == name


def test_an_image_that_is_not_there_is_not_pulled(node):
    kubectl = node.kubectl()
    kubectl("run", "absent", "--image", "localhost/absent:1")
    reasons = "{.status.containerStatuses[0].state.waiting.reason}"
    wait_for(
        lambda: kubectl("get", "pod", "absent", "-o", f"jsonpath={reasons}").stdout in ("ErrImagePull", "ImagePullBackOff"), 60,
        "the pod saying that there is no image", every=0.5,
    )
