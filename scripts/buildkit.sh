#!/usr/bin/env bash
#
# An image with BuildKit's daemon for the end-to-end tests of builders, without Docker Hub.
#
#   bash scripts/buildkit.sh IMAGE   makes it and pushes it there
#
# The daemon, and the client that buildx starts beside it, are built once from the Go module proxy into ~/.cache/dev-container-cache: two to three minutes on two
# cores; scripts/go.sh says with which Go. runc is the machine's own, else Debian's or Ubuntu's package.
set -euo pipefail
# shellcheck source=scripts/go.sh
. "$(dirname "${BASH_SOURCE[0]}")/go.sh"

readonly image=$1 version=v0.26.3
readonly cache=${packages%/*}/buildkit
readonly programs=$cache/$version

readonly module=github.com/moby/buildkit

# A module of our own around it: `go install` refuses one that excludes others.
compile() {
  cd "$1/module"
  go mod init example.test/buildkit
  go get "$module@$version"
  go build -mod=mod -ldflags "-s -w -X $module/version.Version=$version" -o "$1/bin/" "$module/cmd/buildkitd" "$module/cmd/buildctl"
}

build() {
  local -r into=$cache/work
  rm -rf "$into"
  mkdir -p "$into/module"
  use_go "$into"
  build_with "$into/log" "BuildKit $version with $(go env GOVERSION)" compile "$into"
  mv "$into/bin" "$programs"
  rm -rf "$into"
}

find_runc() {
  command -v runc || command -v /usr/sbin/runc && return
  command -v apt-get >/dev/null || die "There is no runc here, and no apt to get it with: install runc."
  fetch runc
  echo "$(set_folder runc)/usr/sbin/runc"
}

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
[[ -d $programs ]] || build
flock --unlock 8

runc=$(find_runc)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readonly root=$work/root
mkdir -p "$root"/{usr/bin,tmp,run,etc}
cp "$programs"/{buildkitd,buildctl} "$runc" "$root/usr/bin/"
# runc's libraries, where it looks for them.
while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done < <(ldd "$runc" | grep -o '/[^ ]*')
printf '%s\n' 'FROM scratch' 'COPY . /' 'ENTRYPOINT ["buildkitd"]' >"$work/Dockerfile"
docker buildx build --quiet --provenance=false --file "$work/Dockerfile" --tag "$image" --push "$root" >/dev/null
