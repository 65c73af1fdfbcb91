# shellcheck shell=bash
#
# Other scripts read this one in.
#
#   step TITLE COMMAND…   runs a command under a title, and says how long it took

step() {
  local -r began=$SECONDS
  if [[ -t 1 ]]; then printf '\n\033[1m== %s\033[0m\n' "$1"; else printf '\n== %s\n' "$1"; fi
  "${@:2}"
  printf -- '-- %s: %d s\n' "$1" $((SECONDS - began))
}
