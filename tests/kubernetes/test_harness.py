"""The harness itself: what it starts is its own, keeps what it should, and ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import httpx
import pytest

from kubernetes.api import Refused
from kubernetes.cluster import ControlPlane
from kubernetes.operators import Metrics
from kubernetes.processes import NotYet, Program, held_port, listens, wait_for

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.tests.cloudmeet.io}
spec:
  group: tests.cloudmeet.io
  scope: Namespaced
  names: {kind: Toy, plural: toys, singular: toy}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {colour: {type: string, enum: [red, blue]}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""


def toy(name: str, colour: str = "red") -> dict:
    return {"apiVersion": "tests.cloudmeet.io/v1", "kind": "Toy", "metadata": {"name": name}, "spec": {"colour": colour}}


@pytest.fixture
def toys(namespace):
    """A namespace in which there may be toys."""
    namespace.apply(CRD)
    namespace.wait_for(
        "CustomResourceDefinition", "toys.tests.cloudmeet.io",
        lambda seen: any(one["type"] == "Established" and one["status"] == "True" for one in seen["status"]["conditions"]),
    )
    return namespace


def test_a_kind_is_made_and_its_objects_are_kept_as_it_says(toys):
    toys.apply(toy("one"))
    assert toys.get("Toy", "one")["spec"] == {"colour": "red"}
    assert json.loads(toys.kubectl("get", "toy", "one", "-o", "json").stdout)["spec"] == {"colour": "red"}
    applied = toys.kubectl("apply", "-f", "-", input=json.dumps(toy("two", "blue")))
    assert "created" in applied.stdout and toys.get("toys", "two")["spec"]["colour"] == "blue"
    refused = toys.kubectl("apply", "-f", "-", input=json.dumps(toy("three", "green")), check=False)
    assert refused.returncode == 1 and "Unsupported value" in refused.stderr
    with pytest.raises(Refused) as said:
        toys.apply(toy("three", "green"))
    assert (said.value.status, said.value.reason) == (422, "Invalid")
    assert {one["metadata"]["name"] for one in toys.list("Toy")} == {"one", "two"}
    toys.patch("Toy", "one", {"status": {"phase": "New"}}, part="status")
    toys.wait_for("Toy", "one", lambda seen: seen["status"]["phase"] == "New")
    toys.delete("Toy", "one")
    toys.wait_until_gone("Toy", "one")
    assert toys.get("Toy", "one") is None


def test_a_namespace_is_of_one_test(toys, cluster):
    toys.apply(toy("one"))
    other = cluster.namespace(f"{toys.name}-other")
    assert other.list("Toy") == []
    other.close()


def test_who_waits_in_vain_is_told_what_was_seen_last(toys):
    toys.apply(toy("one"))
    with pytest.raises(NotYet, match="red"):
        toys.wait_for("Toy", "one", lambda seen: seen["spec"]["colour"] == "blue", timeout=0.3)


def test_a_restart_keeps_the_data_and_the_port_and_ends_watches(toys, cluster):
    version = toys.apply(toy("one"))["metadata"]["resourceVersion"]
    before = cluster.api_server.process.pid
    with toys.watch("Toy", version) as events:
        cluster.restart_api_server()
        # Cut off, or ended in order: it says nothing more.
        try:
            assert list(events) == []
        except httpx.TransportError:
            pass
    after = cluster.api_server.process.pid
    assert after != before and listens(after, int(cluster.url.rsplit(":", 1)[1]))
    assert toys.get("Toy", "one")["spec"] == {"colour": "red"}
    cluster.kill_api_server()
    with pytest.raises(httpx.ConnectError):
        toys.get("Toy", "one")
    cluster.start_api_server()
    assert toys.get("Toy", "one")["spec"] == {"colour": "red"}


def test_after_a_compaction_what_was_is_gone(toys, cluster):
    old = toys.apply(toy("one"))["metadata"]["resourceVersion"]
    with toys.watch("Toy", old) as events:
        toys.apply(toy("one", "blue"))
        kind, seen = next(events)
    assert (kind, seen["spec"]["colour"]) == ("MODIFIED", "blue")
    assert cluster.compact() >= int(seen["metadata"]["resourceVersion"])
    cluster.restart_api_server()
    with toys.watch("Toy", old) as events:
        kind, said = next(events)
    assert (kind, said["code"], said["reason"]) == ("ERROR", 410, "Expired")
    with pytest.raises(Refused) as refused:
        toys.list("Toy", resourceVersion=old, resourceVersionMatch="Exact")
    assert refused.value.status == 410


def test_an_account_may_do_what_its_role_says(toys, tmp_path):
    toys.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "child"}})
    with pytest.raises(Refused) as refused:
        toys.as_account("child").list("Toy")
    assert refused.value.status == 403
    toys.apply({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "child"},
        "rules": [{"apiGroups": ["tests.cloudmeet.io"], "resources": ["toys"], "verbs": ["list"]}],
    })
    toys.apply({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "child"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "child"},
        "subjects": [{"kind": "ServiceAccount", "name": "child", "namespace": toys.name}],
    })
    child = toys.as_account("child")

    def may_list():
        try:
            return child.list("Toy") == []
        except Refused:
            # The authorizer hears of roles a little later.
            return False

    wait_for(may_list)
    with pytest.raises(Refused):
        child.apply(toy("one"))
    written = toys.kubeconfig_for(child.token, tmp_path / "kubeconfig")
    assert written.stat().st_mode & 0o777 == 0o600
    config = ["--kubeconfig", str(written)]
    assert "No resources" in toys.kubectl(*config, "get", "toys").stderr
    denied = toys.kubectl(*config, "delete", "toys", "--all", check=False)
    assert denied.returncode == 0 or "forbidden" in denied.stderr
    assert "forbidden" in toys.kubectl(*config, "create", "-f", "-", input=json.dumps(toy("one")), check=False).stderr


def test_controllers_delete_a_namespace_with_all_that_is_in_it(toys, cluster):
    cluster.start_controllers()
    toys.apply(toy("one"))
    toys.delete("Namespace", toys.name)
    toys.wait_until_gone("Namespace", toys.name, timeout=60)
    assert toys.list("Toy") == []


def test_the_program_that_answers_is_the_one_that_was_started(tmp_path):
    place = held_port()
    port = place.getsockname()[1]
    assert not listens(os.getpid(), port)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        assert listens(os.getpid(), port)
        # Somebody listens there, but not it.
        program = Program("sleep", tmp_path / "log")
        program.start("sleep", "60")
        with pytest.raises(RuntimeError, match="sleep being ready"):
            program.wait_until_listening(port, 0.3)
        assert not program.alive()
    place.close()


def test_a_program_that_ends_is_not_waited_for(tmp_path):
    program = Program("failing", tmp_path / "log")
    program.start("sh", "-c", "echo because; exit 3")
    with pytest.raises(RuntimeError, match="failing ended with 3\nbecause"):
        program.wait_until(lambda: False, 20)


def test_a_test_run_that_is_killed_leaves_nothing(tmp_path):
    """What it started ends with it, even where it could do nothing about it."""
    script = (
        "import pathlib, sys, time\n"
        "from kubernetes.processes import Program\n"
        "program = Program('sleep', pathlib.Path(sys.argv[1]))\n"
        "program.start('sleep', '600')\n"
        "print(program.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    run = subprocess.Popen([sys.executable, "-c", script, tmp_path / "log"], stdout=subprocess.PIPE, text=True, cwd=tests)
    pid = int(run.stdout.readline())
    os.kill(pid, 0)
    run.kill()
    run.wait()

    def gone():
        try:
            # Nobody reaps it where pid 1 does not.
            return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_for(gone)


def test_the_api_server_is_asked_through_the_proxy(toys, api_proxy, cluster):
    with httpx.Client(base_url=api_proxy.url, headers={"authorization": f"Bearer {cluster.token}"}, timeout=10) as client:
        path = toys.path("Toy")
        # Just started, it may ask to be asked again, which this client does not do.
        version = toys.call("GET", path)["metadata"]["resourceVersion"]
        with client.stream("GET", path, params={"watch": "true", "resourceVersion": version}) as answer:
            toys.apply(toy("one"))
            event = json.loads(next(answer.iter_lines()))
            assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "one")
            # TLS's own messages are no end of the connection, nor an answer.
            assert client.get(path).status_code == 200
        cluster.restart_api_server()
        assert client.get(path + "/one").json()["spec"] == {"colour": "red"}
    assert [one.status for one in api_proxy.seen(path="toys$")] == [200, 200]


def test_cloudmeet_keeps_its_rooms_and_its_key_over_a_restart(cloudmeet, cloudmeet_proxy, manager):
    owner = cloudmeet.person("Owner")
    assert cloudmeet.managed(manager, "uid-1") is None
    key = cloudmeet.key_file.read_text().strip()
    made = httpx.put(
        f"{cloudmeet_proxy.url}/api/managed-rooms/{manager}/uid-1", json={"name": "On call", "owner": owner.email},
        headers={"authorization": f"Bearer {key}"}, timeout=10,
    )
    assert made.status_code == 201, made.text
    url = cloudmeet.url
    cloudmeet.stop()
    with pytest.raises(httpx.TransportError):
        cloudmeet.managed(manager, "uid-1")
    cloudmeet.start()
    assert cloudmeet.url == url and cloudmeet.managed(manager, "uid-1")["name"] == "On call"
    assert [one["uid"] for one in cloudmeet.all_managed(manager)] == ["uid-1"]
    assert made.json()["room_id"] in {str(room["id"]) for room in cloudmeet.rooms()}


STAND_IN = """#!{python}
# Does nothing of what an operator does, but looks like one: it is ready once it has been asked, and counts that.
import http.server, os, signal, sys
assert sys.argv[1:] == ["run"] and "HOST" not in os.environ, (sys.argv, os.environ)
asked = 0
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global asked
        asked += 1
        body = {{"/readyz": b"ok", "/metrics": b'asked{{of="%s"}} %d' % (os.environ["POD_NAME"].encode(), asked)}}[self.path]
        self.send_response(200 if asked > 1 else 503)
        self.end_headers()
        self.wfile.write(body)
