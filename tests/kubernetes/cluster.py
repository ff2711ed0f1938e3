"""A Kubernetes without machines: etcd and an API server of the tests' own, and controllers where a test asks for them."""

from __future__ import annotations

import os
import pathlib
import secrets
import shutil
import tempfile

import httpx

from kubernetes.api import Api, Kubectl, Refused, kubeconfig
from kubernetes.pki import write_keys
from kubernetes.processes import Program, Started, held_port, wait_for

START_TIMEOUT_S = 60
ISSUER = "https://kubernetes.default.svc.cluster.local"
# Namespaces go, what belongs to something that is gone goes, and accounts come. Nothing here runs pods.
CONTROLLERS = "namespace-controller,garbage-collector-controller,serviceaccount-controller,clusterrole-aggregation-controller"


def binaries() -> pathlib.Path:
    """Where the programs are that `node/build.sh` builds."""
    named = os.environ.get("KUBERNETES")
    assert named, "KUBERNETES names the directory that tests/kubernetes/node/build.sh has made: run `make test-kubernetes`"
    assert (pathlib.Path(named) / "kube").is_file(), f"there is no Kubernetes in {named}: run `make test-kubernetes`"
    return pathlib.Path(named)


class ControlPlane(Started):
    """etcd and kube-apiserver on free ports, in a directory that goes with them.

    The API server keeps its port and its data when it is stopped and started again.
    """

    def __init__(self, is_durable: bool = False) -> None:
        self.binaries = binaries()
        # What tests harm is not the machine's disk: nobody need wait for it.
        self.disk = [] if is_durable else ["--unsafe-no-fsync"]
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cmkube-"))
        self.places = {name: held_port() for name in ("etcd", "peer", "api")}
        self.etcd_url = f"http://127.0.0.1:{self._port('etcd')}"
        self.url = f"https://127.0.0.1:{self._port('api')}"
        self.ca = self.home / "pki/ca.crt"
        self.token = secrets.token_urlsafe()
        self.etcd = Program("etcd", self.home / "etcd.log")
        self.api_server = Program("kube-apiserver", self.home / "kube-apiserver.log")
        self.controllers = Program("kube-controller-manager", self.home / "kube-controller-manager.log")
        write_keys(self.home / "pki")
        tokens = self.home / "pki/tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f'{self.token},admin,admin,"system:masters"\n')
        self.kubeconfig = kubeconfig(self.home / "kubeconfig", self.url, self.ca, self.token)
        self.api = Api(self.url, self.ca, self.token)
        self.kubectl = Kubectl(self.binaries / "kubectl", self.kubeconfig)

    def start(self) -> "ControlPlane":
        self.start_etcd()
        self.start_api_server()
        # The namespace and the roles that everybody relies on come after the server has begun to answer.
        wait_for(lambda: self.api.get("Namespace", "default"), START_TIMEOUT_S, "the namespace default")
        return self

    def start_etcd(self) -> None:
        client, peer = self.etcd_url, f"http://127.0.0.1:{self._port('peer')}"
        self.etcd.start(
            self.binaries / "etcd", "--name", "tests", "--data-dir", self.home / "etcd",
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"tests={peer}",
            # The ports are held for it.
            "--socket-reuse-port", *self.disk,
        )
        self.etcd.wait_until_listening(self._port("etcd"), START_TIMEOUT_S)

    def start_api_server(self) -> None:
        pki = self.home / "pki"
        self.api_server.start(
            self.binaries / "kube-apiserver", "--etcd-servers", self.etcd_url,
            "--bind-address", "127.0.0.1", "--secure-port", self._port("api"), "--permit-port-sharing",
            "--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none",
            "--service-cluster-ip-range", "10.45.2.0/24", "--authorization-mode", "RBAC",
            "--token-auth-file", pki / "tokens.csv",
            "--tls-cert-file", pki / "server.crt", "--tls-private-key-file", pki / "server.key",
            "--service-account-issuer", ISSUER, "--service-account-key-file", pki / "accounts.key",
            "--service-account-signing-key-file", pki / "accounts.key",
            # Only `compact` compacts.
            "--etcd-compaction-interval", "0",
            # It ends watches when it is asked to end; without this it waits a minute for who watches to go.
            "--shutdown-watch-termination-grace-period", "5s",
        )
        self.api_server.wait_until_listening(self._port("api"), START_TIMEOUT_S)
        self.api_server.wait_until(self.is_ready, START_TIMEOUT_S)

    def is_ready(self) -> bool:
        """Whether the API server answers; that it is this one, its certificate shows."""
        try:
            return self.api.call("GET", "/readyz") == "ok"
        except (Refused, httpx.TransportError):
            return False

    def stop_api_server(self) -> None:
        """Ends the API server as an upgrade does: it lets requests end, and ends watches."""
        self.api_server.stop(START_TIMEOUT_S)

    def kill_api_server(self) -> None:
        """Ends the API server at once, in the middle of what it does."""
        self.api_server.kill()

    def restart_api_server(self) -> None:
        self.stop_api_server()
        self.start_api_server()

    def start_controllers(self) -> None:
        """Starts what deletes namespaces and orphans, unless it runs. A namespace takes 5 s and more to go."""
        if self.controllers.alive():
            return
        self.controllers.start(
            self.binaries / "kube-controller-manager", "--kubeconfig", self.kubeconfig, "--leader-elect=false",
            "--controllers", CONTROLLERS, "--secure-port", "0",
        )
        self.controllers.wait_until(lambda: self.api.get("ServiceAccount", "default"), START_TIMEOUT_S)

    def revision(self) -> int:
        """The newest revision of etcd."""
        return int(self._etcd("kv/range", key="AA==")["header"]["revision"])

    def compact(self) -> int:
        """Makes etcd forget all but what is, and gives that revision.

        The API server remembers what it has itself seen; after `restart_api_server` it does not.
        """
        revision = self.revision()
        self._etcd("kv/compaction", revision=str(revision), physical=True)
        return revision

    def _etcd(self, path: str, **body: object) -> dict:
        answer = httpx.post(f"{self.etcd_url}/v3/{path}", json=body, timeout=START_TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def namespace(self, name: str) -> "Namespace":
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return Namespace(self, name)

    def _port(self, name: str) -> int:
        return self.places[name].getsockname()[1]

    def close(self) -> None:
        for program in (self.controllers, self.api_server, self.etcd):
            program.kill()
        self.api.close()
        for place in self.places.values():
            place.close()
        shutil.rmtree(self.home, ignore_errors=True)


class Namespace(Api):
    """A namespace of one test: an administrator's client, `kubectl`, and accounts that may do less."""

    def __init__(self, cluster: ControlPlane, name: str) -> None:
        super().__init__(cluster.url, cluster.ca, cluster.token, name)
        self.cluster = cluster
        self.name = name
        self.kubectl = Kubectl(cluster.binaries / "kubectl", cluster.kubeconfig, name)

    def token_for(self, account: str, seconds: int = 3600) -> str:
        """A token of a service account, as a pod of it has one."""
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
        return self.call("POST", self.path("ServiceAccount", account) + "/token", request)["status"]["token"]

    def as_account(self, account: str) -> Api:
        """A client that may do what a service account may."""
        return Api(self.server, self.ca, self.token_for(account), self.namespace)

    def kubeconfig_for(self, token: str, path: pathlib.Path, server: str | None = None) -> pathlib.Path:
        """Writes a kubeconfig for a token; `server` may be a proxy's URL."""
        return kubeconfig(path, server or self.server, self.ca, token, self.name)
