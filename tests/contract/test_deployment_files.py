"""What the compose, stack and image files promise, read without an engine; `tests/containers` runs them on one."""

from __future__ import annotations

import os
import re
import subprocess

import httpx
import pytest
import yaml

from contract.test_gateway import OK, Fake
from harness.nginx import Frontend
from harness.server import BINARY, ROOT

SECRETS = {"DOCKER_USERNAME": "somebody", "JWT_SECRET_KEY": "j" * 32, "POSTGRES_PASSWORD": "p" * 16}
# Each with its port inside.
OURS = {"auth-service": 8000, "conference-service": 8000, "gateway": 8000, "frontend": 80}
STORES = {"postgres", "redis"}
# What the seed document's files had as defaults, and what could be taken for one.
KNOWN_SECRETS = re.compile(r"super-secret|cloudmeet_secret|change.?me|password123|your-", re.IGNORECASE)
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:?)([-?])([^}]*))?\})")


class Missing(Exception):
    """A variable that the file insists on."""


def substitute(text: str, environment: dict[str, str]) -> str:
    """Puts variables in as Compose and `docker stack deploy` do."""

    def value(match: re.Match) -> str:
        dollar, name, or_empty, operator, word = match.groups()
        if dollar:
            return "$"
        found = environment.get(name)
        if found is None or (or_empty and not found):
            if operator == "?":
                raise Missing(name)
            return word or ""
        return found

    return VARIABLE.sub(value, text)


def read(name: str, **environment: str) -> dict:
    def walk(node: object) -> object:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return substitute(node, environment) if isinstance(node, str) else node

    return walk(yaml.safe_load((ROOT / name).read_text()))


def seconds(span: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smh])", span).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def memory(amount: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([MG])", amount).groups()
    return int(number) * {"M": 1, "G": 1024}[unit]


@pytest.fixture(scope="module")
def compose() -> dict:
    """docker-compose.yml with the variables of .env.example, as the documents say to start it."""
    return read("docker-compose.yml", **example())


@pytest.fixture(scope="module")
def stack() -> dict:
    return read("stack-compose.yml", **SECRETS)


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def dockerfile(service: str) -> str:
    return (ROOT / f"docker/{service}/Dockerfile").read_text()


def test_both_files_have_the_same_six_services_and_images(compose, stack):
    assert set(compose["services"]) - {"secrets"} == set(stack["services"]) == set(OURS) | STORES
    for service in OURS:
        assert compose["services"][service]["image"] == f"cloudmeet/cloudmeet-{service}:latest"
        assert stack["services"][service]["image"] == f"somebody/cloudmeet-{service}:latest"
        build = compose["services"][service]["build"]
        assert build == {"context": ".", "dockerfile": f"docker/{service}/Dockerfile"}
        assert (ROOT / build["dockerfile"]).exists()
        assert "build" not in stack["services"][service]
    for service in STORES:
        assert compose["services"][service]["image"] == stack["services"][service]["image"]
    tagged = read("stack-compose.yml", **SECRETS, IMAGE_TAG="1.2.3")
    assert tagged["services"]["gateway"]["image"] == "somebody/cloudmeet-gateway:1.2.3"


def test_the_operators_image_is_built_and_pushed_with_the_others():
    others = yaml.safe_load((ROOT / "docker/operator/compose.yml").read_text())["services"]
    assert set(others) == {"operator"}
    build = others["operator"]["build"]
    # Of several compose files paths begin where the first one lies.
    assert build["context"] == "." and (ROOT / build["dockerfile"]).is_file()
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci-cd.yml").read_text())
    steps = workflow["jobs"]["build-images"]["steps"]
    baked = next(step["with"] for step in steps if "bake-action" in step.get("uses", ""))
    assert baked["files"].split() == ["docker-compose.yml", "docker/operator/compose.yml"]
    pushed = {f"{service}.tags=${{{{ secrets.DOCKER_USERNAME }}}}/cloudmeet-{service}" for service in [*OURS, "operator"]}
    assert pushed <= set(baked["set"].split("\n"))
    joined = next(step["run"] for step in workflow["jobs"]["push-images"]["steps"] if "services=(" in step.get("run", ""))
    assert set(joined.partition("services=(")[2].partition(")")[0].split()) == {*OURS, "operator"}


def test_one_compilation_serves_all_images():
    """BuildKit shares stages that are the same to the letter."""

    def stages(text: str) -> str:
        body = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
        return body.split("\nFROM ${BINARY} AS binary\n")[0]

    assert len({stages(dockerfile(service)) for service in [*OURS, "operator"]}) == 1