signal.signal(signal.SIGTERM, lambda *_: os._exit(int(os.environ.get("CODE", 0))))
host, _, port = os.environ["METRICS_ADDR"].partition(":")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


def test_operators_are_started_frozen_killed_and_stopped(operators, monkeypatch, tmp_path):
    stand_in = tmp_path / "operator"
    stand_in.write_text(STAND_IN.format(python=sys.executable))
    stand_in.chmod(0o755)
    monkeypatch.setattr("kubernetes.operators.BINARY", stand_in)
    settings = {
        "kubeconfig": tmp_path / "kubeconfig", "cloudmeet_url": "http://127.0.0.1:1", "key_file": tmp_path / "key",
        "manager": "m", "namespace": "n",
    }
    first, second = operators(**settings), operators(**settings, name="operator-1", CODE=3)
    first.start()
    second.start()
    assert first.port != second.port
    assert first.metrics().value("asked", of="operator-0") == 3 and second.metrics().value("asked", of="operator-0") == 0
    first.freeze()
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"http://127.0.0.1:{first.port}/readyz", timeout=0.3)
    first.thaw()
    wait_for(first.is_ready)
    first.kill()
    assert not first.is_alive() and not first.is_ready()
    first.start()
    first.stop()
    with pytest.raises(AssertionError, match="operator-1 ended with 3"):
        second.stop()
    settings["key_file"] = None
    monkeypatch.setattr("kubernetes.operators.BINARY", "false")
    with pytest.raises(RuntimeError, match="ended with 1"):
        operators(**settings).start()


def test_metrics_are_read():
    metrics = Metrics('# HELP a x\na{b="c",d="e\\"f"} 2\na{b="g"} 3 1700000000\nplain 1.5e3\n')
    assert metrics.value("a") == 5 and metrics.value("a", b="c") == 2 and metrics.value("none") == 0
    assert metrics.value("a", d='e\\"f') == 2 and metrics.value("plain") == 1500 and metrics.names() == {"a", "plain"}


def test_two_control_planes_do_not_meet(cluster):
    with ControlPlane() as other:
        with pytest.raises(httpx.ConnectError, match="(?i)certificate"):
            other.api.within("default").http.get(cluster.url + "/readyz")
        other.namespace("only-there").close()
        assert cluster.api.get("Namespace", "only-there") is None
