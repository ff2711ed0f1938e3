#!/usr/bin/env bash
# Runs a command inside the node's network, mount and pid namespaces, with KUBECONFIG set.
#   tests/kubernetes/node/enter.sh WORK COMMAND…
set -euo pipefail
work=$(realpath "$1")
shift
export KUBECONFIG=$work/admin.kubeconfig
exec nsenter --target "$(<"$work/init.pid")" --net --mount --pid --wd="$PWD" -- "$@"
