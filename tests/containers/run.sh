#!/usr/bin/env bash
# Runs the container tests in a network namespace of their own: the ports that the files publish are free there, and
# nothing of it is reached from outside.
#   tests/containers/run.sh CACHE_DIRECTORY COMMAND…
set -euo pipefail
export CONTAINERS_CACHE=$1
shift
if ((EUID != 0)); then
  echo "the container tests need root: they start a Docker engine" >&2
  exit 1
fi
missing=()
command -v dockerd >/dev/null || missing+=(docker.io)
command -v docker-compose >/dev/null || missing+=(docker-compose)
command -v docker-registry >/dev/null || missing+=(docker-registry)
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v ip >/dev/null || missing+=(iproute2)
command -v curl >/dev/null || missing+=(curl)
command -v openssl >/dev/null || missing+=(openssl)
if ((${#missing[@]})); then
  apt-get update -qq
  # Installed without being started: the tests start their own.
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
mkdir -p "$CONTAINERS_CACHE"
# Debootstrap and the compiler's sources need the network, the rest must do without.
"$(dirname "${BASH_SOURCE[0]}")/stand-ins.sh" "$CONTAINERS_CACHE/stand-ins" trees
exec unshare --net --mount -- bash -euo pipefail -c '
  ip link set lo up
  ip address add 192.0.2.1/32 dev lo
  exec "$@"' run "$@"
