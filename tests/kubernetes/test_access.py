"""What the operator may do in the cluster: what the chart gives it, no less than it needs and nothing more."""

from __future__ import annotations

import concurrent.futures
import re

import pytest

from kubernetes.conftest import settings
from kubernetes.processes import wait_for
from kubernetes.stage import LEASE, chart_access, says

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
# (group, resource, verb), of the namespace.
HELD = {
    ("cloudmeet.io", "rooms", "list"), ("cloudmeet.io", "rooms", "watch"), ("cloudmeet.io", "rooms", "patch"),
    ("cloudmeet.io", "rooms/status", "patch"), ("", "secrets", "get"), ("events.k8s.io", "events", "create"),
    ("coordination.k8s.io", "leases", "create"),
}
# Of this one only.
OF_THE_LEASE = {("coordination.k8s.io", "leases", "get"), ("coordination.k8s.io", "leases", "update")}
# What everybody may who has an account.
EVERYBODYS = {
    ("authorization.k8s.io", "selfsubjectaccessreviews", "create"), ("authorization.k8s.io", "selfsubjectrulesreviews", "create"),
    ("authentication.k8s.io", "selfsubjectreviews", "create"),
    *(("certificates.k8s.io", "clustertrustbundles", verb) for verb in ("get", "list", "watch")),
}
WATCHED = re.compile(r"^/apis?/(?:(?P<group>[^/]+\.[^/]+|apps|batch|policy|autoscaling)/)?v[^/]+/(?:namespaces/[^/]+/)?(?P<rest>.+)$")


def resources(api) -> set[tuple[str, str]]:
    """Everything that the API server serves, subresources too."""
    served = {("", one["name"]) for one in api.call("GET", "/api/v1")["resources"]}
    for group in api.call("GET", "/apis")["groups"]:
        found = api.call("GET", f"/apis/{group['preferredVersion']['groupVersion']}")["resources"]
        served |= {(group["name"], one["name"]) for one in found}
    return served


def may(client, namespace: str, group: str, resource: str, verb: str, name: str = "") -> bool:
    kind, _, part = resource.partition("/")
    asked = {"namespace": namespace, "group": group, "resource": kind, "subresource": part, "verb": verb, "name": name}
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked},
    }
    return client.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)["status"]["allowed"]


def all_that(client, api, namespace: str, name: str = "") -> set[tuple[str, str, str]]:
    """Everything that an account may do in a namespace."""
    cases = [(group, resource, verb) for group, resource in sorted(resources(api)) for verb in VERBS]
    assert len(cases) > 400, "the API server serves more than that"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda case: may(client, namespace, *case, name), cases))
    return {case for case, answer in zip(cases, answers, strict=True) if answer}


def used(proxy, namespace: str) -> set[tuple[str, str, str]]:
    """What was asked of the API server, as its rules call it."""
    found = set()
    for call in proxy.seen():
        place = WATCHED.match(call.path)
        assert place, call.path
        parts = place["rest"].split("/")
        resource = parts[0] if len(parts) < 3 else f"{parts[0]}/{parts[2]}"
        single = len(parts) > 1
        verb = {
            "GET": "get" if single else ("watch" if call.query.get("watch") in ("1", "true") else "list"),
            "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete" if single else "deletecollection",
        }[call.method]
        found.add((place["group"] or "", resource, verb))
    return found


def test_the_operator_may_do_what_it_does_and_nothing_else(stage, meddled):
    client = stage.namespace.as_account(stage.account())
    assert all_that(client, stage.namespace, stage.namespace.name) - EVERYBODYS == HELD
    named = all_that(client, stage.namespace, stage.namespace.name, LEASE)
    assert named - EVERYBODYS == HELD | OF_THE_LEASE
    # Of other namespaces, and of the cluster, nothing.
    for elsewhere in ("default", "kube-system", ""):
        assert all_that(client, stage.namespace, elsewhere) - EVERYBODYS == set()
    client.close()

    meddled().start()
    stage.secret("door", password="correct horse battery")
    made = stage.ready(visibility="Password", passwordSecretRef={"name": "door", "key": "password"})
    stage.delete(made)
    stage.gone(made)
    # What is given is needed, each of it.
    wait_for(lambda: used(stage.api_proxy, stage.namespace.name) == HELD | OF_THE_LEASE, 20, "every right used")


def test_what_is_not_given_is_denied_and_said(stage, operators, tmp_path):
    """An operator whose account lost a right goes on with the rest."""
    told = settings(stage, tmp_path)
    role = next(one for one in chart_access(stage.namespace.name, watchNamespaces=[stage.namespace.name], manager="m")
                if one["kind"] == "Role" and any("secrets" in rule["resources"] for rule in one["rules"]))
    role["rules"] = [rule for rule in role["rules"] if "secrets" not in rule["resources"]]
    stage.namespace.apply(role)
    operators(**told).start()
    stage.secret("door", password="correct horse battery")
    made = stage.create(visibility="Password", passwordSecretRef={"name": "door", "key": "password"})
    stage.until(made, says("Ready", "False", "ClusterUnreachable"))
    stage.ready()


@pytest.mark.parametrize("namespaces", ["all", "one"])
def test_the_cluster_is_named_by_its_oldest_namespace(stage, operators, tmp_path, namespaces, cluster):
    """Without MANAGER the UID of kube-system is read: the one right that is the cluster's."""
    watched = [stage.namespace.name] if namespaces == "one" else []
    access = chart_access(stage.namespace.name, watchNamespaces=watched, manager="")
    for one in access:
        stage.namespace.apply(one)
    account = next(one["metadata"]["name"] for one in access if one["kind"] == "ServiceAccount")
    client = stage.namespace.as_account(account)
    of_all = HELD - {("coordination.k8s.io", "leases", "create")} if namespaces == "all" else set()
    assert all_that(client, stage.namespace, "default") - EVERYBODYS == of_all
    named = all_that(client, stage.namespace, "", "kube-system") - EVERYBODYS - of_all
    assert named == {("", "namespaces", "get")}
    client.close()
    told = settings(stage, tmp_path) | {"manager": None, "WATCH_NAMESPACES": ",".join(watched)}
    told["kubeconfig"] = stage.namespace.kubeconfig_for(stage.namespace.token_for(account), tmp_path / "whole.kubeconfig")
    operators(**told).start()
    made = stage.ready()
    uid = cluster.api.get("Namespace", "kube-system")["metadata"]["uid"]
    assert stage.cloudmeet.managed(uid, made["metadata"]["uid"])["name"] == "Class"
    stage.delete(made)
    stage.gone(made)
    for one in access:
        if one["kind"].startswith("Cluster"):
            cluster.api.delete(one["kind"], one["metadata"]["name"])
