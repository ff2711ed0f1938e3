"""The scripts that CI runs: the smoke run against a real system, the deployment against a Docker that only plays one."""

from __future__ import annotations

import http.server
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest
import yaml

from conftest import fresh_databases
from harness.nginx import Frontend
from harness.server import ROOT, Split

SECRETS = {
    # What a shell, a here-document or a split at `=` would spoil.
    "JWT_SECRET_KEY": """a "secret" with $HOME, 'quotes', a \\ and an = at its end =""",
    "POSTGRES_PASSWORD": "cGFzc3dvcmQ==",
    "DOCKER_PASSWORD": "a-token-of-the-registry",
}
SETTINGS = SECRETS | {"DOCKER_USERNAME": "somebody", "IMAGE_TAG": "new"}
SERVICES = ("auth-service", "conference-service", "frontend", "gateway", "postgres", "redis")


@pytest.fixture(scope="module")
def system(postgres):
    with Split(each=2, **fresh_databases(postgres)) as split:
        yield split


@pytest.fixture(scope="module")
def frontend(system):
    with Frontend(*(gateway.url.removeprefix("http://") for gateway in system.gateways)) as running:
        yield running


def smoke(frontend: Frontend, system: Split, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    services = {"GATEWAY_URL": system.gateway.url, "AUTH_URL": system.auth.url, "CONFERENCE_URL": system.conference.url}
    return subprocess.run(
        [ROOT / "scripts/smoke.sh", *arguments, frontend.url], capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "TIMEOUT_S": "20"} | services | settings,
    )


def accounts(system: Split) -> int:
    import psycopg

    with psycopg.connect(system.auth.settings["AUTH_DATABASE_URL"]) as connection:
        return connection.execute("SELECT count(*) FROM accounts").fetchone()[0]


def test_the_smoke_run_speaks_in_a_room(frontend, system):
    done = smoke(frontend, system)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ok: it is read back"
    assert done.stderr == ""


def test_the_read_only_run_leaves_no_account_behind(frontend, system):
    before = accounts(system)
    done = smoke(frontend, system, "--read-only", AUTH_URL="", CONFERENCE_URL="http://nowhere.invalid")
    assert done.returncode == 0, done.stderr
    assert "an account is made" not in done.stdout
    assert accounts(system) == before
    smoke(frontend, system)
    assert accounts(system) == before + 1


def test_it_says_which_service_is_away_and_waits_for_it(frontend, system):
    auth = system.auth
    auth.kill()
    try:
        for arguments, said in (
            ((), f"smoke: the auth service is healthy: GET {auth.url}/health gave no answer"),
            (("--read-only",), f"POST {frontend.url}/api/auth/login answered 503"),
        ):
            done = smoke(frontend, system, *arguments, TIMEOUT_S="1")
            assert done.returncode == 1
            assert said in done.stderr
        waiting = threading.Timer(1, auth.start)
        waiting.start()
        done = smoke(frontend, system)
        waiting.join()
        assert done.returncode == 0, done.stderr
    finally:
        if auth.process.poll() is not None:
            auth.start()


def test_it_refuses_what_is_not_cloudmeet(system):
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"It works!")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = subprocess.run([ROOT / "scripts/smoke.sh", url], capture_output=True, text=True, timeout=30, check=False)
        server.shutdown()
    assert done.returncode == 1
    assert f"smoke: the frontend is healthy: GET {url}/health answered 200 It works!" in done.stderr


