#!/usr/bin/env bash
# Loads archives of images (mkimage.sh, docker save) into the node's containerd; nothing can be pulled.
#   tests/kubernetes/node/load.sh WORK ARCHIVE…
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
work=$1
shift
for archive; do
  "$here/enter.sh" "$work" ctr -n k8s.io images import "$(realpath "$archive")" >/dev/null
done
