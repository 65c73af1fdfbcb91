#!/usr/bin/env bash
#
# Prints the folder of a Gitea server: the program `gitea`, and beside it what it draws its pages with.
#
#   folder=$(bash scripts/gitea.sh)
#
# It is built once from the Go module proxy into ~/.cache/dev-container-cache, without the scripts and styles of its pages; scripts/go.sh says with
# which Go. That is eight minutes on a machine that does little else, so no part of what a change has to pass: `npm run test:server`.
set -euo pipefail
# shellcheck source=scripts/go.sh
. "$(dirname "${BASH_SOURCE[0]}")/go.sh"

readonly version=1.27.3
readonly cache=${packages%/*}/gitea
readonly folder=$cache/gitea-$version

# The proxy serves these two under the names that they had before; what is in them is what Gitea's go.sum says (`expect_sum`).
readonly renamed=(
  'gitea.dev/actions-proto-go v0.6.0 code.gitea.io/actions-proto-go'
  'gitea.dev/sdk v1.1.0 code.gitea.io/sdk'
)

# Where the proxy's files of a module lie: fetch_module NAME VERSION
fetch_module() { go mod download -json "$1@$2" | sed -nE 's/^\s*"Dir": "(.*)",?$/\1/p'; }

# Compares the files of a folder with what go.sum says of a module: expect_sum FOLDER NAME VERSION
# https://go.dev/ref/mod#go-sum-files, https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1
expect_sum() {
  local -r sum=h1:$(cd "$1" && find . -type f -printf '%P\n' | LC_ALL=C sort |
    while IFS= read -r file; do printf '%s  %s@%s/%s\n' "$(sha256sum <"$file" | cut -d ' ' -f 1)" "$2" "$3" "$file"; done |
    openssl dgst -sha256 -binary | base64)
  grep -qxF "$2 $3 $sum" go.sum || die "What the proxy serves as $2 $3 is not what Gitea's go.sum says."
}

compile() {
  local source name old at line
  # Its own sum is looked up by go, in the checksum database.
  source=$(fetch_module code.gitea.io/gitea "v$version")
  cp -r "$source/." "$1"
  chmod -R u+w "$1"
  cd "$1"
  export GONOSUMDB=code.gitea.io/sdk,code.gitea.io/actions-proto-go
  for line in "${renamed[@]}"; do
    read -r name at old <<<"$line"
    source=$(cd / && fetch_module "$old" "$at")
    expect_sum "$source" "$name" "$at"
    go mod edit -replace "$name=$source"
  done
  go build -mod=mod -ldflags "-s -w -X main.Version=$version" -o gitea .
}

build() {
  local -r work=$cache/work
  rm -rf "$work"
  mkdir -p "$work/module" "$work/made"
  trap 'rm -rf "$cache/work"' EXIT
  use_go "$work"
  build_with "$work/log" "Gitea $version with $(go env GOVERSION)" compile "$work/module"
  mv "$work/module"/{gitea,templates,options,public} "$work/made/"
  mv "$work/made" "$folder"
}

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
[[ -x $folder/gitea ]] || build
echo "$folder"
