"""The chart itself: both majors of Helm take it, what they make of it is valid, and its files agree with each other."""

from __future__ import annotations

import copy
import functools
import json
import re
import shutil
import subprocess
import sys

import jsonschema
import kubernetes_validate
import kubernetes_validate.utils
import pytest
import yaml

from chart.helm import (
    CHART, KNOWN, MAJORS, MATRIX, NAMESPACE, RELEASE, ROOT, VALUES, Refused, kinds, name, one, pod_of, render, run, settings, text,
)

KUBERNETES = "1.37"
# Read anew for every object otherwise: megabytes.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)
OTHERS = {
    schema["properties"]["kind"]["const"]: schema
    for schema in (json.loads(path.read_text()) for path in (ROOT / "tests/chart/schemas").glob("*.json"))
}
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def validate(it: dict) -> None:
    if it["kind"] in OTHERS:
        jsonschema.validate(it, OTHERS[it["kind"]])
        # The rest of it is like any other object's.
        it = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": it["metadata"]}
    kubernetes_validate.validate(it, KUBERNETES, strict=True)


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("values", MATRIX)
def test_lint_finds_nothing(major, values):
    said = run(major, "lint", "--strict", CHART, "--namespace", NAMESPACE, "--values", VALUES / f"{values}.yaml")
    found = [line for line in said.splitlines() if line.startswith("[") and line != "[INFO] Chart.yaml: icon is recommended"]
    assert not found and "0 chart(s) failed" in said, said


@pytest.mark.parametrize("values", MATRIX)
def test_every_object_is_valid_to_the_newest_kubernetes(values):
    assert kubernetes_validate.latest_version().startswith(KUBERNETES)
    for it in render(values):
        try:
            validate(it)
        except jsonschema.ValidationError as error:
            pytest.fail(f"{name(it)}: {'.'.join(map(str, error.path))}: {error.message}")


