// A rebuild for two platforms of which BuildKit has everything in its cache, through the action and by hand: scripts/services.sh run -- node bench/rebuild.mjs
//
// By hand is one `docker buildx build --push` for both platforms with the same args, provenance and context. The action
// is made to miss by another cache-version each time, so it does all that belongs to a miss: the probe, both builds, reading back, the index of the set with its plan.
import { spawnSync } from "node:child_process";
import { median, openSample, PLATFORMS, registry, timed } from "./step.mjs";

const ROUNDS = 9;
const BUDGET = 1.15;

const sample = openSample();
const cached = { "cache-from": "false", "cache-to": "false" };

function byHand() {
  const args = [
    "buildx",
    "build",
    "--platform",
    PLATFORMS,
    "--push",
    "--provenance",
    "mode=min",
    "--progress",
    "rawjson",
  ];
  const own = ["--build-arg", `BASE=${sample.base}`, "--file", `${sample.workspace}/.devcontainer/Dockerfile`];
  const name = ["--tag", `${registry}/bench/hand:1`, sample.workspace];
  const { ended, took } = timed(() => spawnSync("docker", [...args, ...own, ...name], { encoding: "utf8" }));
  if (ended.status === 0) return took;
  // Debian's docker-registry does not always stand being asked for a tag right after it was pushed, which docker does: it pushes twice.
  if (!ended.stderr.includes("500 Internal Server Error")) throw new Error(ended.stderr);
  return byHand();
}

let version = Date.now();
const rebuild = (inputs) => {
  const { result, took } = sample.run({ "cache-version": String(version++), ...inputs });
  if (result !== "built") throw new Error(`expected a build, got ${result}`);
  return took;
};

for (const inputs of [cached, {}]) rebuild(inputs);
byHand();
const rounds = Array.from({ length: ROUNDS }, () => ({ bare: rebuild(cached), usual: rebuild({}), hand: byHand() }));
const [bare, usual, hand] = ["bare", "usual", "hand"].map((name) => median(rounds.map((round) => round[name])));
console.log(`fully cached, 2 platforms, median of ${ROUNDS}: by hand ${hand.toFixed(0)} ms (budget: ratio ${BUDGET})`);
console.log(
  `the action without a layer cache in the registry: ${bare.toFixed(0)} ms, ratio ${(bare / hand).toFixed(2)}`,
);
console.log(`the action as it is: ${usual.toFixed(0)} ms, ratio ${(usual / hand).toFixed(2)}`);
sample.close();
