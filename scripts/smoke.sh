#!/usr/bin/env bash
# Checks from outside that a running CloudMeet works; needs nothing but curl.
#   scripts/smoke.sh [BASE_URL]               makes an account and a room, says something there and reads it back
#   scripts/smoke.sh --read-only [BASE_URL]   changes nothing: for a system that people use
# BASE_URL (http://localhost) is the frontend's. The first form also asks the other services at GATEWAY_URL, AUTH_URL and
# CONFERENCE_URL; unset, they are where docker-compose.yml publishes them. Both wait TIMEOUT_S (60) seconds for a system
# that is starting. AS_HOST is the name to ask for where it is not BASE_URL's: the name in PUBLIC_URL, which alone is answered.
set -euo pipefail

read_only=no
if [[ ${1:-} == --read-only ]]; then
  read_only=yes
  shift
fi
base=${1:-http://localhost}
base=${base%/}
timeout_s=${TIMEOUT_S:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "smoke: $1" >&2
  exit 1
}

# call METHOD URL [JSON]: leaves what was answered in $status (000 for no answer), $kind and $body.
call() {
  local options=(--silent --show-error --max-time 10 --request "$1" --output "$work/body" --write-out '%{http_code} %{content_type}')
  if [[ -n ${AS_HOST:-} ]]; then options+=(--header "Host: $AS_HOST"); fi
  # Tokens and passwords come from files: whoever lists processes reads command lines.
  if [[ -e $work/authorization ]]; then options+=(--header "@$work/authorization"); fi
  if (($# > 2)); then options+=(--header "Content-Type: application/json" --data-binary @-); fi
  : >"$work/body"
  read -r status kind < <(curl "${options[@]}" "$2" <<<"${3:-}" 2>"$work/error" || true) || true
  body=$(<"$work/body")
}

# answers STATUS TEXT METHOD URL [JSON]: whether a call is answered like this.
answers() {
  local wanted=$1 text=$2
  shift 2
  call "$@"
  [[ $status == "$wanted" && "$kind $body" == *"$text"* ]]
}

# wrong WHAT STATUS TEXT METHOD URL…: ends with what was answered instead.
wrong() {
  local got="answered $status ${body:0:300}"
  if [[ $status == 000 ]]; then got="gave no answer: $(<"$work/error")"; fi
  fail "$1: $4 $5 $got (wanted $2${3:+ with $3})"
}

# expect WHAT STATUS TEXT METHOD URL [JSON]
expect() {
  answers "${@:2}" || wrong "$@"
  echo "ok: $1"
}

# await WHAT STATUS TEXT METHOD URL [JSON]: the same, with patience for what is not there yet; for calls that change nothing.
await() {
  until answers "${@:2}"; do
    if [[ ! $status =~ ^(000|502|503|504)$ ]] || ((SECONDS >= timeout_s)); then wrong "$@"; fi
    sleep 0.5
  done
  echo "ok: $1"
}

await "the frontend is healthy" 200 '"service":"frontend"' GET "$base/health"
if [[ $read_only == no ]]; then
  await "the gateway is healthy" 200 '"service":"gateway"' GET "${GATEWAY_URL:-http://localhost:8000}/health"
  await "the auth service is healthy" 200 '"service":"auth-service"' GET "${AUTH_URL:-http://localhost:8001}/health"
  await "the conference service is healthy" 200 '"service":"conference-service"' GET "${CONFERENCE_URL:-http://localhost:8002}/health"
fi
for page in / /rooms; do
  await "the page $page is served" 200 "<!doctype html>" GET "$base$page"
done
await "the API asks who is there" 401 'application/problem+json' GET "$base/api/rooms"
await "a wrong password is refused" 401 'application/problem+json' POST "$base/api/auth/login" \
  '{"email": "nobody@smoke.example", "password": "not-a-password-of-anybody"}'
if [[ $read_only == yes ]]; then exit; fi

random=$(od -An -tx1 -N12 /dev/urandom | tr -d ' \n')
email=smoke-$random@example.org
expect "an account is made" 201 "$email" POST "$base/api/auth/register" \
  "{\"email\": \"$email\", \"display_name\": \"Smoke test\", \"password\": \"password-$random\"}"
expect "it signs in" 200 '"access_token"' POST "$base/api/auth/login" "{\"email\": \"$email\", \"password\": \"password-$random\"}"
[[ $body =~ \"access_token\":\ *\"([^\"]+)\" ]] || fail "no access token in the answer"
printf 'Authorization: Bearer %s\n' "${BASH_REMATCH[1]}" >"$work/authorization"
expect "a room is made" 201 '"id"' POST "$base/api/rooms" '{"name": "Smoke test"}'
[[ $body =~ \"id\":\ *([0-9]+) ]] || fail "no room's id in $body"
room=$base/api/rooms/${BASH_REMATCH[1]}
expect "the room is joined" 200 '"participant_id"' POST "$room/join"
expect "something is said" 201 "hello $random" POST "$room/messages" "{\"content\": \"hello $random\"}"
expect "it is read back" 200 "hello $random" GET "$room/messages"
