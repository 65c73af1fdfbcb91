# shellcheck shell=bash
#
# The Node that all of this runs on, asked for before anything is fetched. Other scripts read this one in.
#
#   need_node PROGRAM…   ends here when Node is too old, or when one of the programs is missing: node itself, npm

# shellcheck source=scripts/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

need_node() {
  local program wanted found
  wanted=$(sed -nE 's/.*"node": ">=([0-9.]+)".*/\1/p' "$(dirname "${BASH_SOURCE[0]}")/../package.json")
  local -r get="get it from https://nodejs.org/en/download (the distribution's own package is often older)."
  for program in "$@"; do
    command -v "$program" >/dev/null || die "This needs Node $wanted or newer, and there is no $program on PATH: $get"
  done
  found=$(node --version 2>&1) || found="broken"
  at_least "$found" "v$wanted" || die "This needs Node $wanted or newer, and $(command -v node) is $found: $get"
}
