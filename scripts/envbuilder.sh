#!/usr/bin/env bash
#
# The real envbuilder as a builder image for the end-to-end tests of its dialect.
#
#   bash scripts/envbuilder.sh IMAGE   makes it and pushes it there
#
# The program is built once from the Go module proxy into ~/.cache/dev-container-cache: six minutes of one core; scripts/go.sh says with which Go. It changes
# the root file system of the container that it runs in, and is never to be run outside of one.
set -euo pipefail
# shellcheck source=scripts/go.sh
. "$(dirname "${BASH_SOURCE[0]}")/go.sh"

readonly image=$1 version=v1.3.0
readonly cache=${packages%/*}/envbuilder
readonly program=$cache/envbuilder-$version

readonly module=github.com/coder/envbuilder

# A module of our own around it, for `go install` refuses one that replaces others; what it replaces is written in its own go.mod.
compile() {
  cd "$1/module"
  go mod init example.test/builder
  go mod edit -go=1.24.10 "-require=$module@$version" \
    -replace=github.com/GoogleContainerTools/kaniko=github.com/coder/kaniko@v0.0.0-20251107135632-b20ff58093d8 \
    -replace=tailscale.com=github.com/coder/tailscale@v1.1.1-0.20250829055706-6eafe0f9199e
  go build -mod=mod -trimpath -ldflags "-s -w -X $module/buildinfo.tag=$version" -o "$1/program" "$module/cmd/envbuilder"
}

build() {
  local -r into=$cache/work
  rm -rf "$into"
  mkdir -p "$into/module"
  use_go "$into"
  build_with "$into/log" "envbuilder $version with $(go env GOVERSION)" compile "$into"
  mv "$into/program" "$program"
  rm -rf "$into"
}

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
[[ -f $program ]] || build
flock --unlock 8

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/.envbuilder/bin"
cp "$program" "$work/root/.envbuilder/bin/envbuilder"
chmod 0755 "$work/root/.envbuilder/bin/envbuilder"
printf '%s\n' 'FROM scratch' 'COPY . /' 'ENV KANIKO_DIR=/.envbuilder' 'ENTRYPOINT ["/.envbuilder/bin/envbuilder"]' >"$work/Dockerfile"
docker buildx build --quiet --provenance=false --file "$work/Dockerfile" --tag "$image" --push "$work/root" >/dev/null
