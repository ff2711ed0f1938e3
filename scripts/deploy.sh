#!/usr/bin/env bash
# Brings the stack on this Swarm manager to the images of one commit, checks that it works, and goes back to what ran
# before if it does not. Ends with 0 only when the new images serve.
#   scripts/deploy.sh     settings from the environment
#   scripts/deploy.sh -   and as lines NAME=value from standard input, where no list of processes shows them
# Needed: DOCKER_USERNAME, IMAGE_TAG, JWT_SECRET_KEY, POSTGRES_PASSWORD. Also known: DOCKER_PASSWORD (to pull from a private
# repository), PUBLIC_URL, REGISTRATION, STACK (cloudmeet), CHECK_URL (http://127.0.0.1, where this machine has the frontend),
# DEPLOY_TIMEOUT_S (600), ROLLBACK_TIMEOUT_S (600).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

settings=(DOCKER_USERNAME DOCKER_PASSWORD IMAGE_TAG JWT_SECRET_KEY POSTGRES_PASSWORD PUBLIC_URL REGISTRATION)
settings+=(STACK CHECK_URL DEPLOY_TIMEOUT_S ROLLBACK_TIMEOUT_S)
if [[ ${1:-} == - ]]; then
  while IFS= read -r line; do
    name=${line%%=*}
    # Nothing else: a stray PATH would be obeyed, too.
    if [[ " ${settings[*]} " != *" $name "* ]]; then
      echo "deploy: $name is not a setting" >&2
      exit 2
    fi
    export "$name=${line#*=}"
  done
fi
for name in DOCKER_USERNAME IMAGE_TAG JWT_SECRET_KEY POSTGRES_PASSWORD; do
  if [[ -z ${!name:-} ]]; then
    echo "deploy: $name is not set" >&2
    exit 2
  fi
done
stack=${STACK:-cloudmeet}
public_url=${PUBLIC_URL:-http://localhost}
poll_s=2

# Credentials are not left behind on the machine; Swarm keeps what its nodes need to pull.
if [[ -n ${DOCKER_PASSWORD:-} ]]; then
  DOCKER_CONFIG=$(mktemp -d)
  export DOCKER_CONFIG
  trap 'rm -rf "$DOCKER_CONFIG"' EXIT
  docker login --username "$DOCKER_USERNAME" --password-stdin <<<"$DOCKER_PASSWORD"
fi

# What `look` finds, by service: running and wanted tasks (`2/2`), the number of its last change, what its update is at, the
# image it is to have, the images of its tasks; images without the digest that Swarm adds.
declare -A replicas version update image running

look() {
  local name number state value
  replicas=() version=() update=() image=() running=()
  while read -r name value _; do
    replicas[$name]=$value
  done < <(docker stack services --format '{{.Name}} {{.Replicas}}' "$stack" 2>/dev/null)
  if ((${#replicas[@]} == 0)); then return; fi
  local spec='{{.Spec.Name}} {{.Version.Index}} {{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}none{{end}}'
  while read -r name number state value; do
    version[$name]=$number update[$name]=$state image[$name]=${value%@*}
  done < <(docker service inspect --format "$spec {{.Spec.TaskTemplate.ContainerSpec.Image}}" "${!replicas[@]}")
  while read -r value name; do
    # A name ends with the number of the task, and an older one of the same number is set off.
    name=${name##* }
    name=${name%.*} value=${value%@*}
    if [[ " ${running[$name]:-} " != *" $value "* ]]; then running[$name]="${running[$name]:+${running[$name]} }$value"; fi
  done < <(docker service ps --no-trunc --filter desired-state=running --format '{{.Image}} {{.Name}}' "${!replicas[@]}")
}

# state SERVICE STATE: `settled`, `moving`, or how Swarm gave up; STATE is that of an update which is as good as completed.
state() {
  case ${update[$1]:-} in
    '' | updating | rollback_started) echo moving ;;
    none | completed | "$2")
      # Right after the deployment all is quiet and the tasks are still the old ones: what runs must have the image, too.
      local count=${replicas[$1]}
      if [[ ${count%%/*} == "${count##*/}" && $count != 0/* && ${running[$1]:-} == "${image[$1]}" ]]; then
        echo settled
      else
        echo moving
      fi
      ;;
    *) echo "${update[$1]}" ;;
  esac
}

# await_settled SECONDS [STATE]: waits until every service serves what it is to serve.
await_settled() {
  local until=$((SECONDS + $1)) accepted=${2:-completed} quiet=0 report before=
  while :; do
    look
    report=
    local name now all=yes
    for name in "${!replicas[@]}"; do
      now=$(state "$name" "$accepted")
      report+=" ${name#"${stack}_"}=${replicas[$name]},$now"
      if [[ $now == settled ]]; then continue; fi
      all=no
      if [[ $now != moving ]]; then
        echo "deploy: $name: Swarm gave up ($now)" >&2
        return 1
      fi
    done
    if [[ $report != "$before" ]]; then echo "deploy:$report"; fi
    before=$report
    # Twice in a row: an update that changes no image is quiet for a moment before it begins.
    if [[ $all == yes && -n $report ]]; then quiet=$((quiet + 1)); else quiet=0; fi
    if ((quiet == 2)); then return; fi
    if ((SECONDS >= until)); then
      echo "deploy: not settled after $1 s:$report" >&2
      return 1
    fi
    sleep "$poll_s"
  done
}

# Why tasks failed. Not what services log: that is for the operator, and a log of CI may be public.
show_failures() {
  docker stack ps --no-trunc --format '{{if .Error}}{{.Name}}: {{.CurrentState}}: {{.Error}}{{end}}' "$stack" | sed '/^$/d' >&2 || true
}

declare -A version_before=() image_before=()

roll_back() {
  if ((${#version_before[@]} == 0)); then
    echo "deploy: this was the first deployment, there is nothing to go back to" >&2
    return
  fi
  echo "deploy: going back to what ran before" >&2
  local name back=yes
  look
  for name in "${!version_before[@]}"; do
    # One that this deployment did not reach would go back to the one before the last.
    if [[ ${version[$name]:-} == "${version_before[$name]}" ]]; then continue; fi
    # One that Swarm itself takes back would go forward again.
    if [[ ${update[$name]:-} == rollback_* ]]; then continue; fi
    docker service rollback --detach "$name" >/dev/null || back=no
  done
  await_settled "${ROLLBACK_TIMEOUT_S:-600}" rollback_completed || back=no
  for name in "${!image_before[@]}"; do
    if [[ ${image[$name]:-} != "${image_before[$name]}" ]]; then
      echo "deploy: $name is at ${image[$name]:-nothing} instead of ${image_before[$name]}" >&2
      back=no
    fi
  done
  if [[ $back == yes ]]; then
    echo "deploy: what ran before runs again" >&2
  else
    echo "deploy: not everything is back: look after it by hand" >&2
  fi
}

deploy() {
  docker stack deploy --with-registry-auth --compose-file stack-compose.yml "$stack" || return 1
  await_settled "${DEPLOY_TIMEOUT_S:-600}" || return 1
  # Under the public name, since the server answers to no other.
  local name=${public_url#*://}
  AS_HOST=${name%%/*} scripts/smoke.sh --read-only "${CHECK_URL:-http://127.0.0.1}"
}

look
for name in "${!version[@]}"; do
  version_before[$name]=${version[$name]}
  image_before[$name]=${image[$name]}
done
if ! deploy; then
  echo "deploy: $IMAGE_TAG does not work" >&2
  show_failures
  roll_back
  exit 1
fi
echo "deploy: $IMAGE_TAG serves"
