"""The operator's deployment, its rights to the letter, the resource definition, and the examples."""

from __future__ import annotations

import copy

import jsonschema
import pytest
import yaml

from chart.helm import CHART, MAJORS, NAMESPACE, RELEASE, ROOT, kinds, one, pod_of, render, settings

OPERATOR = f"{RELEASE}-cloudmeet-operator"
OF_CLUSTER = f"{NAMESPACE}-{OPERATOR}"
CRD = yaml.safe_load((CHART / "files/rooms.cloudmeet.io.yaml").read_text())


def rights(it: dict) -> set[tuple]:
    return {
        (group, resource, verb, tuple(rule.get("resourceNames", ())))
        for rule in it["rules"] for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]
    }


WATCHED = {
    ("cloudmeet.io", "rooms", "list", ()), ("cloudmeet.io", "rooms", "watch", ()), ("cloudmeet.io", "rooms", "patch", ()),
    ("cloudmeet.io", "rooms/status", "patch", ()), ("", "secrets", "get", ()), ("events.k8s.io", "events", "create", ()),
}
LEASE = {("coordination.k8s.io", "leases", "create", ())} | {("coordination.k8s.io", "leases", verb, (OPERATOR,)) for verb in ("get", "update")}
CLUSTER_NAME = {("", "namespaces", "get", ("kube-system",))}


def granted(objects: list[dict]) -> dict[tuple, set[tuple]]:
    """What the operator's account may, by the namespace in which it may it."""
    found = {}
    for it in kinds(objects, "RoleBinding", "ClusterRoleBinding"):
        assert it["subjects"] == [{"kind": "ServiceAccount", "name": OPERATOR, "namespace": NAMESPACE}]
        role = next(
            other for other in kinds(objects, it["roleRef"]["kind"])
            if other["metadata"]["name"] == it["roleRef"]["name"] and other["metadata"].get("namespace") == it["metadata"].get("namespace")
        )
        found[it["metadata"].get("namespace")] = found.get(it["metadata"].get("namespace"), set()) | rights(role)
    return found


@pytest.mark.parametrize("major", MAJORS)
def test_its_rights_are_these_and_no_more(major):
    everywhere = render("operator-everywhere", major=major)
    assert granted(everywhere) == {None: WATCHED | CLUSTER_NAME, NAMESPACE: LEASE}
    named = render("operator-everywhere", *settings(operator__manager="the-school"), major=major)
    assert granted(named) == {None: WATCHED, NAMESPACE: LEASE}
    somewhere = render("operator-only-namespaced", major=major)
    assert granted(somewhere) == {"classes": WATCHED, "on-call": WATCHED, NAMESPACE: LEASE}
    unnamed = render("operator-only-namespaced", *settings(operator__manager=""), major=major)
    assert granted(unnamed) == {"classes": WATCHED, "on-call": WATCHED, NAMESPACE: LEASE, None: CLUSTER_NAME}
    own = render("operator-only-namespaced", *settings(operator__watchNamespaces=[NAMESPACE]), major=major)
    assert granted(own) == {NAMESPACE: WATCHED | LEASE}
    assert not granted(render("operator-everywhere", *settings(rbac__create=False), major=major))
    assert not granted(render("all-sqlite", major=major)) and not kinds(render("all-sqlite", major=major), "Role", "ClusterRole")


def test_no_right_is_a_star():
    for values in ("operator-everywhere", "operator-only-namespaced", "everything"):
        for it in kinds(render(values), "Role", "ClusterRole"):
            assert not [right for right in rights(it) if "*" in right[:3]]


def test_people_get_rooms_with_the_roles_that_they_have():
    objects = render("operator-everywhere")
    view, edit = (one(objects, "ClusterRole", f"{OF_CLUSTER}-rooms-{kind}") for kind in ("view", "edit"))
    assert {verb for _, resource, verb, _ in rights(view) if resource == "rooms"} == {"get", "list", "watch"}
    assert {verb for _, _, verb, _ in rights(edit)} == {"create", "update", "patch", "delete", "deletecollection"}

    def into(it: dict) -> set[str]:
        prefix = "rbac.authorization.k8s.io/aggregate-to-"
        return {label.removeprefix(prefix) for label in it["metadata"]["labels"] if label.startswith(prefix)}

    assert into(view) == {"view", "edit", "admin"} and into(edit) == {"edit", "admin"}
    names = {it["metadata"]["name"] for it in kinds(render("operator-everywhere", *settings(rbac__aggregate=False)), "ClusterRole")}
    assert names == {OF_CLUSTER}


