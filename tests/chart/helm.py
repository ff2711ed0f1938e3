"""Both majors of Helm, and what they make of the chart."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/cloudmeet"
VALUES = Path(__file__).parent / "values"
MATRIX = sorted(path.stem for path in VALUES.glob("*.yaml"))
MAJORS = ["helm3", "helm4"]
RELEASE, NAMESPACE = "meet", "meetings"
# What a cluster with the Prometheus operator and the Gateway API knows.
KNOWN = ["--api-versions", "monitoring.coreos.com/v1", "--api-versions", "gateway.networking.k8s.io/v1"]


class Refused(Exception):
    """What Helm said instead of rendering."""


def program(name: str) -> str:
    directory = os.environ.get("HELM")
    assert directory and (Path(directory) / name).exists(), "run this by `make test-chart`, which has Helm and says where"
    return str(Path(directory) / name)


def run(major: str, *arguments: str | Path) -> str:
    # Nobody's own cluster, plug-ins or repositories.
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": "/nonexistent"}
    done = subprocess.run([program(major), *map(str, arguments)], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


@functools.cache
def text(major: str, *options: str, values: str | None = None, release: str = RELEASE, chart: Path = CHART) -> str:
    files = ["--values", VALUES / f"{values}.yaml"] if values else []
    return run(major, "template", release, chart, "--namespace", NAMESPACE, *KNOWN, *files, *options)


def render(values: str | None = None, *options: str, major: str = "helm4", **others) -> list[dict]:
    """Gives the objects of a rendering. `options` are those of Helm, such as `--set`, `a=b`."""
    return [found for found in yaml.load_all(text(major, *options, values=values, **others), yaml.CSafeLoader) if found]


def settings(**values: object) -> list[str]:
    """Options that set values by their paths, with `__` for the dots."""
    options = []
    for path, value in values.items():
        options += ["--set-json", f"{path.replace('__', '.')}={json.dumps(value)}"]
    return options


def one(objects: list[dict], kind: str, name: str) -> dict:
    (found,) = [it for it in objects if it["kind"] == kind and it["metadata"]["name"] == name]
    return found


def kinds(objects: list[dict], *wanted: str) -> list[dict]:
    return [it for it in objects if it["kind"] in wanted]


def pod_of(it: dict) -> dict | None:
    """The specification of the pods that an object is or makes."""
    if it["kind"] == "Pod":
        return it["spec"]
    return it["spec"]["template"]["spec"] if it["kind"] in ("Deployment", "StatefulSet") else None


def name(it: dict) -> str:
    return f"{it['kind']} {it['metadata']['name']}"