# Stands in for `docker`: notes each call, and plays a stack of which `fate` says how its update goes.
FAKE_DOCKER = r'''#!/usr/bin/env -S python3 -IS
import json, os, pathlib, re, sys

home = pathlib.Path(os.environ["FAKE_DOCKER"])
arguments = sys.argv[1:]
fate = (home / "fate").read_text()
kept = home / "services"
services = json.loads(kept.read_text()) if kept.exists() else {}
names = %r
stdin = sys.stdin.read() if "--password-stdin" in arguments else ""
told = {name: os.environ.get(name) for name in ("JWT_SECRET_KEY", "POSTGRES_PASSWORD", "DOCKER_USERNAME", "IMAGE_TAG", "PUBLIC_URL", "REGISTRATION", "DOCKER_CONFIG")}
with open(home / "calls", "a") as calls:
    calls.write(json.dumps({"arguments": arguments, "environment": told, "stdin": stdin}) + "\n")

def image(name, tag):
    return f"{told['DOCKER_USERNAME']}/cloudmeet-{name}:{tag}" if "-service" in name or name in ("frontend", "gateway") else f"{name}:7"

def step(name, service):
    """What happens while nobody looks: first nothing, then tasks are replaced, then it is done."""
    service["polls"] += 1
    if service["state"] == "waiting" and service["polls"] > (2 if fate == "slow" else 1):
        service["state"] = "updating"
    elif service["state"] == "updating" and service["polls"] > 4:
        if fate == "gives up" and name.endswith("gateway"):
            service.update(service["previous"], state="rollback_completed", previous=None)
        elif fate == "stuck" and name.endswith("gateway"):
            return
        else:
            service.update(state="completed", running=service["image"])
    elif service["state"] == "rollback_started" and service["polls"] > 2:
        service.update(state="rollback_completed", running=service["image"])

def save():
    kept.write_text(json.dumps(services))

match arguments:
    case ["login", *_]:
        pass
    case ["stack", "services", "--format", layout, stack]:
        for name, service in services.items():
            step(name, service)
            now = service["running"] is not None
            print(layout.replace("{{.Name}}", name).replace("{{.Replicas}}", "2/2" if now else "0/2"))
        save()
    case ["stack", "deploy", *_, stack]:
        for name in names[: 2 if fate == "half" else None]:
            old = services.get(f"{stack}_{name}")
            new = {"image": image(name, told["IMAGE_TAG"]), "state": "waiting", "polls": 0, "version": (old or {"version": 0})["version"] + 1}
            new |= {"running": old and old["running"], "previous": old and {"image": old["image"]}}
            services[f"{stack}_{name}"] = new
        save()
        if fate == "half":
            sys.exit("the Swarm does not want this")
    case ["service", "inspect", "--format", layout, *asked]:
        for name in asked:
            service = services[name]
            values = {
                "{{.Spec.Name}}": name, "{{.Version.Index}}": str(service["version"]),
                "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}none{{end}}": service["state"].replace("waiting", "none"),
                "{{.Spec.TaskTemplate.ContainerSpec.Image}}": service["image"] + "@sha256:abc",
            }
            line = layout
            for placeholder, value in values.items():
                line = line.replace(placeholder, value)
            print(line)
    case ["service", "ps", "--no-trunc", "--filter", "desired-state=running", "--format", "{{.Image}} {{.Name}}", *asked]:
        for name in asked:
            if services[name]["running"]:
                print(services[name]["running"] + f"@sha256:abc {name}.1")
                print(services[name]["running"] + f"@sha256:abc  \\_ {name}.2")
    case ["service", "rollback", "--detach", name]:
        service = services[name]
        if not service["previous"]:
            sys.exit(f"service {name} does not have a previous spec")
        now = {"image": service["image"]}
        service.update(service["previous"], previous=now, state="rollback_started", polls=0)
        save()
    case ["stack", "ps", *_]:
        print("cloudmeet_gateway.1: Failed 3 seconds ago: task: non-zero exit (1)")
    case _:
        sys.exit(f"not a call that is known: {arguments}")
''' % (list(SERVICES),)


class Swarm:
    """A manager with a stack that runs `old` images."""

    def __init__(self, home: pathlib.Path) -> None:
        self.home = home
        self.programs = home / "programs"
        self.programs.mkdir()
        self.program("docker", FAKE_DOCKER)
        # Time passes by itself.
        self.program("sleep", "#!/bin/sh\nexec /bin/sleep 0.02\n")
        self.fate("good")

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def fate(self, fate: str) -> None:
        (self.home / "fate").write_text(fate)

    def environment(self, **settings: str) -> dict[str, str]:
        path = f"{self.programs}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.home), "FAKE_DOCKER": str(self.home)} | settings

    def deploy(self, url: str, **settings: str) -> subprocess.CompletedProcess:
        """Runs the script with its settings on standard input, as the workflow does."""
        public = "http://" + url.removeprefix("http://")
        settings = SETTINGS | {"CHECK_URL": url, "PUBLIC_URL": public, "DEPLOY_TIMEOUT_S": "60"} | settings
        return subprocess.run(
            [ROOT / "scripts/deploy.sh", "-"], capture_output=True, text=True, timeout=60, check=False,
            input="".join(f"{name}={value}\n" for name, value in settings.items()),
            env=self.environment(TIMEOUT_S="1"),
        )

    def calls(self, *beginning: str) -> list[dict]:
        calls = [json.loads(line) for line in (self.home / "calls").read_text().splitlines()]
        return [call for call in calls if call["arguments"][: len(beginning)] == list(beginning)]

    def images(self) -> dict[str, str]:
        services = json.loads((self.home / "services").read_text())
        return {name.removeprefix("cloudmeet_"): service["image"] for name, service in services.items()}

    def is_through(self) -> bool:
        return all(service["state"] == "completed" for service in json.loads((self.home / "services").read_text()).values())

    def has(self, tag: str) -> bool:
        ours = {name: image for name, image in self.images().items() if name not in ("postgres", "redis")}
        return ours == {name: f"somebody/cloudmeet-{name}:{tag}" for name in SERVICES[:4]}


