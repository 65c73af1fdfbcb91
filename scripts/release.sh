#!/usr/bin/env bash
#
# Says whose this action is and of which version its parts are, everywhere in the tree: in the workflows, the starters, the README, package.json.
#
#   bash scripts/release.sh octo-org v1.2.0                       for GitHub
#   bash scripts/release.sh https://git.example.org/octo-org v1   for a mirror on Gitea or Forgejo
#
# package.json holds whose it is now. A mirror's steps name the action by its whole address, for its server may look for short names elsewhere (on
# github.com, by default); called workflows have short names everywhere. What is left is to commit and to tag.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly name=dev-container-cache

die() { printf 'release: %s\n' "$*" >&2 && exit 1; }

(($# == 2)) || die "bash scripts/release.sh OWNER VERSION, like octo-org v1.2.0."
readonly owner=${1%/} version=$2
[[ $owner =~ ^(https?://[A-Za-z0-9.-]+(:[0-9]+)?/)?[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] ||
  die "The owner is a name, or the address of one on a server, like https://git.example.org/octo-org."
[[ $version =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "The version is a tag, like v1.2.0."

readonly short=${owner##*/}
address=$owner
[[ $owner == *://* ]] || address=https://github.com/$owner

readonly anybody='(https?:\/\/[A-Za-z0-9.:-]+\/)?[A-Za-z0-9][A-Za-z0-9_.-]*'
readonly any_version='@[A-Za-z0-9][A-Za-z0-9._-]*'
sed -E -i \
  -e "s#uses: $anybody/$name$any_version#uses: $owner/$name@$version#" \
  -e "s#uses: $anybody/$name/(\.github/workflows/[a-z-]+\.yml)$any_version#uses: $short/$name/\2@$version#" \
  README.md workflows/*.yml workflows/starters/*.yml .github/workflows/*.yml
sed -E -i "s#^( +\"url\": \").*(/$name\.git\")#\1$address\2#" package.json
sed -E -i "s#\".*/\*\": any#\"$short/*\": any#" .github/zizmor.yml
