#!/usr/bin/env bash
# Builds the server, `cloudmeet` and the operator, each as one static binary, and lays out what images hold.
#   docker/build.sh DIRECTORY
set -euo pipefail
out=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
docker/cargo-static.sh build --profile dist --locked --package cloudmeet-api-server --package cloudmeet-cli
# By itself: the others would have in them whatever its dependencies ask of theirs.
docker/cargo-static.sh build --profile dist --locked --package cloudmeet-operator
built=${CARGO_TARGET_DIR:-target}/$(rustc -vV | sed -n 's/^host: //p')/dist
mkdir -p "$out/image/data" "$out/html"
for binary in cloudmeet-api-server cloudmeet cloudmeet-operator; do
  if readelf --program-headers "$built/$binary" | grep --quiet INTERP; then
    echo "$built/$binary is not static" >&2
    exit 1
  fi
  install -m 0755 "$built/$binary" "$out/image/$binary"
done
"$out/image/cloudmeet-api-server" web-ui "$out/html"