@pytest.fixture
def swarm(tmp_path):
    made = Swarm(tmp_path)
    images = {name: f"somebody/cloudmeet-{name}:old" for name in SERVICES[:4]} | {name: f"{name}:7" for name in SERVICES[4:]}
    services = {
        f"cloudmeet_{name}": {"image": image, "running": image, "previous": None, "state": "completed", "polls": 9, "version": 1}
        for name, image in images.items()
    }
    (tmp_path / "services").write_text(json.dumps(services))
    return made


def test_a_deployment_ends_when_the_new_images_serve(swarm, frontend):
    done = swarm.deploy(frontend.url, REGISTRATION="closed")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("deploy: new serves\n")
    assert "ok: a wrong password is refused" in done.stdout
    assert swarm.has("new") and not swarm.calls("service", "rollback")
    (deployed,) = swarm.calls("stack", "deploy")
    assert "--with-registry-auth" in deployed["arguments"]
    assert deployed["environment"].items() >= {
        "JWT_SECRET_KEY": SECRETS["JWT_SECRET_KEY"], "POSTGRES_PASSWORD": SECRETS["POSTGRES_PASSWORD"],
        "IMAGE_TAG": "new", "REGISTRATION": "closed",
    }.items()


@pytest.mark.parametrize(("fate", "tag"), [("slow", "new"), ("good", "old")], ids=["images", "settings alone"])
def test_the_quiet_before_an_update_is_not_its_end(swarm, frontend, fate, tag):
    swarm.fate(fate)
    done = swarm.deploy(frontend.url, IMAGE_TAG=tag)
    assert done.returncode == 0, done.stderr
    assert swarm.is_through()


def test_secrets_are_on_no_command_line_and_in_no_output_and_do_not_stay(swarm, frontend):
    done = swarm.deploy(frontend.url)
    arguments = [argument for call in swarm.calls() for argument in call["arguments"]]
    for secret in SECRETS.values():
        assert not any(secret in argument for argument in arguments)
        assert secret not in done.stdout + done.stderr
    (login,) = swarm.calls("login")
    assert login["stdin"] == SECRETS["DOCKER_PASSWORD"] + "\n"
    assert login["environment"]["DOCKER_CONFIG"] and not pathlib.Path(login["environment"]["DOCKER_CONFIG"]).exists()


@pytest.mark.parametrize(
    ("fate", "said"),
    [("stuck", "not settled after 3 s"), ("gives up", "cloudmeet_gateway: Swarm gave up (rollback_completed)")],
)
def test_what_does_not_settle_is_rolled_back(swarm, frontend, fate, said):
    swarm.fate(fate)
    done = swarm.deploy(frontend.url, DEPLOY_TIMEOUT_S="3" if fate == "stuck" else "60")
    assert done.returncode == 1
    assert said in done.stderr
    assert "non-zero exit (1)" in done.stderr
    assert done.stderr.endswith("deploy: what ran before runs again\n")
    assert swarm.has("old")
    back = {call["arguments"][-1] for call in swarm.calls("service", "rollback")}
    assert ("cloudmeet_gateway" in back) == (fate == "stuck")
    assert len(back) >= 5


def test_what_settles_but_fails_its_check_is_rolled_back(swarm):
    done = swarm.deploy("http://127.0.0.1:9")
    assert done.returncode == 1
    assert "smoke: the frontend is healthy: GET http://127.0.0.1:9/health gave no answer" in done.stderr
    assert done.stderr.endswith("deploy: what ran before runs again\n")
    assert swarm.has("old")


def test_what_a_deployment_did_not_reach_is_not_rolled_back(swarm, frontend):
    swarm.fate("half")
    done = swarm.deploy(frontend.url)
    assert done.returncode == 1
    assert swarm.has("old")
    assert {call["arguments"][-1] for call in swarm.calls("service", "rollback")} == {
        "cloudmeet_auth-service", "cloudmeet_conference-service"
    }


def test_a_first_deployment_that_fails_says_that_there_is_nothing_to_go_back_to(tmp_path, frontend):
    swarm = Swarm(tmp_path)
    swarm.fate("stuck")
    done = swarm.deploy(frontend.url, DEPLOY_TIMEOUT_S="1")
    assert done.returncode == 1
    assert done.stderr.endswith("there is nothing to go back to\n")
    assert not swarm.calls("service", "rollback")


