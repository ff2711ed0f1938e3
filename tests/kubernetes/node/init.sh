#!/usr/bin/env bash
# Pid 1 of the node, started by up.sh in fresh namespaces: starts the parts in order, loads the pause image, touches
# WORK/ready, and ends, taking all along, when any part ends.
#   tests/kubernetes/node/init.sh BIN WORK
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$here/env.sh"
bin=$1
work=$2
log=$2/log
export PATH="$bin:$CNI_BIN:$PATH"

mount --make-rshared /
# Sockets, runc's state and the pods' network namespaces.
mount -t tmpfs -o mode=755 tmpfs /run
# The pods' logs.
mkdir -p "$log/var"
mount --bind "$log/var" /var/log

ip link set lo up
ip link add node0 type veth peer name node0-peer
ip link set node0-peer up
ip addr add "$NODE_IP/24" dev node0
ip link set node0 up
ip route add default dev node0 src "$NODE_IP"
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1
# Where bridges are not filtered there is nothing to switch on.
sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null || true

declare -A name
# part NAME COMMAND…: starts a part of the node.
part() {
  local part=$1
  shift
  "$@" >"$log/$part.log" 2>&1 &
  name[$!]=$part
}
# until_ok NAME COMMAND…: waits until a part answers.
until_ok() {
  local part=$1
  shift
  for _ in $(seq 600); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "$part did not come up" >&2
  exit 1
}
token=$(head -1 "$work/pki/tokens.csv" | cut -d, -f1)
api() { curl -sf --cacert "$work/pki/ca.crt" -H "Authorization: Bearer $token" "https://127.0.0.1:$API_PORT$1"; }

[[ -z ${LIFELINE:-} ]] || part lifeline cat "/dev/fd/$LIFELINE"
part etcd etcd --data-dir "$work/etcd" --listen-client-urls http://127.0.0.1:2379 \
  --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:0 --unsafe-no-fsync
part containerd containerd --config "$work/conf/containerd.toml"
part apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 --bind-address 0.0.0.0 --secure-port "$API_PORT" \
  --advertise-address "$NODE_IP" --service-cluster-ip-range "$SVC_CIDR" --allow-privileged=true \
  --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --token-auth-file "$work/pki/tokens.csv" \
  --client-ca-file "$work/pki/ca.crt" --tls-cert-file "$work/pki/apiserver.crt" --tls-private-key-file "$work/pki/apiserver.key" \
  --kubelet-client-certificate "$work/pki/to-kubelet.crt" --kubelet-client-key "$work/pki/to-kubelet.key" \
  --kubelet-preferred-address-types InternalIP \
  --service-account-issuer https://kubernetes.default.svc.cluster.local \
  --service-account-key-file "$work/pki/sa.key" --service-account-signing-key-file "$work/pki/sa.key"

until_ok containerd ctr version
ctr -n k8s.io images import "$work/pause.tar"
until_ok apiserver api /readyz

part controller-manager kube-controller-manager --kubeconfig "$work/controller-manager.kubeconfig" --bind-address 127.0.0.1 \
  --leader-elect=false --use-service-account-credentials=true --pvclaimbinder-sync-period 1s --root-ca-file "$work/pki/ca.crt" \
  --service-account-private-key-file "$work/pki/sa.key" \
  --cluster-signing-cert-file "$work/pki/ca.crt" --cluster-signing-key-file "$work/pki/ca.key"
part scheduler kube-scheduler --kubeconfig "$work/scheduler.kubeconfig" --bind-address 127.0.0.1 --leader-elect=false
part kubelet kubelet --config "$work/conf/kubelet.yaml" --kubeconfig "$work/kubelet.kubeconfig" --root-dir "$work/kubelet" \
  --hostname-override "$NODE" --node-ip "$NODE_IP"
part proxy kube-proxy --config "$work/conf/proxy.yaml"
part dns coredns -conf "$work/conf/Corefile"

# Ready: the node takes pods, names resolve, and pods may use the default service account.
(
  until api "/api/v1/nodes/$NODE" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"' &&
    api /api/v1/namespaces/default/serviceaccounts/default >/dev/null &&
    curl -sf http://127.0.0.1:8181/ready >/dev/null; do
    sleep 0.1
  done
  touch "$work/ready"
) &
disown
# Bash reaps what the containers' shims leave behind; a part that ends ends the node.
gone=
# However it ended: it should not have.
wait -n -p gone "${!name[@]}" || true
echo "${name[$gone]} ended" >&2
exit 1
