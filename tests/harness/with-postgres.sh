#!/usr/bin/env bash
# Runs a command with TEST_DATABASE_URL set to the superuser's URL of a private Postgres, which ends with it:
#   tests/harness/with-postgres.sh cargo test --workspace
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/postgres.py" "$@"
