#!/usr/bin/env bash
# Builds what runs a one-node Kubernetes: kube (one binary, with a link for each program), coredns and pause.
#   tests/kubernetes/node/build.sh OUT
# OUT appears when all of it is there, and nothing is done where it is. What a cut-off build has made beside it is used by
# the next one, and goes when that is through. Needs go (see go.mod) and gcc; takes a quarter of an hour on two cores.
set -euo pipefail
out=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p "$(dirname "$out")"
exec 9>"$out.lock"
flock 9
if [[ ! -d $out ]]; then
  work=$out.building
  mkdir -p "$work/bin"
  export GOTOOLCHAIN=local CGO_ENABLED=0 GOMODCACHE=$work/modules GOCACHE=$work/cache
  export GOFLAGS="-mod=readonly -modcacherw -trimpath -buildvcs=false -pgo=off"
  version=$(sed -n 's/^\tk8s.io\/kubernetes //p' go.mod)
  flags="-s -w"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
    flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=unknown -X $package.buildDate=1970-01-01T00:00:00Z"
  done
  go build -ldflags "$flags" -o "$work/bin/kube" ./kube
  for program in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
    ln -sf kube "$work/bin/$program"
  done
  go build -ldflags "-s -w" -o "$work/bin/coredns" ./dns
  gcc -Os -static -s -o "$work/bin/pause" pause.c
  [[ $("$work/bin/kubelet" --version) == "Kubernetes $version" ]]
  mv -T "$work/bin" "$out"
  rm -rf "$work"
fi
rm -f "$out.lock"
