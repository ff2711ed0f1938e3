"""How it is reached: Ingress, HTTPRoute, network policies, metrics, and what the installation says."""

from __future__ import annotations

import functools
import json
import re
import shutil

import pytest
import yaml

from chart.helm import CHART, MAJORS, MATRIX, NAMESPACE, RELEASE, ROOT, VALUES, kinds, one, render, run, settings, text
from chart.test_pods import PARTS, SERVER, environment


@functools.cache
def public() -> list[tuple[str, str]]:
    (ingress,) = kinds(render("ingress"), "Ingress")
    return [(it["path"], it["pathType"]) for it in ingress["spec"]["rules"][0]["http"]["paths"]]


def lets_in(path: str) -> bool:
    return any(path == prefix or (kind == "Prefix" and path.startswith(f"{prefix}/")) for prefix, kind in public())


def test_pages_and_interfaces_are_let_in_and_what_is_for_the_cluster_is_not():
    described = json.loads((ROOT / "api-server/openapi.json").read_text())["paths"]
    routes = [path for file in ("web_ui.rs", "docs_ui.rs") for path in re.findall(r'\.route\(\s*"([^"]+)"', (ROOT / "api-server/src" / file).read_text())]
    assert "/rooms" in routes and "/openapi.json" in routes and "/api/rooms" in described
    # Pages by the names of their files are what nginx serves; nobody types them.
    wanted = [path for path in [*described, *routes, "/api/ws"] if not path.endswith(".html")]
    inner = {"/livez", "/readyz"}
    assert [path for path in wanted if not lets_in(path)] == sorted(inner)
    for path in ("/metrics", "/internal/sessions", *inner):
        assert not lets_in(path), path


def test_ingress_and_route_let_in_the_same():
    (route,) = kinds(render("httproute"), "HTTPRoute")
    streams, *others = route["spec"]["rules"]
    found = [(match["path"]["value"], match["path"]["type"].removeprefix("Path")) for rule in others for match in rule["matches"]]
    assert found == public()


def test_sockets_may_stay_open():
    (ingress,) = kinds(render("ingress"), "Ingress")
    for way in ("read", "send"):
        assert int(ingress["metadata"]["annotations"][f"nginx.ingress.kubernetes.io/proxy-{way}-timeout"]) >= 3600
    (route,) = kinds(render("httproute"), "HTTPRoute")
    streams = route["spec"]["rules"][0]
    assert streams["timeouts"] == {"request": "0s", "backendRequest": "0s"}
    assert {it["path"]["value"] for it in streams["matches"]} == {"/api/ws", "/api/managed-rooms/events"}
    (route,) = kinds(render("httproute", *settings(httpRoute__streamTimeout="")), "HTTPRoute")
    assert not [rule for rule in route["spec"]["rules"] if "timeouts" in rule]