def test_what_kubernetes_does_not_know_is_found():
    deployment = copy.deepcopy(one(render("all-sqlite"), "Deployment", f"{RELEASE}-cloudmeet"))
    deployment["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(jsonschema.ValidationError):
        validate(deployment)


@pytest.mark.parametrize("values", MATRIX)
def test_both_majors_render_the_same_and_nothing_is_random(values):
    by_major = [text(major, values=values) for major in MAJORS]
    assert list(yaml.safe_load_all(by_major[0])) == list(yaml.safe_load_all(by_major[1]))
    text.cache_clear()
    assert text("helm4", values=values) == by_major[1]


def test_no_template_asks_for_chance_the_clock_or_the_cluster():
    forbidden = re.compile(r"\b(rand\w+|gen(CA|PrivateKey|Signed|SelfSigned)\w*|uuidv4|derivePassword|htpasswd|bcrypt|now|ago|date\w*|lookup)\b")
    for path in (CHART / "templates").rglob("*.*"):
        for action in re.findall(r"\{\{-?(?!/\*|- /\*)(.*?)\}\}", path.read_text(), re.DOTALL):
            code = re.sub(r'"[^"]*"', '""', action)
            assert not forbidden.search(code), f"{path.name}: {action}"


@pytest.mark.parametrize("values", MATRIX)
def test_objects_have_the_recommended_labels_and_a_place(values):
    for it in render(values):
        labels = it["metadata"]["labels"]
        assert {"name", "instance", "version", "component", "part-of", "managed-by"} <= {
            label.removeprefix("app.kubernetes.io/") for label in labels if label.startswith("app.kubernetes.io/")
        }, name(it)
        assert labels["helm.sh/chart"] == "cloudmeet-0.1.0"
        of_the_cluster = it["kind"].startswith("Cluster") or it["kind"] == "CustomResourceDefinition"
        assert ("namespace" in it["metadata"]) != of_the_cluster, name(it)


def test_names_are_told_apart_and_short_enough():
    long = "a" * 53
    for values in MATRIX:
        objects = render(values, release=long)
        identities = [(it["apiVersion"], it["kind"], it["metadata"].get("namespace"), it["metadata"]["name"]) for it in objects]
        assert len(set(identities)) == len(identities)
        for it in kinds(objects, "Service", "Deployment", "StatefulSet", "Pod"):
            assert len(it["metadata"]["name"]) <= 63, name(it)


@pytest.fixture(scope="module")
def next_release(tmp_path_factory):
    """The same chart under the version of a later release."""
    copied = tmp_path_factory.mktemp("next") / "cloudmeet"
    shutil.copytree(CHART, copied)
    chart = (copied / "Chart.yaml").read_text()
    (copied / "Chart.yaml").write_text(chart.replace("0.1.0", "9.9.9"))
    return copied


@pytest.mark.parametrize("values", MATRIX)
def test_what_kubernetes_lets_nobody_change_stays_from_release_to_release(values, next_release):
    def immutable(objects: list[dict]) -> dict:
        found = {}
        for it in objects:
            spec = it.get("spec", {})
            if it["kind"] in ("Deployment", "StatefulSet"):
                found[name(it)] = [spec["selector"], spec.get("serviceName"), spec.get("volumeClaimTemplates")]
                assert set(spec["selector"]["matchLabels"]) == {f"app.kubernetes.io/{it}" for it in ("name", "instance", "component")}
            elif it["kind"] in ("Service", "PersistentVolumeClaim"):
                found[name(it)] = spec
            elif it["kind"] in ("RoleBinding", "ClusterRoleBinding"):
                found[name(it)] = it["roleRef"]
        return found

    before, after = render(values), render(values, chart=next_release)
    assert before != after and immutable(before) == immutable(after)


def test_the_version_is_the_servers():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    workspace = (ROOT / "Cargo.toml").read_text()
    assert chart["appVersion"] == re.search(r'^version = "(.+)"$', workspace, re.MULTILINE)[1]
    images = {it["image"] for it in yaml.safe_load(chart["annotations"]["artifacthub.io/images"])}
    rendered = {container["image"] for it in [*render("split"), *render("operator-everywhere")] if (pod := pod_of(it)) for container in pod["containers"]}
    assert images == rendered


def test_a_kubernetes_without_the_hook_that_sleeps_is_refused():
    for major in MAJORS:
        text(major, "--kube-version", "1.30.0", values="all-sqlite")
        with pytest.raises(Refused, match="kubeVersion"):
            text(major, "--kube-version", "1.29.9", values="all-sqlite")


def test_the_table_of_values_is_what_values_yaml_says(tmp_path):
    script = ROOT / "charts/generate_readme.py"
    subprocess.run([sys.executable, script, "--check"], check=True)
    shutil.copytree(ROOT / "charts", tmp_path / "charts")
    path = tmp_path / "charts/cloudmeet/values.yaml"
    path.write_text(path.read_text().replace("replicaCount: 1", "replicaCount: 4", 1))
    done = subprocess.run([sys.executable, tmp_path / "charts/generate_readme.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 1 and "+| `replicaCount` | `4` |" in done.stdout
    path.write_text(path.read_text() + "new: 1\n")
    done = subprocess.run([sys.executable, tmp_path / "charts/generate_readme.py"], capture_output=True, text=True)
    assert done.returncode == 1 and "without a description: new" in done.stderr


def resolved(schema: dict) -> dict:
    return SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def maps_of(values: object, schema: dict, path: tuple = ()):
    """Each map that values or defaults have, with whether its keys are free."""
    schema = resolved(schema)
    if isinstance(values, dict):
        yield path, schema.get("additionalProperties") is not False
        for key, value in values.items():
            if key in schema.get("properties", {}):
                yield from maps_of(value, schema["properties"][key], (*path, key))


FREE = re.compile(r"(global|labels|\w*Labels|\w*[aA]nnotations|nodeSelector|affinity|behavior|limits|requests)$")


def test_a_misspelt_value_is_refused_wherever_keys_are_not_free():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft7Validator(SCHEMA)
    validator.validate(DEFAULTS)
    for path, free in list(maps_of(DEFAULTS, SCHEMA)):
        assert free == bool(path and FREE.search(path[-1])), path
        values = copy.deepcopy(DEFAULTS)
        at = functools.reduce(lambda it, key: it[key], path, values)
        at["misspelt"] = "x"
        assert validator.is_valid(values) == free, path


def test_every_value_stands_in_the_schema_and_in_the_defaults():
    def walk(schema: dict, values: object, path: str) -> None:
        schema = resolved(schema)
        if schema.get("additionalProperties") is False and isinstance(values, dict):
            whole = path.endswith(("SecurityContext", "securityContext", "Probe", "resources", "seccompProfile", "capabilities"))
            extra = {"global"} if not path else set()
            assert set(values) <= set(schema["properties"]), path
            assert whole or set(schema["properties"]) - extra == set(values), path
            for key, value in values.items():
                walk(schema["properties"][key], value, f"{path}.{key}")

    walk(SCHEMA, DEFAULTS, "")


REFUSALS = {
    "publicUrl is required: set it to the address": {"sqlite__enabled": True},
    "say where data are kept: name a Postgres": {"publicUrl": "https://a.example"},
    "sqlite.enabled and postgres.enabled are set: keep one": {"publicUrl": "https://a.example", "sqlite__enabled": True, "postgres__enabled": True},
    "secrets.existingSecret is required with Postgres: make a Secret with": {
        "publicUrl": "https://a.example", "externalPostgres__host": "db", "externalPostgres__existingSecret": "db"},
    "externalPostgres.existingSecret is required: name a Secret": {
        "publicUrl": "https://a.example", "secrets__existingSecret": "s", "externalPostgres__host": "db"},
    "externalPostgres.host is required: or name the key": {
        "publicUrl": "https://a.example", "secrets__existingSecret": "s", "externalPostgres__existingSecret": "db"},
    "externalPostgres has a host and keys of URLs: keep one": {
        "publicUrl": "https://a.example", "secrets__existingSecret": "s", "externalPostgres__existingSecret": "db",
        "externalPostgres__host": "db", "externalPostgres__urlKey": "url"},
    "externalPostgres has urlKey and keys of single URLs": {
        "publicUrl": "https://a.example", "secrets__existingSecret": "s", "externalPostgres__existingSecret": "db",
        "externalPostgres__urlKey": "url", "externalPostgres__authUrlKey": "url"},
    "postgres.auth.existingSecret is required: name a Secret with a password, or set postgres.auth.password": {
        "publicUrl": "https://a.example", "secrets__existingSecret": "s", "postgres__enabled": True},
    "redis.auth.existingSecret is required: name a Secret with a password and a URL, or set redis.auth.password": {
        "publicUrl": "https://a.example", "sqlite__enabled": True, "redis__enabled": True},
    "redis.enabled and externalRedis are set: keep one": {
        "publicUrl": "https://a.example", "sqlite__enabled": True, "redis__enabled": True, "redis__auth__existingSecret": "r", "externalRedis__host": "r"},
    "externalRedis has a host and a Secret": {
        "publicUrl": "https://a.example", "sqlite__enabled": True, "externalRedis__host": "r", "externalRedis__existingSecret": "r"},
    "ingress.hosts is required": {"publicUrl": "https://a.example", "sqlite__enabled": True, "ingress__enabled": True},
    "httpRoute.parentRefs is required": {"publicUrl": "https://a.example", "sqlite__enabled": True, "httpRoute__enabled": True},
    "nothing is left to install: set server.enabled=true or": {"server__enabled": False},
    "operator.cloudmeetUrl is required with server.enabled=false": {"server__enabled": False, "operator__enabled": True},
    "ingress and httpRoute lead to servers": {
        "server__enabled": False, "operator__enabled": True, "operator__cloudmeetUrl": "https://a.example", "ingress__enabled": True},
    "operator.ca has a Secret and a ConfigMap": {
        "publicUrl": "https://a.example", "sqlite__enabled": True, "operator__ca__existingSecret": "a", "operator__ca__existingConfigMap": "a"},
}


@pytest.mark.parametrize("major", MAJORS)
def test_the_defaults_alone_are_refused(major):
    with pytest.raises(Refused, match="publicUrl is required"):
        text(major)


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("message", REFUSALS)
def test_what_cannot_work_is_refused_with_what_to_do(major, message):
    with pytest.raises(Refused, match=re.escape(message)):
        text(major, *settings(**REFUSALS[message]))


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize(("values", "message"), [
    ({"replicaCount": 2}, "replicaCount is 2, and SQLite takes one replica: set replicaCount=1, or sqlite.enabled=false and externalPostgres"),
    ({"split": True}, "split needs Postgres: SQLite files cannot be shared"),
    ({"autoscaling__enabled": True}, "autoscaling needs Postgres, for SQLite takes one replica"),
])
def test_sqlite_takes_one_replica_by_the_schema_and_by_the_templates(major, values, message):
    with pytest.raises(Refused, match=re.escape(next(iter(values)).split("__")[0])) as refused:
        text(major, *settings(**values), values="all-sqlite")
    assert "don't meet the specifications of the schema" in str(refused.value)
    with pytest.raises(Refused, match=re.escape(message)):
        text(major, "--skip-schema-validation", *settings(**values), values="all-sqlite")


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("values", [
    {"replicas": 2}, {"operator__replicas": 2}, {"publicUrl": "meet.example.org"}, {"publicUrl": "https://a.example/path"},
    {"registration": "maybe"}, {"redis__auth__password": "with a space"}, {"postgres__auth__password": "short"}, {"replicaCount": "2"},
    {"service__type": "ExternalName"}, {"trustedProxies": ["proxy.example.org"]}, {"operator__watchNamespaces": ["Upper"]},
])
def test_unknown_keys_and_malformed_values_are_refused_by_the_schema(major, values):
    with pytest.raises(Refused, match="don't meet the specifications of the schema"):
        text(major, *settings(**values), values="all-sqlite")


@pytest.mark.parametrize("major", MAJORS)
def test_it_can_be_a_part_of_another_chart(major, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(CHART, whole / "charts/cloudmeet")
    (whole / "Chart.yaml").write_text("apiVersion: v2\nname: whole\nversion: 0.1.0\n")
    (whole / "values.yaml").write_text("global: {anything: 1}\ncloudmeet: {publicUrl: 'https://a.example', sqlite: {enabled: true}}\n")
    assert "kind: Deployment" in run(major, "template", "x", whole, *KNOWN)
