#!/usr/bin/env bash
# What the compose files need of the official image's entry point: the account, the password, the scripts of the first start.
set -euo pipefail
if [[ $EUID -eq 0 && $1 == postgres ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres: "$PGDATA" /var/run/postgresql
  chmod 0700 "$PGDATA"
  exec gosu postgres "$0" "$@"
fi
[[ $1 == postgres ]] || exec "$@"
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  : "${POSTGRES_USER:=postgres}" "${POSTGRES_DB:=$POSTGRES_USER}"
  export POSTGRES_USER POSTGRES_DB
  if [[ -n ${POSTGRES_PASSWORD_FILE:-} ]]; then POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE"); fi
  initdb --username "$POSTGRES_USER" --pwfile <(echo "${POSTGRES_PASSWORD:?}") --auth-local trust --auth-host scram-sha-256 --encoding UTF8
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  # By its own socket alone: nobody from outside sees it half made.
  pg_ctl start -w -o "-c listen_addresses=''"
  [[ $POSTGRES_DB == postgres ]] || createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
  for script in /docker-entrypoint-initdb.d/*.sh; do
    # shellcheck disable=SC1090
    if [[ -x $script ]]; then "$script"; elif [[ -e $script ]]; then . "$script"; fi
  done
  pg_ctl stop -m fast -w
fi
exec "$@" -c listen_addresses='*'
