#!/usr/bin/env bash
#
# An image with BuildKit's daemon for the end-to-end tests of builders, without Docker Hub.
#
#   scripts/buildkit.sh IMAGE   makes it and pushes it there; says on standard error what is missing and ends with 3 where it cannot
#
# The daemon and its client are built from their source, which the Go module proxy has; 8 minutes the first time on two cores, kept in a
# cache folder. runc is the machine's own.
set -euo pipefail

readonly image=$1 version=v0.26.3
readonly cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/dev-container-cache/buildkit/$version

missing() { printf 'buildkit: %s\n' "$*" >&2 && exit 3; }

runc=$(command -v runc || command -v /usr/sbin/runc) || missing "there is no runc on this machine"
readonly runc

build() {
  command -v go >/dev/null || missing "there is no Go on this machine"
  local -r work=$cache.$$
  mkdir -p "$work"
  cd "$work"
  {
    go mod init example.test/buildkit
    go get "github.com/moby/buildkit@$version"
    for program in buildkitd buildctl; do
      CGO_ENABLED=0 go build -mod=mod -ldflags "-s -w -X github.com/moby/buildkit/version.Version=$version" \
        -o "$work/$program" "github.com/moby/buildkit/cmd/$program"
    done
  } >"$work/log" 2>&1 || {
    tail -n 5 "$work/log" >&2
    rm -rf "$work"
    missing "BuildKit cannot be built here"
  }
  rm -f "$work/log" "$work/go.mod" "$work/go.sum"
  # Another run may have been faster.
  mv -T "$work" "$cache" 2>/dev/null || rm -rf "$work"
}

[[ -d $cache ]] || build

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readonly root=$work/root
mkdir -p "$root"/{usr/bin,tmp,run,etc}
cp "$cache"/{buildkitd,buildctl} "$runc" "$root/usr/bin/"
# runc's libraries, where it looks for them.
while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done < <(ldd "$runc" | grep -o '/[^ ]*')
printf '%s\n' 'FROM scratch' 'COPY . /' 'ENTRYPOINT ["buildkitd"]' >"$work/Dockerfile"
docker buildx build --quiet --provenance=false --file "$work/Dockerfile" --tag "$image" --push "$root" >/dev/null
