"""A client of the Kubernetes API: fast enough to poll with, and able to ask as anybody. `kubectl` is beside it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import ssl
import subprocess
import time

import httpx
import yaml

from kubernetes.processes import wait_for

TIMEOUT_S = 10
KUBECTL_TIMEOUT_S = 60
FIELD_MANAGER = "cloudmeet-tests"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# How the media types of patches are called.
PATCHES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Refused(Exception):
    """What the API server says no with."""

    def __init__(self, answer: httpx.Response) -> None:
        try:
            status = answer.json()
        except ValueError:
            status = {}
        self.status = answer.status_code
        self.reason = status.get("reason", "")
        self.message = status.get("message", answer.text)
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {self.status} {self.reason}: {self.message}")


class Api:
    """Speaks for one token to one address of the API server, about the objects of one namespace unless told otherwise.

    A kind is named as in a manifest (`Room`), by its plural (`rooms`), or with its group (`events.events.k8s.io`).
    """

    def __init__(self, server: str, ca: pathlib.Path, token: str | None, namespace: str = "default") -> None:
        self.server = server
        self.ca = ca
        self.token = token
        self.namespace = namespace
        headers = {"authorization": f"Bearer {token}"} if token else {}
        # Not `ssl.create_default_context`: the tests keep one of those for all.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.load_verify_locations(ca)
        self.http = httpx.Client(base_url=server, verify=tls, headers=headers, timeout=TIMEOUT_S)
        self._kinds: dict[str, tuple[str, str, bool]] = {}

    def within(self, namespace: str) -> "Api":
        """The same, in another namespace."""
        return Api(self.server, self.ca, self.token, namespace)

    def call(self, method: str, path: str, body: object = None, media: str = "application/json", **params: object) -> dict:
        content = None if body is None else json.dumps(body)
        answer = self._patiently(
            lambda: self.http.request(method, path, content=content, headers={"content-type": media}, params=params)
        )
        if not answer.is_success:
            raise Refused(answer)
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def apply(self, manifest: dict | str, force: bool = True) -> dict:
        """Applies a manifest on the server, as `kubectl apply --server-side`; of several, gives the last."""
        if isinstance(manifest, str):
            return [self.apply(one, force) for one in yaml.safe_load_all(manifest) if one][-1]
        path = self._path_of(manifest) + "/" + manifest["metadata"]["name"]
        return self.call("PATCH", path, manifest, PATCHES["apply"], fieldManager=FIELD_MANAGER, force=str(force).lower())

    def create(self, manifest: dict) -> dict:
        return self.call("POST", self._path_of(manifest), manifest, fieldManager=FIELD_MANAGER)

    def get(self, kind: str, name: str) -> dict | None:
        try:
            return self.call("GET", self.path(kind, name))
        except Refused as refused:
            # A path that nobody serves has no details.
            if refused.status == 404 and refused.reason == "NotFound":
                return None
            raise

    def list(self, kind: str, **params: object) -> list[dict]:
        return self.call("GET", self.path(kind), **params)["items"]

    def patch(self, kind: str, name: str, change: object, how: str = "merge", part: str = "") -> dict:
        """Changes an object, or a part of it: `part="status"`."""
        return self.call("PATCH", self.path(kind, name) + (f"/{part}" if part else ""), change, PATCHES[how])

    def delete(self, kind: str, name: str, **params: object) -> None:
        self.call("DELETE", self.path(kind, name), **params)

    @contextlib.contextmanager
    def watch(self, kind: str, version: str | None = None, timeout: float = TIMEOUT_S, **params: object):
        """What happens to objects of a kind, each as `(type, object)`; an answer that is no stream is refused."""
        query = {"watch": "true"} | ({"resourceVersion": version} if version is not None else {}) | params
        request = self.http.build_request("GET", self.path(kind), params=query, timeout=timeout)
        with contextlib.closing(self._patiently(lambda: self.http.send(request, stream=True))) as answer:
            if not answer.is_success:
                answer.read()
                raise Refused(answer)
            events = (json.loads(line) for line in answer.iter_lines())
            yield ((event["type"], event["object"]) for event in events)

    def wait_for(self, kind: str, name: str, condition=bool, timeout: float = 20) -> dict:
        """Waits until a condition holds for an object (`None` while there is none), and gives the object.

        What the condition looks for and is not there counts as not yet.
        """
        def fulfilled():
            seen = self.get(kind, name)
            try:
                held = condition(seen)
            except (LookupError, TypeError):
                held = False
            assert held, json.dumps(seen)
            return seen or {"gone": name}

        return wait_for(fulfilled, timeout, f"{kind} {name} as it should be", every=0.05)

    def wait_until_gone(self, kind: str, name: str, timeout: float = 20) -> None:
        self.wait_for(kind, name, lambda seen: seen is None, timeout)

    def path(self, kind: str, name: str | None = None) -> str:
        if kind not in self._kinds:
            # A kind may have been made since.
            self._kinds = self._discover()
        assert kind in self._kinds, f"the API server knows no {kind}"
        group, plural, namespaced = self._kinds[kind]
        place = f"/namespaces/{self.namespace}" if namespaced else ""
        return f"{group}{place}/{plural}" + (f"/{name}" if name else "")

    def _patiently(self, ask) -> httpx.Response:
        """Asks again while the server says that there is too much, as all clients do: just started, it fills its caches."""
        deadline = time.monotonic() + TIMEOUT_S
        while (answer := ask()).status_code == 429 and time.monotonic() < deadline:
            answer.close()
            time.sleep(0.1)
        return answer

    def _path_of(self, manifest: dict) -> str:
        group = manifest["apiVersion"].rpartition("/")[0]
        kind = f"{manifest['kind']}.{group}" if group else manifest["kind"]
        elsewhere = manifest["metadata"].get("namespace", self.namespace)
        path = self.path(kind)
        return path.replace(f"/namespaces/{self.namespace}/", f"/namespaces/{elsewhere}/")

    def _discover(self) -> dict[str, tuple[str, str, bool]]:
        kinds = {}
        # The groups that others have made come last, and must not hide what is the system's own.
        for root in ("/api", "/apis"):
            answer = self.http.get(root, headers={"accept": DISCOVERY})
            if not answer.is_success:
                raise Refused(answer)
            for group in answer.json()["items"]:
                name = group["metadata"].get("name", "")
                version = group["versions"][0]
                for resource in version["resources"]:
                    where = f"{root}/{name}/{version['version']}" if name else f"{root}/{version['version']}"
                    found = (where, resource["resource"], resource["scope"] == "Namespaced")
                    for word in (resource["resource"], resource["responseKind"]["kind"]):
                        kinds.setdefault(word, found)
                        if name:
                            kinds[f"{word}.{name}"] = found
        return kinds

    def versions(self, group: str) -> list[str]:
        """The versions of a group that are shown to who asks what is served, the preferred one first."""
        answer = self.http.get("/apis", headers={"accept": DISCOVERY})
        if not answer.is_success:
            raise Refused(answer)
        groups = {one["metadata"].get("name"): one["versions"] for one in answer.json()["items"]}
        return [version["version"] for version in groups.get(group, [])]

    def close(self) -> None:
        self.http.close()


class Kubectl:
    """`kubectl` with a kubeconfig, in a namespace: `kubectl("get", "rooms")`."""

    def __init__(self, program: pathlib.Path, kubeconfig: pathlib.Path, namespace: str = "default", prefix: list = ()) -> None:
        self.program = program
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        # What it is started by, where it is to run in other surroundings.
        self.prefix = list(prefix)

    def __call__(
        self, *words: str, input: str | None = None, check: bool = True, timeout: float = KUBECTL_TIMEOUT_S
    ) -> subprocess.CompletedProcess:
        command = [*self.prefix, self.program, "--namespace", self.namespace, *words]
        done = subprocess.run(
            command, input=input, capture_output=True, text=True, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL if input is None else None,
            # Its cache of what the server knows goes beside the kubeconfig.
            env={"PATH": os.environ["PATH"], "HOME": str(self.kubeconfig.parent), "KUBECONFIG": str(self.kubeconfig)},
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done


def kubeconfig(path: pathlib.Path, server: str, ca: pathlib.Path, token: str, namespace: str = "default") -> pathlib.Path:
    """Writes a kubeconfig, readable by its owner alone."""
    cluster = {"server": server} | ({"certificate-authority": str(ca)} if server.startswith("https:") else {})
    context = {"cluster": "tests", "user": "tests", "namespace": namespace}
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "tests",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": context}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content))
    return path
