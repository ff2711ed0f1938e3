#!/usr/bin/env bash
# Runs Cargo so that what it builds is one static binary each: cargo-static.sh build --profile dist …
# They lie in the target directory under the name of the target, as for a cross build.
set -euo pipefail
if [[ -n ${RUSTFLAGS-} ]]; then
  echo "RUSTFLAGS is set: Cargo would take it in the place of the flag that links statically" >&2
  exit 2
fi
target=$(rustc -vV | sed -n 's/^host: //p')
# Naming the target keeps the flags away from build scripts and procedural macros, which cannot be static. Packed, what is
# to be relocated takes a thirtieth of its room (glibc 2.36 or newer reads it so).
export "CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")_RUSTFLAGS=-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
command=$1
shift
exec "${CARGO:-cargo}" "$command" --target "$target" "$@"
