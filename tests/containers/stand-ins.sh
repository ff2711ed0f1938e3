#!/usr/bin/env bash
# Makes the images that ours are built on, for a machine that cannot pull them: Debian's packages under the same names,
# with as much of their entry points as the compose files use. Kept in a cache; the engine is given what it lacks.
#   tests/containers/stand-ins.sh CACHE_DIRECTORY [trees]
# With `trees` it makes only what needs the network, and speaks to no engine.
set -euo pipefail
cache=$1
part=${2:-all}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
mkdir -p "$cache"

key_of() {
  sha256sum | cut -c1-16
}

# tree NAME PACKAGE…: a root file system with these packages.
tree() {
  local name=$1
  shift
  [[ -e $cache/$name.tree && $(<"$cache/$name.tree") == "$*" ]] && return
  rm -rf "${cache:?}/$name" "$cache/$name".*
  debootstrap --variant=minbase --include="$(IFS=,; echo "$*")" bookworm "$cache/$name" >"$cache/$name.log"
  rm -rf "$cache/$name"/var/cache/apt/* "$cache/$name"/var/lib/apt/lists/* "$cache/$name"/var/log/* "$cache/$name"/usr/share/doc
  echo "$*" >"$cache/$name.tree"
}

# image NAME TAG KEY [CHANGE…]: gives the engine an image of a tree, unless it has the one of this key.
image() {
  local name=$1 tag=$2 key=$3 changes=()
  shift 3
  [[ $part == all ]] || return 0
  key=$(printf '%s\n' "$key" "$@" | cat - "$cache/$name.tree" | key_of)
  [[ $(docker image inspect --format '{{index .Config.Labels "key"}}' "$tag" 2>/dev/null) == "$key" ]] && return
  for change in "LABEL key=$key" "$@"; do changes+=(--change "$change"); done
  tar --directory "$cache/$name" --create . | docker import "${changes[@]}" - "$tag" >/dev/null
}

tree postgres postgresql-15 gosu
install -m 0755 "$here/postgres-entrypoint.sh" "$cache/postgres/usr/local/bin/docker-entrypoint.sh"
mkdir -p "$cache/postgres/docker-entrypoint-initdb.d"
image postgres postgres:15 "$(key_of <"$here/postgres-entrypoint.sh")" \
  'ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' \
  'ENV PGDATA=/var/lib/postgresql/data' 'VOLUME /var/lib/postgresql/data' 'EXPOSE 5432' \
  'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]'

tree redis redis-server
# Like the official image, it answers others without a password.
printf '#!/bin/sh\nexec /usr/bin/redis-server "$@" --protected-mode no\n' >"$cache/redis/usr/local/bin/redis-server"
chmod 0755 "$cache/redis/usr/local/bin/redis-server"
image redis redis:7 'protected-mode no' \
  'USER redis' 'EXPOSE 6379' 'VOLUME /data' 'WORKDIR /data' 'CMD ["redis-server"]'

tree nginx nginx-light curl
if ! grep -q '^nginx:' "$cache/nginx/etc/group"; then
  echo 'nginx:x:101:101::/nonexistent:/usr/sbin/nologin' >>"$cache/nginx/etc/passwd"
  echo 'nginx:x:101:' >>"$cache/nginx/etc/group"
fi
image nginx nginx:1.28 '' 'EXPOSE 80' 'CMD ["nginx", "-g", "daemon off;"]'

# The compiler of this machine, with the sources that Cargo.lock names: nothing is fetched while an image is built.
tree rust gcc libc6-dev binutils make
compiler=$(rustc --verbose --version)
if [[ ! -e $cache/rust.compiler || $(<"$cache/rust.compiler") != "$compiler" ]]; then
  rm -rf "$cache/rust/usr/local/rust" "$cache/rust.compiler"
  mkdir -p "$cache/rust/usr/local/rust"
  cp -a "$(rustc --print sysroot)/." "$cache/rust/usr/local/rust/"
  rm -rf "$cache/rust/usr/local/rust/share"
  echo "$compiler" >"$cache/rust.compiler"
fi
lock=$(key_of <"$root/Cargo.lock")
if [[ ! -e $cache/rust.lock || $(<"$cache/rust.lock") != "$lock" ]]; then
  rm -f "$cache/rust.lock"
  home=$cache/rust/usr/local/cargo-home
  mkdir -p "$home"
  cargo vendor --quiet --locked --versioned-dirs --manifest-path "$root/Cargo.toml" "$home/vendor" >/dev/null
  printf '%s\n' '[source.crates-io]' 'replace-with = "vendor"' '[source.vendor]' \
    'directory = "/usr/local/cargo-home/vendor"' >"$home/config.toml"
  echo "$lock" >"$cache/rust.lock"
fi
image rust rust:1.95-bookworm "$compiler $lock" \
  'ENV PATH=/usr/local/rust/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' \
  'ENV CARGO_HOME=/usr/local/cargo-home' 'ENV CARGO_NET_OFFLINE=true'
