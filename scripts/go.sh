# shellcheck shell=bash
#
# A Go that can build what tests need from the Go module proxy. Other scripts read this one in.
#
#   use_go FOLDER                 has `go` on PATH, with all that it fetches and makes in the folder
#   build_with LOG WHAT COMMAND…   runs what builds a program, and says how long that takes
#
# A Go that is there is used from 1.21 on: it fetches a newer one, which is a module like any other, where a module asks for that. Otherwise Debian's or
# Ubuntu's package is unpacked. Go checks all that it fetches against its checksum database.

# shellcheck source=scripts/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

use_go() {
  # The module cache is read-only unless told otherwise, and could not be removed.
  export GOPATH=$1/path GOMODCACHE=$1/path/pkg/mod GOCACHE=$1/cache GOBIN=$1/bin GOFLAGS="${GOFLAGS-} -modcacherw" GOTOOLCHAIN=auto CGO_ENABLED=0
  ! at_least "$(go env GOVERSION 2>/dev/null)" go1.21 || return 0
  command -v apt-get >/dev/null || die "There is no Go 1.21 or newer here, and no apt to get one with: install Go."
  fetch go
  GOROOT=$(echo "$(set_folder go)"/usr/lib/go-*)
  export GOROOT PATH=$GOROOT/bin:$PATH
}

# Runs what builds a program for minutes, and says every half of one that it still does: build_with LOG WHAT COMMAND…
build_with() {
  local -r began=$SECONDS
  local next=30
  say "building $2, once"
  "${@:3}" >"$1" 2>&1 &
  local -r job=$!
  while kill -0 "$job" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - began >= next)); then
      say "still building $2: $next s"
      ((next += 30))
    fi
  done
  wait "$job" || die "$2 cannot be built." "$1"
  say "built $2 in $((SECONDS - began)) s"
}
