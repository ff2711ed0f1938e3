#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: Debian's packages as root, Python's into a virtual environment.
#   tests/harness/install-tools.sh VENV
set -euo pipefail
venv=$1
here=$(dirname "${BASH_SOURCE[0]}")

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v python3 >/dev/null || missing+=(python3)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v strace >/dev/null || missing+=(strace)
[[ -x /usr/sbin/nginx ]] || command -v nginx >/dev/null || missing+=(nginx-light)
command -v npm >/dev/null || missing+=(nodejs npm)
if ((${#missing[@]})); then
  if ((EUID != 0)); then
    echo "the tests need: ${missing[*]} (on Debian: sudo apt-get install ${missing[*]})" >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

if (($(node --version | sed -E 's/^v([0-9]+).*/\1/') < 20)); then
  echo "the browser tests need Node.js 20 or newer (Debian 13 has it; for Debian 12 see nodejs.org), not $(node --version)" >&2
  exit 1
fi

# The mark is set last: an environment that was left half made is made again.
if [[ ! -e $venv/complete ]]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/../requirements.txt"
  touch "$venv/complete"
fi
