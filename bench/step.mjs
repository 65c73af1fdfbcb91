// The action as a step on the sample, for the benches that need an engine and a registry: run them through scripts/services.sh run -- node bench/…
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Host and port of the test registry. */
export const registry = process.env.TEST_REGISTRY;
if (!registry) {
  console.error("bench: TEST_REGISTRY is not set. Run this through: scripts/services.sh run -- node bench/<name>.mjs");
  process.exit(2);
}

export const PLATFORMS = "linux/amd64,linux/arm64";

/** A copy of the sample, its base image, and a way to run the action on it. Times in ms. */
export function openSample() {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const workspace = join(folder, "workspace");
  cpSync("test/fixtures/sample", workspace, { recursive: true });
  const base = JSON.parse(execFileSync(process.execPath, ["scripts/base-image.mjs"], { encoding: "utf8" })).image;
  const run = (inputs = {}) => {
    for (const name of ["output", "summary"]) writeFileSync(join(folder, name), "");
    mkdirSync(join(folder, "temp"), { recursive: true });
    const passed = ["PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "BUILDX_CONFIG", "BUILDX_BUILDER"];
    const all = { "cache-repo": `${registry}/bench/app`, platforms: PLATFORMS, ...inputs };
    const env = {
      ...Object.fromEntries(passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: join(folder, "output"),
      GITHUB_STEP_SUMMARY: join(folder, "summary"),
      RUNNER_TEMP: join(folder, "temp"),
      SAMPLE_BASE: base,
      ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    };
    const { took, ended } = timed(() => spawnSync(process.execPath, ["dist/index.js"], { env, encoding: "utf8" }));
    if (ended.status !== 0) throw new Error(ended.stdout + ended.stderr);
    const output = (name) =>
      readFileSync(join(folder, "output"), "utf8").match(new RegExp(`^${name}<<.*\n(.*)`, "m"))?.[1] ?? "";
    return { took, result: output("result"), image: output("image"), timings: JSON.parse(output("timings")) };
  };
  return { base, workspace, run, close: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What a call gave, and how long it took. */
export function timed(work) {
  const started = process.hrtime.bigint();
  const ended = work();
  return { ended, took: Number(process.hrtime.bigint() - started) / 1e6 };
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
