#!/usr/bin/env bash
#
# Prints the path of nektos/act, which runs workflows on this machine.
#
#   act=$(bash scripts/act.sh)
#
# One that is installed is taken, from 0.2.81 on, which knows actions for Node 24. Otherwise act is built once, about two minutes, from the Go module proxy
# into ~/.cache/dev-container-cache; scripts/go.sh says with which Go.
set -euo pipefail
# shellcheck source=scripts/go.sh
. "$(dirname "${BASH_SOURCE[0]}")/go.sh"

readonly version=v0.2.89
readonly cache=${packages%/*}/act
readonly program=$cache/act-$version

build() {
  local -r work=$cache/work
  rm -rf "$work"
  mkdir -p "$work"
  trap 'rm -rf "$cache/work"' EXIT
  use_go "$work"
  build_with "$work/log" "act $version with $(go env GOVERSION)" go install -ldflags='-s -w' "github.com/nektos/act@$version"
  mv "$work/bin/act" "$program"
}

installed() {
  local said
  said=$(act --version 2>/dev/null) && [[ $said == "act version "* ]] && at_least "${said##* }" 0.2.81 && command -v act
}

if installed; then exit; fi
mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
[[ -x $program ]] || build
echo "$program"
