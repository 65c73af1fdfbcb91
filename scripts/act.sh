#!/usr/bin/env bash
#
# Prints the path of nektos/act, which runs workflows on this machine.
#
#   act=$(bash scripts/act.sh)
#
# One that is installed is taken, from 0.2.81 on, which knows actions for Node 24. Otherwise act is built once, about two minutes, from the Go module proxy
# into ~/.cache/dev-container-cache. A Go that is there is used; where there is none, Debian's or Ubuntu's package is unpacked and nothing is installed. One
# that is too old for act first fetches a newer one, which is a module like any other. Go checks all of it against its checksum database.
set -euo pipefail

readonly version=v0.2.89
# The oldest that act's go.mod allows.
readonly go_version=1.25.0
readonly cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/dev-container-cache/act
readonly program=$cache/act-$version

say() { printf 'act: %s\n' "$*" >&2; }

die() {
  say "$1"
  [[ ! -s ${2-} ]] || tail -n 25 "$2" >&2
  exit 1
}

# Debian's Go, unpacked into a folder: its versioned packages, for golang-go itself holds only links.
unpack_go() {
  local -r into=$1
  local package file
  local -r apt=(-o "Dir::State::lists=$into/lists" -o "Dir::Cache=$into/cache" -o APT::Sandbox::User=root)
  command -v apt-get >/dev/null || die "There is neither act nor Go here, and no apt to get Go with: install act or Go."
  say "there is no Go here: unpacking the package golang-go"
  mkdir -p "$into"/{lists,cache/archives}/partial "$into/debs" "$into/root"
  apt-get "${apt[@]}" update >"$into/log" 2>&1 || true
  package=$(apt-cache "${apt[@]}" depends golang-go 2>>"$into/log" | sed -n 's/^ *Depends: \(golang-[0-9.]*\)-go$/\1/p')
  [[ -n $package ]] || die "apt has no package golang-go: install act or Go." "$into/log"
  (cd "$into/debs" && apt-get "${apt[@]}" download "$package-go" "$package-src") >>"$into/log" 2>&1 ||
    die "apt cannot fetch Go." "$into/log"
  for file in "$into"/debs/*.deb; do dpkg -x "$file" "$into/root"; done
  GOROOT=$(echo "$into"/root/usr/lib/go-*)
  export GOROOT PATH=$GOROOT/bin:$PATH
}

# Whether the first version is at least the second.
at_least() { printf '%s\n%s\n' "$2" "$1" | sort --version-sort --check=silent; }

# Go before 1.21 does not know that another toolchain can be fetched: it gets it as the module that it is, whose zip forgets what is executable.
fetch_go() {
  local folder
  folder=$(go mod download -json "golang.org/toolchain@v0.0.1-go$go_version.$(go env GOOS)-$(go env GOARCH)" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [[ -n $folder ]] || die "Go $go_version cannot be fetched from the Go module proxy."
  chmod -R u+x "$folder/bin" "$folder/pkg/tool"
  export GOROOT=$folder PATH=$folder/bin:$PATH
}

build() {
  local -r work=$cache/work
  rm -rf "$work"
  mkdir -p "$work"
  trap 'rm -rf "$cache/work"' EXIT
  export GOPATH=$work/path GOMODCACHE=$work/path/pkg/mod GOCACHE=$work/cache GOBIN=$work/bin GOTOOLCHAIN=auto CGO_ENABLED=0
  # The module cache is read-only unless told otherwise, and could not be removed.
  export GOFLAGS="${GOFLAGS-} -modcacherw"
  command -v go >/dev/null || unpack_go "$work/debian"
  at_least "$(go env GOVERSION | tr -d go)" 1.21 || fetch_go
  say "building act $version with $(go env GOVERSION), once"
  go install -ldflags='-s -w' "github.com/nektos/act@$version" >"$work/log" 2>&1 || die "act cannot be built." "$work/log"
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