@pytest.mark.parametrize("service", OURS)
def test_images_run_unprivileged_and_know_their_health(service):
    text = dockerfile(service)
    last = text[text.rindex("\nFROM ") :]
    assert f"EXPOSE {OURS[service]}\n" in last
    assert "HEALTHCHECK" in last and f"http://127.0.0.1:{OURS[service]}/" in last
    assert re.search(r"^USER (65532:65532|nginx)$", last, re.MULTILINE)
    assert re.search(r"^STOPSIGNAL SIG(TERM|QUIT)$", last, re.MULTILINE)
    if service != "frontend":
        assert last.startswith("\nFROM scratch\n")


def test_compose_publishes_the_ports_and_keeps_the_stores_to_this_machine(compose):
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert ports == {
        "secrets": [], "frontend": ["0.0.0.0:80:80"],
        "gateway": ["127.0.0.1:8000:8000"], "auth-service": ["127.0.0.1:8001:8000"],
        "conference-service": ["127.0.0.1:8002:8000"],
        "postgres": ["127.0.0.1:5432:5432"], "redis": ["127.0.0.1:6379:6379"],
    }


def test_the_gateway_knows_no_secret_of_the_services_behind_it(compose):
    gateway = compose["services"]["gateway"]
    assert "volumes" not in gateway and "secrets" not in gateway
    assert not [name for name in gateway["environment"] if name.startswith(("INTERNAL_TOKEN", "POSTGRES"))]
    for name in ("auth-service", "conference-service"):
        assert "INTERNAL_TOKEN_FILE" in compose["services"][name]["environment"]


def test_compose_starts_in_order_and_only_what_is_healthy_counts(compose):
    def waits(service: str) -> dict[str, str]:
        found = compose["services"][service].get("depends_on", {})
        return {name: how["condition"] for name, how in found.items()}

    healthy = "service_healthy"
    assert waits("postgres") == {"secrets": "service_completed_successfully"}
    assert waits("auth-service") == waits("conference-service") == {"postgres": healthy, "redis": healthy}
    assert waits("gateway") == {"auth-service": healthy, "conference-service": healthy}
    assert waits("frontend") == {"gateway": healthy}
    assert all("healthcheck" in compose["services"][store] for store in STORES)


def test_the_stack_publishes_the_frontend_alone(stack):
    assert [name for name, service in stack["services"].items() if "ports" in service] == ["frontend"]
    assert [port["published"] for port in stack["services"]["frontend"]["ports"]] == [80]


def test_the_stack_replaces_stateless_services_start_first_and_rolls_back(stack):
    for name in OURS:
        service = stack["services"][name]
        deploy, update, rollback = service["deploy"], service["deploy"]["update_config"], service["deploy"]["rollback_config"]
        assert deploy["replicas"] == 2
        assert (update["order"], update["parallelism"], update["failure_action"]) == ("start-first", 1, "rollback")
        assert rollback["order"] == "start-first"
        health = service["healthcheck"]
        # Looked at until one that does not get healthy would have been found out.
        assert seconds(update["monitor"]) >= seconds(health["start_period"])
        assert seconds(rollback["monitor"]) >= seconds(health["start_period"])
        assert seconds(service["stop_grace_period"]) >= 30
        assert f"http://127.0.0.1:{OURS[name]}/" in health["test"][-1]


def test_the_stack_never_has_two_of_a_store(stack):
    for name in STORES:
        deploy = stack["services"][name]["deploy"]
        assert deploy["replicas"] == 1
        assert deploy["update_config"]["order"] == "stop-first"
        assert seconds(deploy["update_config"]["monitor"]) >= seconds(stack["services"][name]["healthcheck"]["start_period"])
    # Whoever has a volume must come back to the machine that it is on.
    assert stack["services"]["postgres"]["deploy"]["placement"]["constraints"] == ["node.role == manager"]
    labelled = read("stack-compose.yml", **SECRETS, STORAGE_CONSTRAINT="node.labels.cloudmeet.storage == true")
    assert labelled["services"]["postgres"]["deploy"]["placement"]["constraints"] == ["node.labels.cloudmeet.storage == true"]


