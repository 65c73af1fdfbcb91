#!/usr/bin/env bash
#
# The main job, for real and step by step: the action's bundle in dist/ against the sample dev container, a local registry and a Docker engine.
#
#   bash scripts/main-job.sh
#
# Miss, build and push; hit; hit from another checkout; a changed file; a base that moves under its tag. Each `result` is checked. At the end the
# image is pulled by its digest and run for both platforms. What is shown of a step is the short of it: its log, outputs and summary are in build/main-job/.
# Needs Node 20.18.1 or newer; what else it takes, and from where, stands in scripts/services.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

# shellcheck source=scripts/steps.sh
. "$here/steps.sh"
# shellcheck source=scripts/node.sh
. "$here/node.sh"

readonly bundle=$here/../dist/index.js
need_node node
[[ -f $bundle ]] || die "There is no dist/index.js: npm ci && npm run build."

# Then the services: they start this script once more, with a registry.
[[ -n ${TEST_REGISTRY-} ]] || exec bash "$here/services.sh" run -- bash "$here/main-job.sh"

have_temporary_room "${TMPDIR:-/tmp}" 50
work=$(mktemp -d "${TMPDIR:-/tmp}/main-job.XXXXXX")
readonly work
trap 'rm -rf "$work"' EXIT
readonly cache_repo=$TEST_REGISTRY/team/app/devcontainer
# Kept until the next run, for whoever wants to read more.
readonly kept=build/main-job
cd "$here/.."
said=$(rm -rf "$kept" 2>&1) || die "The folder $PWD/$kept of an earlier run cannot be removed by $(id -un) (${said##*: })."
have_room "$PWD/$kept" 10 "work in a clone of your own"

# The step that runs.
number=0

begin() {
  ((number += 1))
  title "$number. $1"
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
    { value = value (value == "" ? "" : "\\n") $0 }' "$1"
}

output() { sed -n "s/^$1=//p" "$step/outputs"; }

# A log with the runner's own marks in words for a terminal.
read_log() { sed -E -e '/^::endgroup::/d' -e 's/^::group::/> /' -e 's/^::(error|warning|notice)[^:]*::/\1: /' -e 's/%0A/\n/g' "$1"; }

# The short of a step: the verdict, the image, why it was built or is stale, warnings, how long what took.
# shellcheck disable=SC2016 # it is JavaScript that expands it
tell() {
  echo "  result:  $result"
  echo "  image:   $image"
  node -p 'JSON.parse(process.argv[1]).map(({ text }) => `  because: ${text}`).join("\n")' "$(output miss-reasons)" | sed '/^$/d'
  sed -nE 's/^(error|warning): /  \1: /p' "$step/log"
  node -p '
    const { total, probe, requests, build = {} } = JSON.parse(process.argv[1]);
    const parts = Object.entries({ [`to look, ${requests} requests`]: probe, ...build });
    `  time:    ${total} s (${parts.map(([what, seconds]) => `${what}: ${seconds} s`).join("; ")})`' "$(output timings)"
  echo "  more:    $step/"
}

# Runs the action as a runner does and checks its result: act CHECKOUT EXPECTED [INPUT=VALUE…]
act() {
  local -r checkout=$1 expected=$2
  local input environment=() name code=0
  step=$kept/$number
  for input in "cache-repo=$cache_repo" "platforms=linux/amd64,linux/arm64" "${@:3}"; do
    name=${input%%=*}
    environment+=("INPUT_${name^^}=${input#*=}")
  done
  for name in DOCKER_HOST DOCKER_CONFIG DOCKER_CONTEXT BUILDX_CONFIG BUILDX_BUILDER; do
    [[ -z ${!name-} ]] || environment+=("$name=${!name}")
  done
  mkdir -p "$work/temp" "$step"
  : >"$work/output"
  : >"$step/summary.md"
  echo '{"repository":{"default_branch":"main"}}' >"$work/event.json"
  env -i "PATH=$PATH" "HOME=${HOME:-$work}" "SAMPLE_BASE=$base" "RUNNER_TEMP=$work/temp" \
    GITHUB_ACTIONS=true "GITHUB_WORKSPACE=$checkout" "GITHUB_OUTPUT=$work/output" "GITHUB_STEP_SUMMARY=$PWD/$step/summary.md" \
    GITHUB_EVENT_NAME=push "GITHUB_EVENT_PATH=$work/event.json" GITHUB_REF=refs/heads/main GITHUB_REF_NAME=main GITHUB_REF_TYPE=branch \
    "${environment[@]}" node "$bundle" >"$work/log" 2>&1 || code=$?
  read_log "$work/log" >"$step/log"
  read_outputs "$work/output" >"$step/outputs"
  result=$(output result)
  image=$(output image)
  if [[ $result != "$expected" ]] || ((code != 0)); then
    sed 's/^/  | /' "$step/log"
    die "The result is '$result' (exit code $code), expected was '$expected'."
  fi
  tell
}

# Pulls by digest and runs in both platforms.
try_image() {
  local pair said
  for pair in amd64=x86_64 arm64=aarch64; do
    docker pull --quiet --platform "linux/${pair%=*}" "$1" >/dev/null
    said=$(docker run --rm --network none --platform "linux/${pair%=*}" "$1" sh -c 'echo "$(sample-greet), user $(id -un)"' 2>"$work/log") ||
      die "$(cat "$work/log")"
    echo "  linux/${pair%=*}: $said"
    [[ $said == *" from ${pair#*=}, user dev" ]] || die "The image of linux/${pair%=*} says '$said'."
    # Docker's classic image store keeps one platform of a digest.
    docker image rm --force "$1" >/dev/null 2>&1 || true
  done
}

# What the base image's tag names: move_base VERSION
move_base() { node "$here/base-image.mjs" "{\"version\":\"$1\"}" >/dev/null; }

readonly base=$TEST_REGISTRY/base/busybox:1
move_base 1
check_out "$work/first"

begin "Nothing is there: a miss, built for two platforms and pushed"
act "$work/first" built
readonly first=$image

begin "The same again: a hit"
act "$work/first" hit
[[ $image == "$first" ]] || die "The hit is $image, built was $first."

begin "Another checkout of the same commit, at another path: a hit"
check_out "$work/elsewhere"
act "$work/elsewhere" hit
[[ $image == "$first" ]] || die "The hit is $image, built was $first."

begin "A copied script changed: a miss that says so, and a build"
sed -i 's/ from / here, from /' "$work/first/.devcontainer/make-greet.sh"
act "$work/first" built
[[ $image != "$first" ]] || die "The changed file is not in the image."
grep -q 'make-greet.sh' "$step/log" || die "The changed file is not named."

begin "The base's tag moves. A pull request's check (on-drift: use) takes the last good image"
readonly before=$image
move_base 2
act "$work/first" stale on-drift=use
[[ $image == "$before" ]] || die "The last good image is $before."

begin "The same on the main branch (on-drift: build): built on the new base"
act "$work/first" built
[[ $image != "$before" ]] || die "The moved base made no difference."

begin "And again: a hit. Pulled by its digest and run, for both platforms"
act "$work/first" hit
try_image "$image"

title "The main job went as the README says. All of it: $kept/"
