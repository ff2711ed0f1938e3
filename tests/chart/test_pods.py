"""What runs: security, probes, settings, secrets, how it ends, and how many there are."""

from __future__ import annotations

import re

import pytest

from chart.helm import CHART, MATRIX, NAMESPACE, RELEASE, ROOT, kinds, name, one, pod_of, render, settings

SERVER = f"{RELEASE}-cloudmeet"
PARTS = ["gateway", "auth", "conference"]
SOURCES = ROOT / "api-server/src"


def pods(objects: list[dict]) -> dict[str, dict]:
    return {name(it): pod for it in objects if (pod := pod_of(it))}


def container(objects: list[dict], kind: str, called: str) -> dict:
    (found,) = pod_of(one(objects, kind, called))["containers"]
    return found


def environment(objects: list[dict], called: str) -> dict[str, str]:
    """All variables of a Deployment that have a value of their own, wherever they stand."""
    found = {}
    inside = container(objects, "Deployment", called)
    for source in inside.get("envFrom", []):
        if (config := source["configMapRef"]["name"]) != "more":
            found |= one(objects, "ConfigMap", config)["data"]
    return found | {it["name"]: it["value"] for it in inside.get("env", []) if "value" in it}


@pytest.mark.parametrize("values", MATRIX)
def test_every_pod_is_restricted(values):
    found = pods(render(values))
    assert any(key.startswith("Deployment") for key in found) and any(key.startswith("Pod") for key in found)
    for key, pod in found.items():
        assert pod["securityContext"]["runAsNonRoot"] is True, key
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, key
        of_others = key.endswith(("-postgres", "-redis"))
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == (999 if of_others else 65532), key
        assert pod["automountServiceAccountToken"] is key.endswith("-operator"), key
        # REDIS_PORT=tcp://… of a Service that is called redis would be taken for a setting.
        assert pod["enableServiceLinks"] is False, key
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert not [volume for volume in pod.get("volumes", []) if "hostPath" in volume]
        for inside in [*pod["containers"], *pod.get("initContainers", [])]:
            context = inside["securityContext"]
            assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True, key
            assert context["runAsNonRoot"] is True and context["capabilities"] == {"drop": ["ALL"]}, key
            assert context["seccompProfile"] == {"type": "RuntimeDefault"} and not context.get("privileged"), key
            assert inside["resources"]["requests"] and inside["resources"]["limits"]["memory"], key


def test_images_run_as_the_user_that_their_dockerfiles_name():
    for path in (ROOT / "docker").glob("*/Dockerfile"):
        assert "USER 65532:65532" in path.read_text() or path.parent.name == "frontend"