def test_everything_on_the_stack_restarts_for_ever_within_limits_and_logs_within_bounds(stack):
    for service in stack["services"].values():
        deploy = service["deploy"]
        assert deploy["restart_policy"]["condition"] == "any"
        assert "max_attempts" not in deploy["restart_policy"]
        assert memory(deploy["resources"]["limits"]["memory"]) >= memory(deploy["resources"]["reservations"]["memory"])
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}
        # No key of Compose that Swarm would leave out without a word.
        assert not {"depends_on", "restart", "build", "container_name", "security_opt"} & service.keys()


def test_services_of_ours_can_write_nowhere_and_have_no_capabilities(compose, stack):
    for services in (compose["services"], stack["services"]):
        for name in OURS:
            assert services[name]["read_only"] is True
            assert services[name]["cap_drop"] == ["ALL"]
            assert not services[name].get("privileged")


def test_the_stacks_network_is_an_encrypted_overlay_of_its_own(stack):
    assert stack["networks"] == {"internal": {"driver": "overlay", "driver_opts": {"encrypted": ""}}}
    assert all(service["networks"] == ["internal"] for service in stack["services"].values())


def test_the_script_that_makes_the_databases_is_mounted(compose, stack):
    target = "/docker-entrypoint-initdb.d/init-multiple-databases.sh"
    assert f"./scripts/init-multiple-databases.sh:{target}:ro" in compose["services"]["postgres"]["volumes"]
    (mounted,) = stack["services"]["postgres"]["configs"]
    assert mounted["target"] == target and mounted["mode"] == 0o755
    assert stack["configs"][mounted["source"]] == {"file": "./scripts/init-multiple-databases.sh"}
    script = ROOT / "scripts/init-multiple-databases.sh"
    assert os.access(script, os.X_OK)
    for services in (compose["services"], stack["services"]):
        environment = services["postgres"]["environment"]
        assert environment["POSTGRES_MULTIPLE_DATABASES"] == "cloudmeet_auth,cloudmeet_conference"


@pytest.mark.parametrize("missing", SECRETS)
def test_the_stack_does_not_deploy_without_its_secrets(missing):
    with pytest.raises(Missing, match=missing):
        read("stack-compose.yml", **{name: value for name, value in SECRETS.items() if name != missing})


def test_no_file_has_a_secret_in_it():
    for name in ("docker-compose.yml", "stack-compose.yml", "stack-compose.secrets.yml", ".env.example"):
        assert not KNOWN_SECRETS.search((ROOT / name).read_text()), name
    assert {name for name, value in example().items() if not value} == {"POSTGRES_PASSWORD", "INTERNAL_TOKEN", "JWT_SECRET_KEY"}
    # Nothing that begins with a default in place of a secret.
    for name in ("docker-compose.yml", "stack-compose.yml"):
        text = (ROOT / name).read_text()
        for variable in ("POSTGRES_PASSWORD", "JWT_SECRET_KEY", "INTERNAL_TOKEN"):
            assert not re.search(rf"\$\{{{variable}:?-[^}}]", text)


def test_with_the_secrets_from_docker_no_variable_holds_one(stack):
    overlay = read("stack-compose.secrets.yml")
    empty = read("stack-compose.yml", DOCKER_USERNAME="somebody", JWT_SECRET_KEY="", POSTGRES_PASSWORD="")
    assert all(secret["external"] is True for secret in overlay["secrets"].values())
    for name, service in stack["services"].items():
        held = {variable for variable in ("JWT_SECRET_KEY", "POSTGRES_PASSWORD") if variable in service.get("environment", {})}
        over = overlay["services"].get(name, {"environment": {}, "secrets": []})
        assert {f"{variable}_FILE" for variable in held} == over["environment"].keys(), name
        assert all(not empty["services"][name]["environment"][variable] for variable in held)
        files = {f"/run/secrets/{secret['target']}" for secret in over["secrets"]}
        assert files == set(over["environment"].values())
        # Our services are nobody's account: they read what everybody in the container may.
        assert all(secret["mode"] == 0o444 and secret["source"] in overlay["secrets"] for secret in over["secrets"])


def test_the_example_of_variables_is_what_compose_reads():
    text = (ROOT / "docker-compose.yml").read_text()
    reads = {match[2] for match in VARIABLE.finditer(text) if match[2]}
    documented = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert reads - {"ALLOWED_ORIGINS"} == documented
    defaults = {match[2]: match[5] for match in VARIABLE.finditer(text) if match[4] == "-"}
    assert {name: defaults[name] for name in example()} == example()


