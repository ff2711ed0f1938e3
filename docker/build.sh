#!/usr/bin/env bash
# Builds the server as one static binary and lays out what an image holds.
#   docker/build.sh DIRECTORY
set -euo pipefail
out=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
docker/cargo-static.sh build --profile dist --locked --package cloudmeet-api-server
binary=${CARGO_TARGET_DIR:-target}/$(rustc -vV | sed -n 's/^host: //p')/dist/cloudmeet-api-server
if readelf --program-headers "$binary" | grep --quiet INTERP; then
  echo "$binary is not static" >&2
  exit 1
fi
mkdir -p "$out/image/data" "$out/html"
install -m 0755 "$binary" "$out/image/cloudmeet-api-server"
"$out/image/cloudmeet-api-server" web-ui "$out/html"
