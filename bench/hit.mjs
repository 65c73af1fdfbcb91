// A hit on the sample beside what one does by hand to learn as much: scripts/services.sh run -- node bench/hit.mjs
//
// By hand: `docker buildx imagetools inspect` of the very tag, which somebody would have to know, says that the tag is there and not
// that its layers are. Each round runs both, one after the other, so that a busy moment hits both.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROUNDS = 21;
const BUDGET = { requests: 20, bytes: 64 * 1024 };
const registry = process.env.TEST_REGISTRY;
if (!registry) {
  console.error("bench: TEST_REGISTRY is not set. Run this through: scripts/services.sh run -- node bench/hit.mjs");
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "bench-"));
const workspace = join(folder, "workspace");
cpSync("test/fixtures/sample", workspace, { recursive: true });
const base = JSON.parse(execFileSync(process.execPath, ["scripts/base-image.mjs"], { encoding: "utf8" })).image;

function action() {
  for (const name of ["output", "summary"]) writeFileSync(join(folder, name), "");
  mkdirSync(join(folder, "temp"), { recursive: true });
  const passed = ["PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "BUILDX_CONFIG", "BUILDX_BUILDER"];
  const env = {
    ...Object.fromEntries(passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: join(folder, "output"),
    GITHUB_STEP_SUMMARY: join(folder, "summary"),
    RUNNER_TEMP: join(folder, "temp"),
    SAMPLE_BASE: base,
    "INPUT_CACHE-REPO": `${registry}/bench/app`,
    INPUT_PLATFORMS: "linux/amd64,linux/arm64",
  };
  const started = process.hrtime.bigint();
  const ended = spawnSync(process.execPath, ["dist/index.js"], { env, encoding: "utf8" });
  const took = Number(process.hrtime.bigint() - started) / 1e6;
  if (ended.status !== 0) throw new Error(ended.stdout + ended.stderr);
  const output = (name) =>
    readFileSync(join(folder, "output"), "utf8").match(new RegExp(`^${name}<<.*\n(.*)`, "m"))?.[1] ?? "";
  return { took, result: output("result"), image: output("image"), timings: JSON.parse(output("timings")) };
}

function byHand(image) {
  const started = process.hrtime.bigint();
  execFileSync("docker", ["buildx", "imagetools", "inspect", image], { stdio: "ignore" });
  return Number(process.hrtime.bigint() - started) / 1e6;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

const first = action();
console.log(`to begin with: ${first.result}, ${first.took.toFixed(0)} ms`);
const rounds = Array.from({ length: ROUNDS }, () => {
  const hit = action();
  if (hit.result !== "hit") throw new Error(`expected a hit, got ${hit.result}`);
  return { hit, hand: byHand(hit.image) };
});
const [hit, hand] = [median(rounds.map((round) => round.hit.took)), median(rounds.map((round) => round.hand))];
const { requests, bytes, waves, probe } = rounds[0].hit.timings;
console.log(
  `hit, 2 platforms: ${requests} requests (budget ${BUDGET.requests}), ${bytes} bytes (budget ${BUDGET.bytes}), ${waves} waves at most, probe ${probe} s`,
);
console.log(
  `wall time of the whole process, median of ${ROUNDS}: ${hit.toFixed(0)} ms; imagetools inspect by hand ${hand.toFixed(0)} ms; ratio ${(hit / hand).toFixed(2)}`,
);
rmSync(folder, { recursive: true, force: true });
