#!/usr/bin/env bash
#
# All tests, set-up included: bash scripts/test.sh
#
# Lint and types; tables and stories on the Node that is installed and on 20 and 24, whichever of them that is not; then, with a real engine and a
# real registry (scripts/services.sh says what that takes), end to end, and meanwhile tables beside the reference CLI and tables of faults and kills.
# Needs Node 20.18 or newer with npm. The bundle that is tested is dist/ as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/steps.sh
. scripts/steps.sh
# shellcheck source=scripts/node.sh
. scripts/node.sh

need_node node npm

if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
  step "npm ci" npm ci
fi

step "Lint and types" npm run check

step "Tables and stories on the installed Node $(node --version)" npm test

installed=$(node -p 'process.versions.node.split(".")[0]')
for version in 20 24; do
  [[ $version != "$installed" ]] || continue
  bin=$PWD/node_modules/node$version-$(node -p process.arch)/bin
  [[ -x $bin/node ]] || { echo "test: Node $version is not in node_modules: it is an optional dependency; npm ci, without --omit=optional" >&2 && exit 1; }
  step "The same on Node $("$bin/node" --version)" \
    env "PATH=$bin:$PATH" "$bin/node" node_modules/vitest/vitest.mjs run --project unit --project stories
done

# End to end waits for the engine and for other programs much of the time: what needs neither is run meanwhile, and printed afterwards.
meanwhile=$(mktemp)
readonly meanwhile
setsid bash -c 'npm run test:reference && npm run test:faults' >"$meanwhile" 2>&1 &
readonly others=$!
end_others() {
  ! kill -TERM -- "-$others" 2>/dev/null || wait "$others" || true
  cat "$meanwhile"
  rm -f "$meanwhile"
}
trap end_others EXIT

step "End to end, and meanwhile what comes next" bash scripts/services.sh run -- npm run test:e2e

step "Beside the reference CLI; tables of faults and kills" wait "$others"

trap - EXIT
end_others

title "All tests passed: $SECONDS s"
