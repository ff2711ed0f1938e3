#!/usr/bin/env bash
# Installs Debian's packages as root; says which are missing to anybody else.
#   tests/harness/install-packages.sh WHO [PACKAGE…]
set -euo pipefail
who=$1
shift
(($#)) || exit 0
if ((EUID != 0)); then
  echo "$who need: $* (on Debian: sudo apt-get install $*)" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
