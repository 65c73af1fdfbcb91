# shellcheck shell=bash
#
# Other scripts read this one in.
#
#   title TEXT           what comes now
#   step TITLE COMMAND…  runs a command under a title, and says how long it took

title() { if [[ -t 1 ]]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi; }

step() {
  local -r began=$SECONDS
  title "$1"
  "${@:2}"
  printf -- '-- %s: %d s\n' "$1" $((SECONDS - began))
}
