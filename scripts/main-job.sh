#!/usr/bin/env bash
#
# The main job, for real and step by step: the action's bundle in dist/ against the sample dev container, a local registry and a Docker engine.
#
#   bash scripts/main-job.sh
#
# Miss, build and push; hit; hit from another checkout; a changed file; a base that moves under its tag. Each `result` is checked. At the end the
# image is pulled by its digest and run for both platforms. Needs Node 20.18 or newer; what else it takes, and from where, stands in scripts/services.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

# The services first: they start this script once more, with a registry.
[[ -n ${TEST_REGISTRY-} ]] || exec bash "$here/services.sh" run -- bash "$here/main-job.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/main-job.XXXXXX")
readonly work
trap 'rm -rf "$work"' EXIT
readonly bundle=$here/../dist/index.js
readonly cache_repo=$TEST_REGISTRY/team/app/devcontainer

# shellcheck source=scripts/steps.sh
. "$here/steps.sh"

fail() {
  printf 'main-job: %s\n' "$*" >&2
  exit 1
}

# A checkout of the sample, as actions/checkout leaves one.
check_out() {
  cp -R "$here/../test/fixtures/sample" "$1"
  command -v git >/dev/null || return 0
  git -C "$1" init --quiet --initial-branch main
  git -C "$1" add .
  git -C "$1" -c user.name=sample -c user.email=sample@example.com commit --quiet --message "The sample"
}

# The outputs of a step as a runner reads them: `name<<delimiter`, lines, `delimiter`.
read_outputs() {
  awk '
    delimiter == "" && (at = index($0, "<<")) { name = substr($0, 1, at - 1); delimiter = substr($0, at + 2); value = ""; next }
    $0 == delimiter { print name "=" value; delimiter = ""; next }
    { value = value (value == "" ? "" : "\\n") $0 }' "$work/output"
}

# Runs the action as a runner does and checks its result: act CHECKOUT EXPECTED [INPUT=VALUE…]
act() {
  local -r checkout=$1 expected=$2
  local input environment=() name code=0
  for input in "cache-repo=$cache_repo" "platforms=linux/amd64,linux/arm64" "${@:3}"; do
    name=${input%%=*}
    environment+=("INPUT_${name^^}=${input#*=}")
  done
  for name in DOCKER_HOST DOCKER_CONFIG DOCKER_CONTEXT BUILDX_CONFIG BUILDX_BUILDER; do
    [[ -z ${!name-} ]] || environment+=("$name=${!name}")
  done
  mkdir -p "$work/temp"
  : >"$work/output"
  : >"$work/summary"
  echo '{"repository":{"default_branch":"main"}}' >"$work/event.json"
  env -i "PATH=$PATH" "HOME=$HOME" "SAMPLE_BASE=$base" "RUNNER_TEMP=$work/temp" \
    GITHUB_ACTIONS=true "GITHUB_WORKSPACE=$checkout" "GITHUB_OUTPUT=$work/output" "GITHUB_STEP_SUMMARY=$work/summary" \
    GITHUB_EVENT_NAME=push "GITHUB_EVENT_PATH=$work/event.json" GITHUB_REF=refs/heads/main GITHUB_REF_NAME=main GITHUB_REF_TYPE=branch \
    "${environment[@]}" node "$bundle" >"$work/log" 2>&1 || code=$?
  # The runner's own marks, in words for a terminal.
  sed -E -e '/^::endgroup::/d' -e 's/^::group::/> /' -e 's/^::(error|warning|notice)[^:]*::/\1: /' -e 's/%0A/\n/g' -e 's/^/  | /' "$work/log"
  read_outputs | awk -F = '{ value = substr($0, length($1) + 2) } value != "" { if (length(value) > 150) value = substr(value, 1, 149) "…"; printf "  %s: %s\n", $1, value }'
  result=$(read_outputs | sed -n 's/^result=//p')
  image=$(read_outputs | sed -n 's/^image=//p')
  [[ $result == "$expected" ]] || fail "the result is '$result' (exit $code), expected was '$expected'"
  ((code == 0)) || fail "the exit code is $code"
}

# Pulls by digest and runs in both platforms.
try_image() {
  local pair said
  for pair in amd64=x86_64 arm64=aarch64; do
    docker pull --quiet --platform "linux/${pair%=*}" "$1" >/dev/null
    said=$(docker run --rm --network none --platform "linux/${pair%=*}" "$1" sh -c 'echo "$(sample-greet), user $(id -un)"' 2>"$work/log") ||
      fail "$(cat "$work/log")"
    echo "  linux/${pair%=*}: $said"
    [[ $said == *" from ${pair#*=}, user dev" ]] || fail "the image of linux/${pair%=*} says '$said'"
    # Docker's classic image store keeps one platform of a digest.
    docker image rm --force "$1" >/dev/null 2>&1 || true
  done
}

# What the base image's tag names: move_base VERSION
move_base() { node "$here/base-image.mjs" "{\"version\":\"$1\"}" >/dev/null; }

[[ -f $bundle ]] || fail "there is no dist/index.js: npm ci && npm run build"
readonly base=$TEST_REGISTRY/base/busybox:1
move_base 1
check_out "$work/first"

title "1. Nothing is there: a miss, built for two platforms and pushed"
act "$work/first" built
readonly first=$image

title "2. The same again: a hit"
act "$work/first" hit
[[ $image == "$first" ]] || fail "the hit is $image, built was $first"

title "3. Another checkout of the same commit, at another path: a hit"
check_out "$work/elsewhere"
act "$work/elsewhere" hit
[[ $image == "$first" ]] || fail "the hit is $image, built was $first"

title "4. A copied script changed: a miss that says so, and a build"
sed -i 's/ from / here, from /' "$work/first/.devcontainer/make-greet.sh"
act "$work/first" built
[[ $image != "$first" ]] || fail "the changed file is not in the image"
grep -q 'make-greet.sh' "$work/log" || fail "the changed file is not named"

title "5. The base's tag moves. A pull request's check (on-drift: use) takes the last good image"
readonly before=$image
move_base 2
act "$work/first" stale on-drift=use
[[ $image == "$before" ]] || fail "the last good image is $before"

title "6. The same on the main branch (on-drift: build): built on the new base"
act "$work/first" built
[[ $image != "$before" ]] || fail "the moved base made no difference"

title "7. And again: a hit. Pulled by its digest and run, for both platforms"
act "$work/first" hit
try_image "$image"

title "The main job went as the README says."
