#!/usr/bin/env bash
# Makes the images that ours are built on, for a machine that cannot pull them: Debian's packages under the same names,
# with as much of their entry points as the compose files use. Kept in a cache; the engine is given what it lacks.
#   tests/containers/stand-ins.sh CACHE_DIRECTORY [trees]
# With `trees` it makes only what needs the network, and speaks to no engine.
set -euo pipefail
cache=$1
part=${2:-all}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$cache"

# tree NAME PACKAGE…: a root file system with these packages.
tree() {
  local name=$1
  shift
  [[ -e $cache/$name.complete ]] && return
  rm -rf "${cache:?}/$name"
  debootstrap --variant=minbase --include="$(IFS=,; echo "$*")" bookworm "$cache/$name" >"$cache/$name.log"
  rm -rf "$cache/$name"/var/cache/apt/* "$cache/$name"/var/lib/apt/lists/* "$cache/$name"/var/log/* "$cache/$name"/usr/share/doc
}

# image NAME TAG [CHANGE…]: gives the engine an image of a tree.
image() {
  local name=$1 tag=$2 changes=()
  shift 2
  touch "$cache/$name.complete"
  [[ $part == all ]] || return 0
  docker image inspect "$tag" >/dev/null 2>&1 && return
  for change in "$@"; do changes+=(--change "$change"); done
  tar --directory "$cache/$name" --create . | docker import "${changes[@]}" - "$tag" >/dev/null
}

tree postgres postgresql-15,gosu
install -m 0755 "$here/postgres-entrypoint.sh" "$cache/postgres/usr/local/bin/docker-entrypoint.sh"
mkdir -p "$cache/postgres/docker-entrypoint-initdb.d"
image postgres postgres:15 'ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' \
  'ENV PGDATA=/var/lib/postgresql/data' 'VOLUME /var/lib/postgresql/data' 'EXPOSE 5432' \
  'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]'

tree redis redis-server
image redis redis:7 'USER redis' 'EXPOSE 6379' 'VOLUME /data' 'WORKDIR /data' 'CMD ["redis-server"]'

tree nginx nginx-light,curl
sed -i 's/^www-data:\(.*\)$/www-data:\1\nnginx:x:101:101::\/nonexistent:\/usr\/sbin\/nologin/; /^_apt:/d' "$cache/nginx/etc/passwd"
grep -q '^nginx:' "$cache/nginx/etc/group" || echo 'nginx:x:101:' >>"$cache/nginx/etc/group"
image nginx nginx:1.28 'EXPOSE 80' 'CMD ["nginx", "-g", "daemon off;"]'

# The compiler of this machine, with the sources it has fetched already.
tree rust gcc,libc6-dev,binutils
if [[ ! -e $cache/rust.complete ]]; then
  (cd "$here/../.." && cargo fetch --locked)
  mkdir -p "$cache/rust/usr/local/rust" "$cache/rust/usr/local/cargo-home"
  cp -a "$(rustc --print sysroot)/." "$cache/rust/usr/local/rust/"
  rm -rf "$cache/rust/usr/local/rust/share/doc"
  cp -a "${CARGO_HOME:-$HOME/.cargo}/registry" "$cache/rust/usr/local/cargo-home/"
  if [[ -e ${CARGO_HOME:-$HOME/.cargo}/config.toml ]]; then
    cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$cache/rust/usr/local/cargo-home/"
  fi
fi
image rust rust:1.95-bookworm 'ENV PATH=/usr/local/rust/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' \
  'ENV CARGO_HOME=/usr/local/cargo-home' 'ENV CARGO_NET_OFFLINE=true'
