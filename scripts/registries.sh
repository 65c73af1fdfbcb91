#!/usr/bin/env bash
#
# Programs that the registry's end-to-end tests are checked against: an independent client and a forward proxy.
#
#   scripts/registries.sh skopeo tinyproxy   prints for each the command that runs it, a line each
#
# One that is on PATH is used as it is. Otherwise it comes from Debian's or Ubuntu's own package sources: unpacked into a cache folder with the
# libraries that it needs beside it, nothing is installed. Only reading the package lists, where there are none yet, needs root.
set -euo pipefail

readonly cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/dev-container-cache/registries

die() { printf 'registries: %s\n' "$*" >&2 && exit 1; }

package_of() { case $1 in tinyproxy) echo tinyproxy-bin ;; *) echo "$1" ;; esac; }

# The libraries of some packages, but for the C library and its kin, which every program here shares with the machine.
libraries_of() {
  apt-cache depends "$@" | awk '$1 == "Depends:" && $2 ~ /^lib/ && $2 !~ /^lib(c6|gcc-s1|stdc\+\+6)$/ { print $2 }' | sort -u
}

unpack() {
  local -r package=$(package_of "$1") folder=$cache/$1 work=$cache/$1.$$
  [[ ! -d $folder ]] || return 0
  command -v apt-get >/dev/null || die "$1 is not on PATH, and there is no apt to get it with: install it."
  [[ -n $(apt-cache show "$package" 2>/dev/null) ]] || apt-get update >&2 || die "apt cannot read its package lists: install $1."
  local direct all
  mapfile -t direct < <(libraries_of "$package")
  mapfile -t all < <(((${#direct[@]} == 0)) || { printf '%s\n' "${direct[@]}" && libraries_of "${direct[@]}"; } | sort -u)
  mkdir -p "$work/debs" "$work/root"
  (cd "$work/debs" && apt-get -o APT::Sandbox::User=root download "$package" "${all[@]}") >&2 || die "apt cannot fetch $package."
  local deb
  for deb in "$work/debs"/*.deb; do dpkg -x "$deb" "$work/root"; done
  # Another run may have been faster.
  mv -T "$work/root" "$folder" 2>/dev/null || true
  rm -rf "$work"
}

for program in "$@"; do
  if ! found=$(command -v "$program"); then
    unpack "$program"
    found=$cache/$program/run
    printf '#!/bin/sh\nexport LD_LIBRARY_PATH=%q\nexec %q "$@"\n' \
      "$(find "$cache/$program/usr/lib" "$cache/$program/lib" -maxdepth 1 -name '*-linux-gnu' 2>/dev/null | paste -sd :)" \
      "$cache/$program/usr/bin/$program" >"$found.$$"
    chmod +x "$found.$$" && mv "$found.$$" "$found"
  fi
  echo "$found"
done
