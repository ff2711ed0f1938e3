#!/usr/bin/env bash
# Makes an image FROM scratch with one layer, without a container engine.
#   tests/kubernetes/node/mkimage.sh NAME:TAG OUT.tar FILE_OR_DIRECTORY…
# Files go to /, and so does what is in a directory. CONFIG is the image's configuration (a JSON object: Entrypoint, Env,
# User); without it the first file is the entry point, and UID_GID sets the user (0:0).
set -euo pipefail
name=$1
out=$(realpath -m "$2")
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
blobs=$work/oci/blobs/sha256
mkdir -p "$work/root" "$blobs"
for given; do
  if [[ -d $given ]]; then cp -a -- "$given/." "$work/root/"; else cp -- "$given" "$work/root/"; fi
done

# blob FILE: stores it and prints its digest and size.
blob() {
  local digest size
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  size=$(stat -c %s "$1")
  mv "$1" "$blobs/$digest"
  echo "$digest $size"
}

arch=$(uname -m)
case $arch in
  x86_64) arch=amd64 ;;
  aarch64) arch=arm64 ;;
esac
kind=application/vnd.oci.image
tar -C "$work/root" --owner=0 --group=0 --mtime=@0 --sort=name -cf "$work/layer" .
read -r layer layer_size < <(blob "$work/layer")
: "${CONFIG:={\"Entrypoint\":[\"/$(basename "$1")\"],\"User\":\"${UID_GID:-0:0}\"\}}"
cat >"$work/config" <<J
{"architecture":"$arch","os":"linux","config":$CONFIG,
 "rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
J
read -r config config_size < <(blob "$work/config")
cat >"$work/manifest" <<J
{"schemaVersion":2,"mediaType":"$kind.manifest.v1+json",
 "config":{"mediaType":"$kind.config.v1+json","digest":"sha256:$config","size":$config_size},
 "layers":[{"mediaType":"$kind.layer.v1.tar","digest":"sha256:$layer","size":$layer_size}]}
J
read -r manifest manifest_size < <(blob "$work/manifest")
cat >"$work/oci/index.json" <<J
{"schemaVersion":2,"manifests":[
 {"mediaType":"$kind.manifest.v1+json","digest":"sha256:$manifest","size":$manifest_size,
  "annotations":{"io.containerd.image.name":"$name","org.opencontainers.image.ref.name":"${name##*:}"}}]}
J
echo '{"imageLayoutVersion":"1.0.0"}' >"$work/oci/oci-layout"
tar -C "$work/oci" -cf "$out" .
