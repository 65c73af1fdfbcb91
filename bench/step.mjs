// The action as a step on the sample, for the benches that need an engine and a registry: run them through scripts/services.sh run -- node bench/…
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openLine } from "./line.mjs";

/** Host and port of the test registry, or of the line to it. */
export let registry = process.env.TEST_REGISTRY;
if (!registry) {
  console.error("bench: TEST_REGISTRY is not set. Run this through: scripts/services.sh run -- node bench/<name>.mjs");
  process.exit(2);
}

/** Puts the registry behind a slow line, for everybody who is started from now on. `roundTrip` in ms. */
export async function putOnLine(roundTrip) {
  const direct = registry;
  const line = await openLine(Number(direct.split(":").at(-1)), roundTrip);
  const use = (host) => {
    registry = host;
    process.env.TEST_REGISTRY = host;
  };
  use(line.host);
  return async () => {
    use(direct);
    await line.close();
  };
}

export const PLATFORMS = "linux/amd64,linux/arm64";

function makeBase() {
  return JSON.parse(execFileSync(process.execPath, ["scripts/base-image.mjs"], { encoding: "utf8" })).image;
}

/** A copy of a checkout, by default the sample's, its base image, and a way to run the action on it. Times in ms. */
export function openSample(source = "test/fixtures/sample", base = makeBase()) {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const workspace = join(folder, "workspace");
  cpSync(source, workspace, { recursive: true });
  const run = (inputs = {}) => {
    for (const name of ["output", "summary"]) writeFileSync(join(folder, name), "");
    mkdirSync(join(folder, "temp"), { recursive: true });
    writeFileSync(join(folder, "event.json"), JSON.stringify({ repository: { default_branch: "main" } }));
    const passed = ["PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "BUILDX_CONFIG", "BUILDX_BUILDER"];
    const all = { "cache-repo": `${registry}/bench/app`, platforms: PLATFORMS, ...inputs };
    const env = {
      ...Object.fromEntries(passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
      GITHUB_ACTIONS: "true",
      GITHUB_EVENT_NAME: "push",
      GITHUB_EVENT_PATH: join(folder, "event.json"),
      GITHUB_REF: "refs/heads/main",
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

const FILL = (name, size) => `RUN dd if=/dev/urandom of=/${name} bs=1M count=${size} 2>/dev/null`;
const NUMBERS = (count) => Array.from({ length: count }, (_, number) => number);

/** A dev container as people have them: a base of 21 layers, 14 instructions on top of it, 90 MB for each platform. */
export function openLarge() {
  const folder = mkdtempSync(join(tmpdir(), "bench-large-"));
  const write = (path, lines) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${lines.join("\n")}\n`);
  };
  write("base/Dockerfile", [`FROM ${makeBase()}`, ...NUMBERS(20).map((number) => FILL(`base-${number}`, 2))]);
  const base = `${registry}/bench/large-base:1`;
  const options = ["--platform", PLATFORMS, "--provenance=false", "--output", `type=image,name=${base},push=`];
  execFileSync("docker", ["buildx", "build", "--quiet", ...options, join(folder, "base")], { stdio: "ignore" });
  cpSync("test/fixtures/sample", join(folder, "app"), { recursive: true });
  write("app/.devcontainer/Dockerfile", [
    "ARG BASE=busybox",
    "FROM $BASE",
    "ARG GREETING",
    "COPY .devcontainer/setup.sh /usr/local/share/sample/",
    "RUN sh /usr/local/share/sample/setup.sh dev 1000",
    ...NUMBERS(12).map((number) => FILL(`own-${number}`, 4)),
    "USER dev",
  ]);
  const large = openSample(join(folder, "app"), base);
  rmSync(folder, { recursive: true });
  return large;
}

/** The sample with a thousand files more in its context, of a few kilobytes each, and a COPY of all of it where `isRead`. */
export function openWide({ isRead } = { isRead: true }) {
  const folder = mkdtempSync(join(tmpdir(), "bench-wide-"));
  cpSync("test/fixtures/sample", folder, { recursive: true });
  for (const number of NUMBERS(1000)) {
    const path = join(folder, `src/${number % 40}/${number}.txt`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${number} `.repeat(1000));
  }
  appendFileSync(join(folder, ".dockerignore"), "!src\n");
  if (isRead) appendFileSync(join(folder, ".devcontainer/Dockerfile"), "COPY . /workspace\n");
  const wide = openSample(folder);
  rmSync(folder, { recursive: true });
  return wide;
}

/** What a call gave, and how long it took. */
export function timed(work) {
  const started = process.hrtime.bigint();
  const ended = work();
  return { ended, took: Number(process.hrtime.bigint() - started) / 1e6 };
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