@pytest.mark.parametrize("values", ["ingress", "httproute", "everything"])
def test_they_lead_to_the_service_in_front(values):
    objects = render(values)
    services = {it["metadata"]["name"]: it["spec"] for it in kinds(objects, "Service")}
    for it in kinds(objects, "Ingress"):
        for rule in it["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                assert backend["port"]["name"] == services[backend["name"]]["ports"][0]["name"]
    for it in kinds(objects, "HTTPRoute"):
        for rule in it["spec"]["rules"]:
            (backend,) = rule["backendRefs"]
            assert backend["port"] == services[backend["name"]]["ports"][0]["port"]
            assert services[backend["name"]]["selector"]["app.kubernetes.io/component"] in ("server", "gateway")


def test_the_public_address_follows_from_where_people_come_in():
    assert environment(render("ingress"), SERVER)["PUBLIC_URL"] == "https://meet.example.org"
    assert environment(render("ingress", *settings(ingress__tls=[])), SERVER)["PUBLIC_URL"] == "http://meet.example.org"
    assert environment(render("httproute"), SERVER)["PUBLIC_URL"] == "https://meet.example.org"
    assert environment(render("ingress", *settings(publicUrl="https://a.example")), SERVER)["PUBLIC_URL"] == "https://a.example"


def callers(objects: list[dict], name: str) -> set[str]:
    (rule,) = one(objects, "NetworkPolicy", name)["spec"]["ingress"]
    return {it["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for it in rule.get("from", []) if "podSelector" in it}


def test_policies_let_in_who_has_to_come():
    objects = render("split")
    assert "from" not in one(objects, "NetworkPolicy", f"{SERVER}-gateway")["spec"]["ingress"][0]
    assert callers(objects, f"{SERVER}-auth") == {"gateway", "conference", "test"}
    assert callers(objects, f"{SERVER}-conference") == {"gateway", "test"}
    objects = render("everything")
    assert callers(objects, "meetings-gateway") == {"operator", "test"}
    assert callers(objects, "meetings-postgres") == callers(objects, "meetings-redis") == {"auth", "conference"}
    assert callers(objects, "meetings-operator") == {"test"}
    for name in ("meetings-gateway", "meetings-auth", "meetings-operator"):
        assert [it for it in one(objects, "NetworkPolicy", name)["spec"]["ingress"][0]["from"] if "namespaceSelector" in it]
    assert one(objects, "NetworkPolicy", "meetings-redis")["spec"]["egress"] == []
    ports = {it["metadata"]["name"]: it["spec"]["ingress"][0]["ports"][0]["port"] for it in kinds(objects, "NetworkPolicy")}
    named = {port["name"] for it in kinds(objects, "Deployment", "StatefulSet") for port in it["spec"]["template"]["spec"]["containers"][0]["ports"]}
    assert set(ports.values()) == named == {"http", "metrics", "postgres", "redis"}


@pytest.mark.parametrize("major", MAJORS)
def test_monitors_are_made_where_the_cluster_knows_them(major):
    monitors = kinds(render("everything", major=major), "ServiceMonitor")
    assert {it["metadata"]["name"] for it in monitors} == {f"meetings-{part}" for part in (*PARTS, "operator")}
    services = kinds(render("everything", major=major), "Service")
    for it in monitors:
        (chosen,) = [other for other in services if it["spec"]["selector"]["matchLabels"].items() <= other["metadata"]["labels"].items()]
        assert it["spec"]["endpoints"][0]["port"] == chosen["spec"]["ports"][0]["name"]
        assert it["metadata"]["labels"]["release"] == "prometheus"
    bare = run(major, "template", RELEASE, CHART, "--values", VALUES / "everything.yaml")
    assert "ServiceMonitor" not in bare and "kind: HTTPRoute" in bare


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """What an installation says. Helm 3 says it only with a cluster, so here a template says the same."""
    chart = tmp_path_factory.mktemp("notes") / "cloudmeet"
    shutil.copytree(CHART, chart)
    said = (chart / "templates/NOTES.txt").read_text()
    (chart / "templates/notes.yaml").write_text(
        '{{- define "notes" }}' + said + '{{- end }}\n{kind: Notes, said: {{ include "notes" . | quote }}}\n'
    )

    def ask(major: str, values: str, *options: str) -> str:
        found = run(major, "template", RELEASE, chart, "--namespace", NAMESPACE, "--values", VALUES / f"{values}.yaml",
                    "--show-only", "templates/notes.yaml", *options)
        return yaml.safe_load(found)["said"]

    return ask


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("values", MATRIX)
def test_the_installation_says_what_comes_next(major, values, notes):
    said = notes(major, values)
    assert "<no value>" not in said and "{{" not in said and "\n\n\n" not in said
    if values != "operator-only-namespaced":
        assert "grep setup=" in said and f"helm --namespace {NAMESPACE} test {RELEASE}" in said
    if values.startswith("operator") or values == "everything":
        assert "cloudmeet api-keys create operator --scope rooms:manage" in said
        key = "token" if values == "everything" else "api-key"
        assert f"create secret generic {'operator-key' if values == 'everything' else f'{SERVER}-operator'} --from-literal={key}=" in said


@pytest.mark.parametrize("major", MAJORS)
def test_the_installation_warns_of_what_should_not_stay(major, notes):
    for values, options, words in (
        ("try-out", (), "http://meet.example.org is not https"),
        ("try-out", (), "one pod, no backups"),
        ("all-sqlite", settings(sqlite__persistence__enabled=False), "everything is lost with the pod"),
        ("split", (), "There is no Redis"),
        ("everything", (), "no ServiceMonitors"),
        ("everything", (), "deletes the resource definition"),
    ):
        assert words in notes(major, values, *options), words
    assert "WARNING" not in notes(major, "all-postgres") and "There is no Redis" not in notes(major, "all-postgres")


def test_helm_says_it_itself(notes):
    said = run("helm4", "install", RELEASE, CHART, "--dry-run=client", "--namespace", NAMESPACE, "--values", VALUES / "try-out.yaml")
    assert said.split("\nNOTES:\n")[1].strip() == notes("helm4", "try-out").strip()


def test_the_command_line_is_where_the_notes_look_for_it(notes):
    assert "/out/image/cloudmeet /" in (ROOT / "docker/auth-service/Dockerfile").read_text()
    assert "/cloudmeet-auth-service:" in text("helm4", values="all-sqlite")
    assert f"deployment/{SERVER}-auth -- /cloudmeet" in notes("helm4", "split")
    assert f"deployment/{SERVER} -- /cloudmeet" in notes("helm4", "all-sqlite")
