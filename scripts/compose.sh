#!/usr/bin/env bash
#
# The real docker compose, which the end-to-end tests are checked against. It needs no engine to say what a project means.
#
#   bash scripts/compose.sh   prints the command that runs it
#
# The machine's own is used when it is 2.38 or newer, as a plugin of docker or alone: older ones read some projects differently. Otherwise it
# is Debian sid's package, unpacked (scripts/packages.sh).
set -euo pipefail
# shellcheck source=scripts/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# Whether a command is a compose that is new enough.
serves() {
  local version major minor
  version=$("$@" version --short 2>/dev/null) || return 1
  IFS=.- read -r major minor _ <<<"${version#v}"
  [[ $major =~ ^[0-9]+$ && $minor =~ ^[0-9]+$ ]] && ((major > 2 || (major == 2 && minor >= 38)))
}

if command -v docker >/dev/null && serves docker compose; then
  echo "docker compose"
elif command -v docker-compose >/dev/null && serves docker-compose; then
  command -v docker-compose
else
  command -v apt-get >/dev/null || die "There is no docker compose 2.38 or newer, and no apt to get it with: install it."
  export SERVICES_SUITE=sid
  fetch compose
  compose=$(set_folder compose)/usr/libexec/docker/cli-plugins/docker-compose
  serves "$compose" || die "$compose does not run: install docker compose 2.38 or newer."
  echo "$compose"
fi