@pytest.mark.parametrize("values", MATRIX)
def test_start_readiness_and_life_are_asked_apart(values):
    for it in kinds(render(values), "Deployment", "StatefulSet"):
        (inside,) = pod_of(it)["containers"]
        startup, ready, alive = (inside[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness"))
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 60, name(it)
        if it["kind"] == "Deployment":
            assert ready["httpGet"]["path"] == "/readyz" and alive["httpGet"]["path"] == startup["httpGet"]["path"] == "/livez"
            # Longer than the server takes to give up on a store.
            assert ready["timeoutSeconds"] > 2
        assert ready != alive
        # A store that is away must not have the servers started again; one that hangs must, in the end.
        assert alive["periodSeconds"] * alive["failureThreshold"] >= 60, name(it)


def seconds(constant: str) -> float:
    number, unit = re.search(
        rf"const {constant}: Duration = Duration::from_(?:(?=secs)|(?=millis))\w+\((\d+)\)", (SOURCES / "server.rs").read_text()
    )[1], re.search(rf"const {constant}: Duration = Duration::from_(\w+)", (SOURCES / "server.rs").read_text())[1]
    return int(number) / (1000 if unit == "millis" else 1)


@pytest.mark.parametrize("values", MATRIX)
def test_a_pod_has_longer_to_end_than_its_server_takes(values):
    drain = sum(seconds(it) for it in ("NOTICE", "GOODBYE", "DRAIN", "TASKS"))
    assert drain >= 17
    for it in kinds(render(values), "Deployment"):
        pod = pod_of(it)
        (inside,) = pod["containers"]
        sqlite = it["spec"]["strategy"]["type"] == "Recreate"
        if it["metadata"]["labels"]["app.kubernetes.io/component"] == "operator":
            continue
        # Where no other pod takes over, going on would only make the gap longer.
        assert ("lifecycle" in inside) != sqlite, name(it)
        pause = 0 if sqlite else inside["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert sqlite or pause >= 10
        assert pod["terminationGracePeriodSeconds"] > pause + drain, name(it)


def test_parts_that_are_found_by_dns_serve_longer_than_it_keeps_names():
    objects = render("split")
    for part in PARTS:
        pause = container(objects, "Deployment", f"{SERVER}-{part}")["lifecycle"]["preStop"]["sleep"]["seconds"]
        service = one(objects, "Service", SERVER if part == "gateway" else f"{SERVER}-{part}")["spec"]
        assert (service.get("clusterIP") == "None") == (pause > 30) == (part != "gateway")
        # Else the name would keep a pod until it is gone, and the pause would be of no use.
        assert not service.get("publishNotReadyAddresses")


def test_sqlite_means_one_pod_that_goes_before_the_next_comes():
    objects = render("all-sqlite")
    spec = one(objects, "Deployment", SERVER)["spec"]
    assert spec["replicas"] == 1 and spec["strategy"] == {"type": "Recreate"}
    claim = one(objects, "PersistentVolumeClaim", SERVER)
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    inside = container(objects, "Deployment", SERVER)
    mount, directory = inside["volumeMounts"][0]["mountPath"], environment(objects, SERVER)["DATA_DIR"]
    # The server makes its directory with mode 0700; the volume's root is the pod's group's, too.
    assert directory.startswith(f"{mount}/")
    assert spec["template"]["spec"]["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
    unkept = render("all-sqlite", *settings(sqlite__persistence__keep=False))
    assert "annotations" not in one(unkept, "PersistentVolumeClaim", SERVER)["metadata"]
    assert not kinds(render("all-sqlite", *settings(sqlite__persistence__existingClaim="mine")), "PersistentVolumeClaim")


def test_on_postgres_the_next_pod_comes_before_one_goes():
    for values in ("all-postgres", "split", "try-out"):
        for it in kinds(render(values), "Deployment"):
            assert it["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize(("values", "scaled"), [
    ("hpa", {f"{SERVER}-{part}" for part in PARTS}), ("hpa-all", {SERVER}), ("everything", {"meetings-conference"}), ("split", set()),
])
def test_what_an_autoscaler_scales_names_no_number(values, scaled):
    objects = render(values)
    assert {it["spec"]["scaleTargetRef"]["name"] for it in kinds(objects, "HorizontalPodAutoscaler")} == scaled
    for it in kinds(objects, "Deployment"):
        assert ("replicas" not in it["spec"]) == (it["metadata"]["name"] in scaled)


@pytest.mark.parametrize("values", MATRIX)
def test_more_than_one_pod_is_guarded_against_drains_and_spread(values):
    objects = render(values)
    guarded = {tuple(it["spec"]["selector"]["matchLabels"].items()) for it in kinds(objects, "PodDisruptionBudget")}
    scaled = {it["spec"]["scaleTargetRef"]["name"]: it["spec"]["minReplicas"] for it in kinds(objects, "HorizontalPodAutoscaler")}
    for it in kinds(objects, "Deployment"):
        least = it["spec"].get("replicas", scaled.get(it["metadata"]["name"]))
        labels = it["spec"]["selector"]["matchLabels"]
        assert (tuple(labels.items()) in guarded) == (least > 1), name(it)
        (spread,) = it["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"].items() <= it["spec"]["template"]["metadata"]["labels"].items()


def known_variables() -> set[str]:
    names = set(re.findall(r'value_name = "([A-Z_]+)"', (SOURCES / "config/settings.rs").read_text()))
    block = re.search(r"const FROM_FILES.*?\];", (SOURCES / "config/sources.rs").read_text(), re.DOTALL)[0]
    return names | {f"{name}_FILE" for name in re.findall(r'"([A-Z_]+)"', block)}


@pytest.mark.parametrize("values", MATRIX)
def test_servers_are_told_only_what_they_know(values):
    known = known_variables()
    assert "PUBLIC_URL" in known and "REDIS_URL_FILE" in known
    objects = render(values)
    for it in kinds(objects, "Deployment"):
        if it["metadata"]["labels"]["app.kubernetes.io/component"] != "operator":
            told = set(environment(objects, it["metadata"]["name"])) - {"ONE", "TWO"}
            assert told <= known, name(it)


@pytest.mark.parametrize("values", MATRIX)
def test_secrets_are_files_and_nothing_else(values):
    objects = render(values)
    for key, pod in pods(objects).items():
        for inside in pod["containers"]:
            mounts = {it["mountPath"]: it["name"] for it in inside.get("volumeMounts", [])}
            assert not [it for it in inside.get("volumeMounts", []) if "subPath" in it], key
            for variable in inside.get("env", []):
                assert "secretKeyRef" not in variable.get("valueFrom", {}), key
                if variable["name"] in ("CLOUDMEET_API_KEY_FILE", "CLOUDMEET_CA_FILE") or not variable["name"].endswith("_FILE"):
                    continue
                # Only there does the server take a file that others in the container could read.
                directory, _, file = variable["value"].rpartition("/")
                assert directory == "/run/secrets/cloudmeet", key
                volume = next(it for it in pod["volumes"] if it["name"] == mounts[directory])
                sources = [it["secret"] for it in volume["projected"]["sources"]] if "projected" in volume else [volume["secret"]]
                assert file in [item["path"] for it in sources for item in it["items"]], key
                assert (volume.get("projected") or volume["secret"])["defaultMode"] == 0o440


def files(objects: list[dict], called: str) -> dict[str, tuple[str, str]]:
    """Secret and key of each secret variable of a Deployment."""
    volume = next((it for it in pod_of(one(objects, "Deployment", called)).get("volumes", []) if it["name"] == "secrets"), None)
    sources = [it["secret"] for it in volume["projected"]["sources"]] if volume else []
    return {item["path"].upper(): (it["name"], item["key"]) for it in sources for item in it["items"]}


def test_each_part_has_the_secrets_that_it_needs_and_no_more():
    shared, postgres = ("shared", "internal-token"), ("postgres", "password")
    assert files(render("all-sqlite"), SERVER) == {}
    assert files(render("all-postgres"), SERVER) == {
        "INTERNAL_TOKEN": shared, "POSTGRES_PASSWORD": postgres, "REDIS_URL": ("redis", "redis-url")}
    objects = render("urls")
    jwt = {"JWT_SECRET_KEY": ("shared", "jwt")}
    assert files(objects, f"{SERVER}-gateway") == jwt
    assert files(objects, f"{SERVER}-auth") == jwt | {"AUTH_DATABASE_URL": ("postgres", "auth-url")}
    assert files(objects, f"{SERVER}-conference") == jwt | {"CONFERENCE_DATABASE_URL": ("postgres", "conference-url")}
    objects = render("split")
    assert files(objects, f"{SERVER}-gateway") == {}
    assert files(objects, f"{SERVER}-auth") == files(objects, f"{SERVER}-conference") == {
        "INTERNAL_TOKEN": shared, "DATABASE_URL": ("postgres", "url")}
    built_in = files(render("everything"), "meetings-auth")
    assert built_in["POSTGRES_PASSWORD"] == ("built-in-postgres", "the.password") and built_in["REDIS_URL"] == ("built-in-redis", "redis-url")


def test_the_parts_find_each_other():
    objects = render("split")
    ports = {it["metadata"]["name"]: it["spec"]["ports"][0]["port"] for it in kinds(objects, "Service")}
    gateway, conference = environment(objects, f"{SERVER}-gateway"), environment(objects, f"{SERVER}-conference")
    for told, part in ((gateway["AUTH_SERVICE_URL"], "auth"), (gateway["CONFERENCE_SERVICE_URL"], "conference"), (conference["AUTH_SERVICE_URL"], "auth")):
        host, port = told.removeprefix("http://").split(":")
        assert host == f"{SERVER}-{part}" and ports[host] == int(port)
    assert {part: environment(objects, f"{SERVER}-{part}")["ROLE"] for part in PARTS} == {part: part for part in PARTS}
    assert environment(render("all-sqlite"), SERVER)["ROLE"] == "all"
    for it in kinds(objects, "Service"):
        chosen = [other for other in kinds(objects, "Deployment") if it["spec"]["selector"].items() <= other["spec"]["template"]["metadata"]["labels"].items()]
        assert len(chosen) == 1, name(it)


def test_a_setting_that_changes_starts_pods_anew():
    def sums(*options: str) -> dict:
        return {name(it): it["spec"]["template"]["metadata"]["annotations"] for it in kinds(render("try-out", *options), "Deployment", "StatefulSet")}

    before = sums()
    changed = sums(*settings(registration="open"))
    assert [key for key in before if before[key] != changed[key]] == [f"Deployment {SERVER}-auth"]
    changed = sums(*settings(redis__auth__password="another-one"))
    assert sorted(key for key in before if before[key] != changed[key]) == [
        f"Deployment {SERVER}-auth", f"Deployment {SERVER}-conference", f"StatefulSet {SERVER}-redis"]


def test_the_built_in_stores_are_what_servers_look_for():
    objects = render("try-out")
    auth = environment(objects, f"{SERVER}-auth")
    assert auth["POSTGRES_HOST"] == f"{SERVER}-postgres" and auth["POSTGRES_USER"] == "cloudmeet"
    assert one(objects, "Service", auth["POSTGRES_HOST"])["spec"]["ports"][0]["port"] == 5432
    secret = one(objects, "Secret", f"{SERVER}-redis")["data"]
    assert __import__("base64").b64decode(secret["redis-url"]).decode() == f"redis://default:try-it-out@{SERVER}-redis:6379/0"
    postgres = container(objects, "StatefulSet", f"{SERVER}-postgres")
    told = {it["name"]: it["value"] for it in postgres["env"]}
    assert told["POSTGRES_MULTIPLE_DATABASES"] == "cloudmeet_auth,cloudmeet_conference"
    assert told["PGDATA"].startswith(postgres["volumeMounts"][0]["mountPath"] + "/")
    script = one(objects, "ConfigMap", f"{SERVER}-postgres")["data"]["init-multiple-databases.sh"]
    assert script == (ROOT / "scripts/init-multiple-databases.sh").read_text() == (CHART / "files/init-multiple-databases.sh").read_text()


def test_no_secret_is_made_where_one_is_named():
    for values in MATRIX:
        assert bool(kinds(render(values), "Secret")) == (values == "try-out"), values


def test_the_helm_test_asks_every_part_by_the_servers_own_program():
    for values, asked in (
        ("all-sqlite", {f"http://{SERVER}:80/readyz"}),
        ("split", {f"http://{SERVER}:80/readyz", f"http://{SERVER}-auth:8000/readyz", f"http://{SERVER}-conference:8000/readyz"}),
        ("operator-everywhere", {f"http://{SERVER}:80/readyz", f"http://{SERVER}-operator:8080/readyz"}),
        ("operator-only-namespaced", {f"http://{SERVER}-operator:8080/readyz"}),
    ):
        objects = render(values)
        (pod,) = kinds(objects, "Pod")
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        # A name may not be known yet, but what is wrong stays wrong.
        assert pod["spec"]["restartPolicy"] == "OnFailure" and pod["spec"]["activeDeadlineSeconds"] < 300
        assert {it["args"][1] for it in pod["spec"]["containers"]} == asked
        ports = {(it["metadata"]["name"], port["port"]) for it in kinds(objects, "Service") for port in it["spec"]["ports"]}
        assert {(url.split("/")[2].split(":")[0], int(url.split(":")[2].split("/")[0])) for url in asked} <= ports
        for inside in pod["spec"]["containers"]:
            assert inside["args"][0] == "healthcheck" and "command" not in inside
            # Others would have it judge the settings of a server that it is not.
            assert inside["env"] == [{"name": "ROLE", "value": "all"}, {"name": "HOST", "value": "127.0.0.1"}]


def test_what_is_said_of_pods_reaches_them():
    objects = render("everything")
    gateway = one(objects, "Deployment", "meetings-gateway")["spec"]["template"]
    conference = one(objects, "Deployment", "meetings-conference")["spec"]["template"]
    assert gateway["metadata"]["annotations"]["role"] == "gateway" and conference["metadata"]["annotations"]["role"] == "any"
    assert gateway["metadata"]["labels"]["tier"] == "web" and gateway["metadata"]["labels"]["team"] == "collaboration"
    assert gateway["spec"]["nodeSelector"] == {"edge": "true"} and conference["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert "podAntiAffinity" in conference["spec"]["affinity"] and "nodeAffinity" in gateway["spec"]["affinity"]
    assert gateway["spec"]["containers"][0]["image"] == "registry.example.org/meetings/cloudmeet-gateway:1.2.3"
    auth = one(objects, "Deployment", "meetings-auth")["spec"]["template"]["spec"]
    assert auth["containers"][0]["image"].startswith("registry.example.org/meetings/cloudmeet-auth-service@sha256:")
    assert auth["priorityClassName"] == "high" and auth["imagePullSecrets"] == [{"name": "registry"}]
    assert {"name": "ca", "mountPath": "/etc/ca", "readOnly": True} in auth["containers"][0]["volumeMounts"]
    assert {it["name"] for it in gateway["spec"]["containers"][0]["env"]} == {"JWT_SECRET_KEY_FILE", "ONE", "TWO"}
    told = environment(objects, "meetings-gateway")
    assert told["PUBLIC_URL"] == "https://meet.example.org:8443" and told["TRUSTED_PROXIES"] == "10.42.0.0/16" and told["HOST"] == "::"
    assert told["ALLOWED_ORIGINS"] == f"https://docs.example.org,http://meetings.{NAMESPACE}.svc:8080"