def test_it_is_checked_under_the_public_name(swarm, system, frontend):
    """A server with a public name answers to no other; the check asks by the machine's own address."""
    done = swarm.deploy(frontend.url, PUBLIC_URL="https://meet.example.org/")
    assert done.returncode == 1
    assert "answered 421" in done.stderr


@pytest.mark.parametrize("missing", ["DOCKER_USERNAME", "IMAGE_TAG", "JWT_SECRET_KEY", "POSTGRES_PASSWORD"])
def test_nothing_is_deployed_without_its_settings(tmp_path, missing):
    swarm = Swarm(tmp_path)
    done = swarm.deploy("http://127.0.0.1:9", **{missing: ""})
    assert (done.returncode, done.stderr) == (2, f"deploy: {missing} is not set\n")
    assert not (tmp_path / "calls").exists()


def test_only_settings_are_read(tmp_path):
    done = Swarm(tmp_path).deploy("http://127.0.0.1:9", PATH="/nonexistent")
    assert (done.returncode, done.stderr) == (2, "deploy: PATH is not a setting\n")


WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci-cd.yml").read_text())
# What an ssh does that finds the host's key: it hands the command to a shell in the account's home.
FAKE_SSH = r"""#!/bin/bash
printf '%s\n' "$@" >>"$FAKE_DOCKER/ssh"
for option in "$@"; do [[ $option != UserKnownHostsFile=* ]] || cat "${option#*=}" >>"$FAKE_DOCKER/known"; done
cd "$FAKE_DOCKER/remote" && exec bash -c "${@: -1}"
"""


@pytest.mark.parametrize("host_key", ["meet.example.org ssh-ed25519 AAAA-from-the-variable", ""])
def test_the_workflow_deploys_by_ssh(swarm, frontend, host_key):
    (step,) = [step for step in WORKFLOW["jobs"]["deploy"]["steps"] if "run" in step]
    swarm.program("ssh", FAKE_SSH)
    swarm.program("ssh-keyscan", '#!/bin/sh\necho "$1 ssh-ed25519 AAAA-as-scanned"\n')
    (swarm.home / "remote").mkdir()
    (swarm.home / "runner").mkdir()
    settings = SETTINGS | {
        "DEPLOY_HOST": "meet.example.org", "DEPLOY_USER": "deployer", "DEPLOY_KEY": "the-private-key",
        "DEPLOY_HOST_KEY": host_key, "PUBLIC_URL": frontend.url, "REGISTRATION": "",
    }
    assert set(settings) == set(step["env"])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=False,
        # The address at which the host has its frontend is the one thing that the workflow leaves to it.
        env=swarm.environment(RUNNER_TEMP=str(swarm.home / "runner"), CHECK_URL=frontend.url, TIMEOUT_S="5", **settings),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("deploy: new serves\n")
    assert swarm.has("new")
    (deployed,) = swarm.calls("stack", "deploy")
    assert deployed["environment"]["JWT_SECRET_KEY"] == SECRETS["JWT_SECRET_KEY"]
    said = (swarm.home / "ssh").read_text()
    assert "StrictHostKeyChecking=yes" in said and "deployer@meet.example.org" in said
    assert not any(secret in said for secret in SECRETS.values())
    known = (swarm.home / "known").read_text()
    assert ("from-the-variable" in known, "::warning::" in done.stdout) == ((True, False) if host_key else (False, True))
    assert not (swarm.home / "runner/key").exists()
    assert (swarm.home / "remote/cloudmeet/stack-compose.yml").read_text() == (ROOT / "stack-compose.yml").read_text()


def uses() -> list[str]:
    return [step["uses"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "uses" in step]


def test_the_workflow_trusts_nobody_more_than_it_must():
    text = (ROOT / ".github/workflows/ci-cd.yml").read_text()
    assert WORKFLOW["permissions"] == {}
    for name, job in WORKFLOW["jobs"].items():
        assert job.get("permissions", {}) in ({}, {"contents": "read"}), name
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            # What others wrote (a branch's name, a title) is data: it reaches a script as a variable, if at all.
            assert "${{" not in step.get("run", ""), step
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used) for used in uses())
    # Each with the version that it is.
    assert len(re.findall(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", text, re.MULTILINE)) == len(uses())


def test_secrets_are_kept_from_pull_requests():
    assert set(WORKFLOW[True]) == {"push", "pull_request"}
    jobs = WORKFLOW["jobs"]
    assert "secrets." not in json.dumps(jobs["build-and-test"])
    assert jobs["build-images"]["if"] == "github.event_name == 'push'"
    assert (jobs["push-images"]["needs"], jobs["deploy"]["needs"]) == ("build-images", "push-images")