@pytest.mark.parametrize("name", ["docker-compose.yml", "stack-compose.yml"])
def test_servers_take_every_variable_that_the_files_give_them(name):
    """A server that knows a variable and does not like its value names it."""
    services = read(name, **SECRETS)["services"]
    given = {variable for service in OURS for variable in services[service].get("environment", {})}
    known = subprocess.run([BINARY, "--help"], check=True, capture_output=True, text=True).stdout
    for variable in given:
        assert variable.removesuffix("_FILE") in known, variable


def test_databases_are_made_once_and_again_without_harm(postgres):
    environment = {
        "PATH": f"{postgres.bin}:/usr/bin:/bin", "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "LC_ALL": "C",
        "POSTGRES_USER": "postgres", "POSTGRES_MULTIPLE_DATABASES": "first, it's \"second\",,",
    }

    def databases() -> set[str]:
        listed = subprocess.run(
            ["psql", "-U", "postgres", "-AtF,", "-c", "SELECT datname, pg_encoding_to_char(encoding) FROM pg_database"],
            check=True, capture_output=True, text=True, env=environment,
        ).stdout
        return set(listed.splitlines())

    before = databases()
    for _ in range(2):
        subprocess.run(["bash", ROOT / "scripts/init-multiple-databases.sh"], check=True, capture_output=True, env=environment)
        assert databases() - before == {"first,UTF8", "it's\"second\",UTF8"}


def test_secrets_are_made_once_and_kept(tmp_path):
    def make(**environment: str) -> tuple[dict[str, str], str]:
        done = subprocess.run(
            ["sh", ROOT / "scripts/make-secrets.sh", tmp_path], check=True, capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin"} | environment,
        )
        return {path.name: path.read_text() for path in tmp_path.iterdir()}, done.stderr

    first, said = make(POSTGRES_PASSWORD="chosen by hand")
    assert first.keys() == {"postgres_password", "internal_token"} and said == ""
    assert first["postgres_password"] == "chosen by hand"
    assert re.fullmatch(r"[0-9a-f]{64}", first["internal_token"])
    assert make() == (first, "")
    # Said, because the databases were made with the first.
    again, said = make(POSTGRES_PASSWORD="another")
    assert again == first and said.startswith("postgres_password:")
    assert all("another" not in line and "chosen" not in line for line in said.splitlines())


def test_a_token_that_the_services_would_refuse_is_not_kept(tmp_path):
    done = subprocess.run(
        ["sh", ROOT / "scripts/make-secrets.sh", tmp_path], check=False, capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "INTERNAL_TOKEN": "short"},
    )
    assert done.returncode == 1 and "INTERNAL_TOKEN" in done.stderr and "short" not in done.stderr
    assert list(tmp_path.iterdir()) == []


class BehindAProxy(Frontend):
    """The frontend with a file that names the proxy in front of it."""

    def configuration(self, port: int) -> str:
        (self.home / "trusted-proxies.conf").write_text("set_real_ip_from 127.0.0.1;\nreal_ip_header X-Forwarded-For;\n")
        text = super().configuration(port)
        assert "/etc/nginx/trusted-proxies*.conf" in text
        return text.replace("/etc/nginx/trusted-proxies*.conf", f"{self.home}/trusted-proxies*.conf")


def test_a_proxy_in_front_is_believed_only_where_a_file_names_it():
    with Fake(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}") as fake:
        for kind, told in ((Frontend, "127.0.0.1"), (BehindAProxy, "203.0.113.9")):
            with kind(fake.url.removeprefix("http://")) as frontend:
                httpx.get(frontend.url + "/api/rooms", headers={"x-forwarded-for": "198.51.100.1, 203.0.113.9"})
            assert fake.header("x-forwarded-for") == [told]


ROW = re.compile(r"^\| (.+?) \| (.*?) \|(.*?)\| `([^`]+)` \|$")


def test_the_page_on_the_seed_names_tests_that_there_are():
    lines = (ROOT / "docs/seed.md").read_text().splitlines()
    rows = [ROW.match(line) for line in lines if line.startswith("| ") and not line.startswith("| In the seed |")]
    assert len(rows) > 40 and all(rows)
    found = [row.groups() for row in rows]
    for subject, verdict, remark, shown in found:
        assert verdict in ("same", "renamed", "mended"), subject
        assert remark.strip() or verdict == "same", subject
        path, _, name = shown.partition("::")
        text = (ROOT / path).read_text()
        assert not name or f"def {name}(" in text, shown
