#!/bin/bash
# Creates each database of POSTGRES_MULTIPLE_DATABASES (names separated by commas) that is not there yet, owned by
# POSTGRES_USER. The Postgres image runs it once, on an empty volume; run again it does no harm.
set -euo pipefail

psql=(psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:?}" --dbname "${POSTGRES_DB:-$POSTGRES_USER}")

IFS=, read -r -a databases <<<"${POSTGRES_MULTIPLE_DATABASES:-cloudmeet_auth,cloudmeet_conference}"
for database in "${databases[@]}"; do
  database=${database//[[:space:]]/}
  [[ -n $database ]] || continue
  "${psql[@]}" --set "database=$database" --set "owner=$POSTGRES_USER" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
SQL
done
