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
told=$(mktemp)
readonly meanwhile told
setsid bash -c 'npm run test:reference && npm run test:faults' >"$meanwhile" 2>&1 &
readonly others=$!
end_to_end() { bash scripts/services.sh run -- npm run test:e2e 2>&1 | tee "$told"; }
passed=no
end_others() {
  ! kill -TERM -- "-$others" 2>/dev/null || wait "$others" || true
  cat "$meanwhile"
  [[ $passed == yes ]] || tell_failure
  rm -f "$meanwhile" "$told"
}
# What failed is said last: a thousand lines later nobody finds it, and some logs keep only their end.
tell_failure() {
  title "End to end did not pass"
  if grep -aq 'Failed Tests' "$told"; then sed -n '/Failed Tests/,$p' "$told"; else tail -n 30 "$told"; fi
}
trap end_others EXIT

step "End to end, and meanwhile what comes next" end_to_end
passed=yes

step "Beside the reference CLI; tables of faults and kills" wait "$others"

trap - EXIT
end_others

title "All tests passed: $SECONDS s"
