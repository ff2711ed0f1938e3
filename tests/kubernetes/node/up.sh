#!/usr/bin/env bash
# Brings up a one-node Kubernetes, and returns when it takes pods and resolves names.
#   tests/kubernetes/node/up.sh BIN WORK
# BIN has what build.sh makes; WORK keeps logs, state and kubeconfigs. Everything runs in network, mount and pid namespaces
# of its own: nothing of it is reachable from outside, no port, address or firewall rule of the machine is touched, and
# down.sh takes all of it away at once. Where LIFELINE is the number of an open descriptor, a pipe, the node also ends when
# nobody holds the other end any more. Needs Debian's containerd, runc, containernetworking-plugins, iptables, iproute2 and
# conntrack.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$here/env.sh"
if ((EUID != 0)); then
  echo "a node needs root: it makes namespaces and mounts" >&2
  exit 1
fi
bin=$(realpath "$1")
mkdir -p "$2"
work=$(realpath "$2")
if init=$(cat "$work/init.pid" 2>/dev/null) && [[ -d /proc/$init ]]; then
  echo "the node is already up (pid $init)" >&2
  exit 1
fi
rm -rf "$work"/{init.pid,etcd,containerd,kubelet,cni-state,log,ready}
mkdir -p "$work"/{pki,etcd,containerd,kubelet,cni,cni-state,log,conf}
chmod 700 "$work/etcd"

# Keys: one authority signs the API server's certificate and its client certificate for the kubelet.
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
# signed NAME SUBJECT EXTENSIONS
signed() {
  key "$1.key"
  openssl req -new -key "$1.key" -subj "$2" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile <(printf '%s\n' "$3") -out "$1.crt" 2>/dev/null
}
(
  cd "$work/pki"
  openssl genrsa -out sa.key 2048 2>/dev/null
  key ca.key
  openssl req -x509 -new -key ca.key -subj /CN=test-node-ca -days 30 -out ca.crt
  names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  signed apiserver /CN=kube-apiserver "subjectAltName=$names,IP:127.0.0.1,IP:$NODE_IP,IP:$API_SVC_IP"
  signed to-kubelet /O=system:masters/CN=kube-apiserver "extendedKeyUsage=clientAuth"
)

# user FILE NAME GROUP: one static token each.
: >"$work/pki/tokens.csv"
user() {
  local token
  token=$(openssl rand -hex 16)
  printf '%s,%s,%s,"%s"\n' "$token" "$2" "$2" "$3" >>"$work/pki/tokens.csv"
  cat >"$work/$1.kubeconfig" <<K
{"apiVersion":"v1","kind":"Config","current-context":"node",
 "clusters":[{"name":"node","cluster":{"server":"https://127.0.0.1:$API_PORT","certificate-authority":"$work/pki/ca.crt"}}],
 "users":[{"name":"node","user":{"token":"$token"}}],
 "contexts":[{"name":"node","context":{"cluster":"node","user":"node"}}]}
K
  chmod 600 "$work/$1.kubeconfig"
}
user admin admin system:masters
user controller-manager system:kube-controller-manager ""
user scheduler system:kube-scheduler ""
user kubelet "system:node:$NODE" system:nodes
user proxy system:kube-proxy ""
user dns dns system:masters

for file in "$here"/conf/*; do
  sed -e "s|@D@|$work|g; s|@CNI_BIN@|$CNI_BIN|g; s|@PAUSE_IMAGE@|$PAUSE_IMAGE|g; s|@CGROUP@|$CGROUP|g" \
    -e "s|@NODE@|$NODE|g; s|@NODE_IP@|$NODE_IP|g; s|@POD_CIDR@|$POD_CIDR|g; s|@SVC_CIDR@|$SVC_CIDR|g" "$file" \
    >"$work/conf/$(basename "$file")"
done
mv "$work/conf/cni.conflist" "$work/cni/10-bridge.conflist"

UID_GID=65535:65535 "$here/mkimage.sh" "$PAUSE_IMAGE" "$work/pause.tar" "$bin/pause"

# The control group under which all pods go (cgroup v1: one of each controller; v2: one). The pods together would have as
# much of the processors as any one thread outside; on a machine of its own a node gives them nearly all.
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  mkdir -p "/sys/fs/cgroup/$CGROUP"
  [[ ! -e /sys/fs/cgroup/$CGROUP/cpu.weight ]] || echo 2000 >"/sys/fs/cgroup/$CGROUP/cpu.weight"
else
  for controller in /sys/fs/cgroup/*/; do
    [[ -e $controller/cgroup.procs ]] || continue
    mkdir -p "$controller/$CGROUP"
    [[ ! -e $controller/$CGROUP/cpu.shares ]] || echo 20480 >"$controller/$CGROUP/cpu.shares"
    for file in cpuset.cpus cpuset.mems; do
      [[ ! -e $controller/$file ]] || cat "$controller/$file" >"$controller/$CGROUP/$file"
    done
  done
fi

setsid unshare --net --mount --pid --fork --kill-child=KILL --mount-proc \
  bash "$here/init.sh" "$bin" "$work" >"$work/log/init.log" 2>&1 </dev/null &
outside=$!
for _ in $(seq 600); do
  if [[ ! -s $work/init.pid ]]; then
    # It may have no child yet; one that is gone ends the loop below.
    child=$(cat "/proc/$outside/task/$outside/children" 2>/dev/null || true)
    [[ -z $child ]] || echo "${child// /}" >"$work/init.pid"
  fi
  [[ ! -e $work/ready ]] || exit 0
  [[ -d /proc/$outside ]] || break
  sleep 0.1
done
tail -n 20 "$work"/log/*.log >&2
exit 1
