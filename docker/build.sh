#!/usr/bin/env bash
# Builds the server as one static binary and lays out what an image holds.
#   docker/build.sh DIRECTORY
set -euo pipefail
out=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
# Naming the target keeps the flag away from build scripts and procedural macros, which cannot be static.
export "CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")_RUSTFLAGS=-C target-feature=+crt-static"
cargo build --profile dist --locked --package cloudmeet-api-server --target "$target"
binary=${CARGO_TARGET_DIR:-target}/$target/dist/cloudmeet-api-server
if readelf --program-headers "$binary" | grep --quiet INTERP; then
  echo "$binary is not static" >&2
  exit 1
fi
mkdir -p "$out/image/data" "$out/html"
install -m 0755 "$binary" "$out/image/cloudmeet-api-server"
"$out/image/cloudmeet-api-server" web-ui "$out/html"
