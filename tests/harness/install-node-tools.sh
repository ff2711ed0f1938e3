#!/usr/bin/env bash
# Installs what a Kubernetes node of the tests needs and this machine lacks, from Debian's packages, as root.
set -euo pipefail
# Root finds more programs than others do.
PATH=$PATH:/usr/sbin:/sbin
missing=()
command -v containerd >/dev/null || missing+=(containerd)
command -v runc >/dev/null || missing+=(runc)
[[ -x ${CNI_BIN:-/usr/lib/cni}/bridge ]] || missing+=(containernetworking-plugins)
command -v iptables >/dev/null || missing+=(iptables)
command -v ip >/dev/null || missing+=(iproute2)
command -v conntrack >/dev/null || missing+=(conntrack)
command -v openssl >/dev/null || missing+=(openssl)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
"$(dirname "${BASH_SOURCE[0]}")/install-packages.sh" "the tests of Kubernetes" "${missing[@]}"
