#!/bin/sh
# Makes the secrets that a first `docker compose up` lacks, each once, in the directory of a volume that only the
# services see. Values of the environment are taken before a random one; what is there already stays.
#   make-secrets.sh DIRECTORY
set -eu
directory=$1
umask 0022

random() {
  od -An -tx1 -N32 /dev/urandom | tr -d ' \n'
}

# keep NAME VALUE: writes the file whole or not at all.
keep() {
  if [ -s "$directory/$1" ]; then
    if [ -n "$2" ] && [ "$2" != "$(cat "$directory/$1")" ]; then
      echo "$1: what was made at the first start stays; the databases know no other" >&2
    fi
    return
  fi
  printf '%s' "${2:-$(random)}" >"$directory/$1.new"
  mv "$directory/$1.new" "$directory/$1"
}

# What the services would refuse must not be kept: nothing here overwrites it later.
if [ -n "${INTERNAL_TOKEN:-}" ] && [ "${#INTERNAL_TOKEN}" -lt 32 ]; then
  echo "INTERNAL_TOKEN needs at least 32 characters: leave it empty, or take \`openssl rand -hex 32\`" >&2
  exit 1
fi
keep postgres_password "${POSTGRES_PASSWORD:-}"
keep internal_token "${INTERNAL_TOKEN:-}"
