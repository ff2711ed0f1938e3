#!/usr/bin/env bash
# Ends the node: pid 1 of its pid namespace goes, and with it every process, mount and address.
#   tests/kubernetes/node/down.sh WORK
set -euo pipefail
work=$(realpath "$1")
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
if init=$(cat "$work/init.pid" 2>/dev/null) && [[ -d /proc/$init ]]; then
  kill -KILL "$init"
  for _ in $(seq 100); do
    [[ -d /proc/$init ]] || break
    sleep 0.1
  done
fi
rm -f "$work/init.pid"
for root in /sys/fs/cgroup /sys/fs/cgroup/*/; do
  [[ -d $root/$CGROUP ]] || continue
  # A group can be removed once the kernel has done with the last process of it: until then `rmdir` refuses.
  for _ in $(seq 50); do
    find "$root/$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [[ -d $root/$CGROUP ]] || break
    sleep 0.1
  done
  if [[ -d $root/$CGROUP ]]; then
    echo "left: $root/$CGROUP" >&2
    left=1
  fi
done
exit "${left-0}"
