"""A control plane, a CloudMeet, and, for the tests that need pods, a node; each test has a namespace of its own."""

from __future__ import annotations

import itertools
import os
import pathlib

import pytest
import yaml

from kubernetes.api import Refused
from kubernetes.cloudmeet import CloudMeet
from kubernetes.cluster import ControlPlane, Namespace
from kubernetes.faults import FaultProxy
from kubernetes.machine import Node
from kubernetes.operators import Operator
from kubernetes.processes import running, wait_for
from kubernetes.stage import LEASE, Stage

CRD = pathlib.Path(__file__).resolve().parents[2] / "charts/cloudmeet/files/rooms.cloudmeet.io.yaml"

_numbers = itertools.count()
_nodes: list[Node] = []


@pytest.fixture(scope="session")
def control_plane():
    with ControlPlane() as started:
        yield started


@pytest.fixture
def cluster(control_plane):
    """The control plane, which a test may stop: it runs again for the next one."""
    yield control_plane
    if not control_plane.etcd.alive():
        control_plane.start_etcd()
    if not control_plane.api_server.alive():
        control_plane.start_api_server()


@pytest.fixture
def namespace(cluster) -> Namespace:
    """An empty namespace; nothing cleans it up, as nothing else is in it."""
    made = cluster.namespace(f"test-{os.getpid()}-{next(_numbers)}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def cloudmeet_server():
    with CloudMeet() as started:
        yield started


@pytest.fixture
def cloudmeet(cloudmeet_server):
    """The CloudMeet server, which a test may stop: it runs again for the next one."""
    yield cloudmeet_server
    if not cloudmeet_server.is_up():
        cloudmeet_server.start()


@pytest.fixture
def manager() -> str:
    """What an operator of this test calls itself: of no other test's rooms."""
    return f"cluster-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def api_proxy(cluster):
    """A proxy before the API server."""
    with FaultProxy(cluster.url, cluster.ca) as proxy:
        yield proxy


@pytest.fixture
def cloudmeet_proxy(cloudmeet):
    """A proxy before the CloudMeet server."""
    with FaultProxy(cloudmeet.url) as proxy:
        yield proxy


@pytest.fixture
def operators():
    """Makes operators that end with the test: `operators(kubeconfig=…, …)`; they are not started yet."""
    made: list[Operator] = []

    def make(**settings: object) -> Operator:
        made.append(Operator(**settings))
        return made[-1]

    yield make
    for operator in made:
        operator.close()


@pytest.fixture(scope="session")
def node():
    with Node() as started:
        _nodes.append(started)
        yield started
        _nodes.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails shows what its programs said last."""
    report = yield
    if report.failed:
        for program in list(running):
            if program.process is not None:
                report.sections.append((f"log of {program.name}", program.tail()))
        for one in _nodes:
            report.sections.append(("logs of the node", one.tail()))
    return report


@pytest.fixture(scope="session")
def rooms_defined(control_plane) -> dict:
    """The custom resource definition, served."""
    return define_rooms(control_plane)


def define_rooms(cluster: ControlPlane, definition: dict | None = None) -> dict:
    """Puts the custom resource definition, or another one of the same kind, into a cluster, and gives it as it was put.

    Ends when the versions that it serves are served, and no others.
    """
    definition = definition or yaml.safe_load(CRD.read_text())
    cluster.api.apply(definition)
    wanted = [version["name"] for version in definition["spec"]["versions"] if version["served"]]

    def served():
        assert cluster.api.versions("cloudmeet.io") == wanted
        for version in wanted:
            try:
                cluster.api.call("GET", f"/apis/cloudmeet.io/{version}/rooms")
            except Refused:
                return False
        return True

    wait_for(served, 20, "the kind Room served")
    return definition


@pytest.fixture
def another_cluster():
    """A second control plane, of one test, with nothing in it."""
    with ControlPlane() as started:
        yield started


@pytest.fixture(scope="session")
def owner(cloudmeet_server):
    return cloudmeet_server.person("Olga Owner")


@pytest.fixture
def stage(rooms_defined, namespace, cloudmeet, manager, owner) -> Stage:
    """A namespace for resources, without an operator."""
    return Stage(namespace, cloudmeet, manager, owner)


@pytest.fixture
def operator(stage, operators, tmp_path) -> Operator:
    """An operator that looks after the namespace, as the chart lets it."""
    return operators(**settings(stage, tmp_path)).start()


@pytest.fixture
def meddled(stage, operators, tmp_path, api_proxy, cloudmeet_proxy):
    """Makes operators that speak to both sides through proxies: `meddled(RESYNC_SECONDS=…)`."""
    stage.api_proxy, stage.cloudmeet_proxy = api_proxy, cloudmeet_proxy

    def make(**more: object) -> Operator:
        through = {"server": api_proxy.url, "cloudmeet_url": cloudmeet_proxy.url}
        return operators(**(settings(stage, tmp_path, **through) | more))

    return make


def settings(stage: Stage, directory: pathlib.Path, server: str | None = None, cloudmeet_url: str | None = None) -> dict:
    """What an operator of a namespace is told; it may do what the chart lets it."""
    token = stage.namespace.token_for(stage.account())
    kubeconfig = stage.namespace.kubeconfig_for(token, directory / "operator.kubeconfig", server)
    return {
        "kubeconfig": kubeconfig, "cloudmeet_url": cloudmeet_url or stage.cloudmeet.url,
        "key_file": stage.cloudmeet.key_file, "manager": stage.manager, "namespace": stage.namespace.name,
        "LEASE_NAME": LEASE,
    }
