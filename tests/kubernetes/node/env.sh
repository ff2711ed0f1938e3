# shellcheck shell=bash
# Addresses of the node, which exist only inside the network namespace that up.sh makes, and names.
export NODE=node0
export NODE_IP=10.45.0.1
export POD_CIDR=10.45.1.0/24
export SVC_CIDR=10.45.2.0/24
export API_SVC_IP=10.45.2.1
export API_PORT=6443
# The control group of all pods: one node at a time on a machine.
export CGROUP=cloudmeet-node
export PAUSE_IMAGE=localhost/pause:1
export CNI_BIN=${CNI_BIN:-/usr/lib/cni}
