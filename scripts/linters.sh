#!/usr/bin/env bash
#
# Prints the paths of the two judges of workflows, a line each: rhysd/actionlint and zizmor.
#
#   bash scripts/linters.sh
#
# Those that are on PATH in these versions are taken. Otherwise both are put into ~/.cache/dev-container-cache, once: actionlint is built from the Go
# module proxy (scripts/go.sh says with which Go), zizmor is the program in its wheel from PyPI, which pip fetches and checks against the sums below.
set -euo pipefail
# shellcheck source=scripts/go.sh
. "$(dirname "${BASH_SOURCE[0]}")/go.sh"

readonly actionlint_version=1.7.12 zizmor_version=1.32.0
readonly cache=${packages%/*}/linters
readonly actionlint=$cache/actionlint-$actionlint_version zizmor=$cache/zizmor-$zizmor_version
readonly work=$cache/work

build_actionlint() {
  use_go "$work"
  say "building actionlint $actionlint_version with $(go env GOVERSION), once"
  go install -ldflags='-s -w' "github.com/rhysd/actionlint/cmd/actionlint@v$actionlint_version" >"$work/log" 2>&1 ||
    die "actionlint cannot be built." "$work/log"
  mv "$work/bin/actionlint" "$actionlint"
}

fetch_zizmor() {
  python3 -m pip --version >/dev/null 2>&1 || die "zizmor comes from PyPI: install Python 3 with pip, or zizmor $zizmor_version."
  say "fetching zizmor $zizmor_version, once"
  cat >"$work/requirements" <<SUMS
zizmor==$zizmor_version \
  --hash=sha256:84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071 \
  --hash=sha256:0cdd38fca6eb34ceb567548548d706332e3535ea66894b9168c048e03207b68c
SUMS
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --dest "$work" --requirement "$work/requirements" >"$work/log" 2>&1 || die "pip cannot fetch zizmor $zizmor_version." "$work/log"
  python3 -m zipfile -e "$work"/zizmor-*.whl "$work/wheel"
  chmod +x "$work"/wheel/*/scripts/zizmor
  mv "$work"/wheel/*/scripts/zizmor "$zizmor"
}

# installed PROGRAM VERSION OPTION
installed() {
  local said
  said=$("$1" "$3" 2>/dev/null) && [[ $said == *"$2"* ]] && command -v "$1"
}

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
if ! installed actionlint "$actionlint_version" -version; then
  [[ -x $actionlint ]] || build_actionlint
  echo "$actionlint"
fi
if ! installed zizmor "$zizmor_version" --version; then
  [[ -x $zizmor ]] || fetch_zizmor
  echo "$zizmor"
fi
