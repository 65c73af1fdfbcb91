#!/usr/bin/env bash
#
# The real docker compose, which the end-to-end tests are checked against. It needs no engine to say what a project means.
#
#   scripts/compose.sh   prints the command that runs it
#
# The machine's own is used when it is 2.38 or newer, as a plugin of docker or alone: older ones read some projects differently. Otherwise it
# comes from Debian's package sources: sid has it where the machine's own release is older. Nothing is installed: the package is unpacked into
# a cache folder, and apt works on a private state.
set -euo pipefail

readonly cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/dev-container-cache/compose
readonly work=$cache.$$
readonly plugin=usr/libexec/docker/cli-plugins/docker-compose

die() { printf 'compose: %s\n' "$*" >&2 && exit 1; }

# Whether a command is a compose that is new enough.
serves() {
  local version major minor
  version=$("$@" version --short 2>/dev/null) || return 1
  IFS=.- read -r major minor _ <<<"${version#v}"
  [[ $major =~ ^[0-9]+$ && $minor =~ ^[0-9]+$ ]] && ((major > 2 || (major == 2 && minor >= 38)))
}

# The machine's sources for its own release, read from apt, for another release of the same distribution.
sources_for() {
  # shellcheck disable=SC2016 # apt expands it
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v own="$(. /etc/os-release && echo "${VERSION_CODENAME-}")" -v wanted="$1" '
      $2 == own && $3 == "main" { print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $1, wanted, "main" }' | sort -u
}

unpack() {
  command -v apt-get >/dev/null || die "There is no docker compose 2.38 or newer, and no apt to get it with: install it."
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{lists/partial,archives/partial,root}
  : >"$work/status"
  sources_for sid >"$work/sources.list"
  [[ -s $work/sources.list ]] || die "There is no docker compose 2.38 or newer, and apt has no sources of Debian to get it from: install it."
  local -r apt=(apt-get -q -o "Dir::State=$work" -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
    -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Retries=3)
  "${apt[@]}" update >&2 || die "apt cannot read the package lists of Debian sid."
  (cd "$work" && "${apt[@]}" download docker-compose) >&2 || die "apt cannot fetch docker-compose."
  dpkg -x "$work"/docker-compose_*.deb "$work/root"
  # Another run may have been faster.
  mv -T "$work/root" "$cache" 2>/dev/null || true
}

if command -v docker >/dev/null && serves docker compose; then
  echo "docker compose"
elif command -v docker-compose >/dev/null && serves docker-compose; then
  command -v docker-compose
else
  [[ -x $cache/$plugin ]] || unpack
  serves "$cache/$plugin" || die "$cache holds no docker compose that runs: remove the folder."
  echo "$cache/$plugin"
fi