def test_it_is_told_what_it_needs():
    objects = render("operator-everywhere")
    pod = pod_of(one(objects, "Deployment", OPERATOR))
    (inside,) = pod["containers"]
    assert inside["args"] == ["run"]
    told = {it["name"]: it.get("value", it.get("valueFrom")) for it in inside["env"]}
    assert told == {
        "CLOUDMEET_URL": f"http://{RELEASE}-cloudmeet.{NAMESPACE}.svc",
        "CLOUDMEET_API_KEY_FILE": "/run/secrets/cloudmeet-operator/api-key",
        "WATCH_NAMESPACES": "",
        "LEASE_NAMESPACE": {"fieldRef": {"fieldPath": "metadata.namespace"}},
        "LEASE_NAME": OPERATOR,
        "LEASE_DURATION_SECONDS": "15",
        "METRICS_ADDR": "0.0.0.0:8080",
        "RESYNC_SECONDS": "600",
        "LOG_FORMAT": "json",
        "RUST_LOG": "info",
        "POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}},
    }
    # Optional, and a directory: it comes later, and changes.
    assert pod["volumes"] == [{"name": "api-key", "secret": {"secretName": OPERATOR, "optional": True, "defaultMode": 0o440}}]
    assert inside["volumeMounts"] == [{"name": "api-key", "mountPath": "/run/secrets/cloudmeet-operator", "readOnly": True}]
    # The server answers to names that it knows.
    assert one(objects, "ConfigMap", f"{RELEASE}-cloudmeet")["data"]["ALLOWED_ORIGINS"] == told["CLOUDMEET_URL"]
    service = one(objects, "Service", OPERATOR)["spec"]["ports"][0]
    assert service["port"] == 8080 and service["targetPort"] == "metrics"


def test_it_may_stand_alone_and_twice():
    objects = render("operator-only-namespaced")
    assert {it["metadata"]["name"] for it in kinds(objects, "Deployment")} == {OPERATOR}
    assert one(objects, "Deployment", OPERATOR)["spec"]["replicas"] == 2 and one(objects, "PodDisruptionBudget", OPERATOR)
    (inside,) = pod_of(one(objects, "Deployment", OPERATOR))["containers"]
    told = {it["name"]: it.get("value") for it in inside["env"]}
    assert told["CLOUDMEET_URL"] == "https://meet.example.org" and told["MANAGER"] == "the-school"
    assert told["WATCH_NAMESPACES"] == "classes,on-call" and told["CLOUDMEET_CA_FILE"] == "/etc/cloudmeet-operator/ca/ca.crt"
    (ca,) = [it for it in pod_of(one(objects, "Deployment", OPERATOR))["volumes"] if it["name"] == "ca"]
    assert ca["configMap"] == {"name": "authorities"}


@pytest.mark.parametrize("major", MAJORS)
def test_the_resource_definition_is_the_file_and_stays_if_it_should(major):
    def definition(*options: str) -> list[dict]:
        return kinds(render("operator-everywhere", *options, major=major), "CustomResourceDefinition")

    (kept,) = definition()
    assert kept["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    # Helm never upgrades what lies in `crds/`; this is upgraded like everything else.
    assert definition("--is-upgrade") == [kept]
    (unkept,) = definition(*settings(crds__keep=False))
    assert "helm.sh/resource-policy" not in unkept["metadata"].get("annotations", {})
    for it in (kept, unkept):
        assert it["spec"] == CRD["spec"] and it["metadata"]["name"] == "rooms.cloudmeet.io"
        assert CRD["metadata"].get("annotations", {}).items() <= it["metadata"].get("annotations", {}).items()
    assert not definition(*settings(crds__enabled=False))
    assert not kinds(render("all-sqlite", major=major), "CustomResourceDefinition")


def strict(schema: dict) -> dict:
    """The schema of a version, under which what nobody knows is an error instead of being dropped."""
    schema = copy.deepcopy(schema)

    def close(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict) and not node.get("x-kubernetes-preserve-unknown-fields"):
                node.setdefault("additionalProperties", False)
            for value in node.values():
                close(value)

    close(schema)
    # What every resource has, whatever its definition says.
    schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"const": "Room"}, "metadata": {"type": "object"}}
    return schema


def examples() -> list[dict]:
    return [it for path in sorted((ROOT / "examples/rooms").glob("*.yaml")) for it in yaml.safe_load_all(path.read_text())]


def test_the_examples_are_rooms():
    (version,) = [it for it in CRD["spec"]["versions"] if it["name"] == "v1alpha1"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    rooms = [it for it in examples() if it["kind"] == "Room"]
    for room in rooms:
        assert room["apiVersion"] == "cloudmeet.io/v1alpha1"
        jsonschema.validate(room, schema)
    specs = [it["spec"] for it in rooms]
    assert {it.get("visibility", "Public") for it in specs} == {"Public", "Private", "Password"}
    assert any("schedule" in it for it in specs) and any("externalRoomID" in it for it in specs)
    secrets = {it["metadata"]["name"]: it["stringData"] for it in examples() if it["kind"] == "Secret"}
    for spec in specs:
        if spec.get("visibility") == "Password":
            assert spec["passwordSecretRef"]["key"] in secrets[spec["passwordSecretRef"]["name"]]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**rooms[0], "spec": {**rooms[0]["spec"], "misspelt": 1}}, schema)


def test_the_health_script_is_a_patch_of_the_right_key():
    patch = yaml.safe_load((ROOT / "examples/argocd-health.yaml").read_text())
    assert list(patch["data"]) == ["resource.customizations.health.cloudmeet.io_Room"]


def test_the_charts_example_is_a_room_too():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (room,) = yaml.safe_load(chart["annotations"]["artifacthub.io/crdsExamples"])
    jsonschema.validate(room, strict(CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))
    (described,) = yaml.safe_load(chart["annotations"]["artifacthub.io/crds"])
    assert (described["kind"], described["name"], described["version"]) == ("Room", CRD["metadata"]["name"], CRD["spec"]["versions"][0]["name"])
