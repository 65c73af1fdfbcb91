#!/usr/bin/env bash
#
# Prints the path of Gitea's runner, whose `exec` runs workflows on this machine without a server.
#
#   runner=$(bash scripts/gitea-runner.sh)
#
# It is built once, about two minutes, from the Go module proxy into ~/.cache/dev-container-cache; scripts/go.sh says with which Go.
set -euo pipefail
# shellcheck source=scripts/go.sh
. "$(dirname "${BASH_SOURCE[0]}")/go.sh"

readonly version=v1.0.8 module=gitea.com/gitea/runner
readonly cache=${packages%/*}/gitea-runner
readonly program=$cache/gitea-runner-$version

# A module of our own around it: `go install` refuses one that replaces others, and leaves out what it replaces them with.
compile() {
  cd "$1/module"
  go mod init example.test/gitea-runner
  go get "$module@$version"
  go build -mod=mod -ldflags "-s -w -X $module/internal/pkg/ver.version=$version" -o "$1/gitea-runner" "$module"
}

build() {
  local -r work=$cache/work
  rm -rf "$work"
  mkdir -p "$work/module"
  trap 'rm -rf "$cache/work"' EXIT
  use_go "$work"
  build_with "$work/log" "Gitea's runner $version with $(go env GOVERSION)" compile "$work"
  mv "$work/gitea-runner" "$program"
}

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
[[ -x $program ]] || build
echo "$program"
