#!/usr/bin/env bash
#
# Programs that end-to-end tests need beside an engine: an independent client of registries, a forward proxy, a judge of scripts.
#
#   bash scripts/programs.sh skopeo tinyproxy shellcheck   prints for each the command that runs it, a line each
#
# One that is on PATH is used as it is. Otherwise it is Debian's or Ubuntu's package, unpacked with the libraries that it needs beside it
# (scripts/packages.sh).
set -euo pipefail
# shellcheck source=scripts/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# A script that runs a program with the libraries of its set: wrapper SET
wrapper() {
  local -r folder=$(set_folder "$1")
  local -r libraries=$(find "$folder/usr/lib" "$folder/lib" -maxdepth 1 -name '*-linux-gnu' 2>/dev/null | paste -sd :)
  printf '#!/bin/sh\nexport LD_LIBRARY_PATH=%q\nexec %q "$@"\n' "$libraries" "$folder/usr/bin/$1" >"$folder/run.$$"
  chmod +x "$folder/run.$$"
  mv "$folder/run.$$" "$folder/run"
  echo "$folder/run"
}

missing=()
for program in "$@"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if ((${#missing[@]})); then
  command -v apt-get >/dev/null || die "${missing[*]}: not on PATH, and there is no apt to get it with: install it."
  # All in one go: reading the package lists is what takes time.
  fetch "${missing[@]}"
fi
for program in "$@"; do
  command -v "$program" || wrapper "$program"
done
