#!/usr/bin/env bash
#
# git-lfs, for the tests that fetch what it keeps.
#
#   bash scripts/git-lfs.sh   prints the program
#
# The machine's own is used where there is one. Otherwise it is Debian's or Ubuntu's package, unpacked (scripts/packages.sh).
set -euo pipefail
# shellcheck source=scripts/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

if command -v git-lfs; then
  exit 0
fi
command -v apt-get >/dev/null || die "There is no git-lfs here, and no apt to get it with: install it (git-lfs)."
fetch git-lfs
printf '%s\n' "$(set_folder git-lfs)/usr/bin/git-lfs"
