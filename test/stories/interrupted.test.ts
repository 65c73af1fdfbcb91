import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const hung: number[] = [];
afterEach(() => {
  for (const pid of hung.splice(0)) if (lives(pid)) process.kill(pid, "SIGKILL");
});

const platforms = "linux/amd64,linux/arm64";
const run = async (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> => {
  const told = await play({ workspace, registry, inputs: { platforms, ...inputs }, ...more });
  hung.push(...told.hanging);
  return told;
};

/** Milliseconds that a program has to end when it is asked to. */
const GRACE = 2000;
const hangs = (times: number) => (log: string) => log.split("[internal] hanging").length - 1 === times;
const stop = { signal: "SIGTERM", when: hangs(1) } as const;

/** Whether a process is there that is no zombie. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** This registry deletes no tags: those of pushes stay, and no probe asks for them. */
const named = (): readonly string[] => registry.tags("team/app").filter((tag) => !tag.startsWith("tmp-"));
/** What hangs does so for two minutes: a run that ends before that has not waited for it. */
const timed = async (told: Promise<Told>): Promise<Told & { readonly took: number }> => {
  const then = Date.now();
  return { ...(await told), took: Date.now() - then };
};
const HANGS = 120_000;

test("docker is asked as soon as a build is likely, and no run waits for it that does not build", async () => {
  registry.override((line) => line.startsWith("POST "), { status: 403 });
  const told = await timed(run({ push: "true" }, { env: { FAKE_DOCKER_HANGS: "buildx inspect" } }));
  expect(told).toMatchObject({ code: 1, outputs: { result: "failed" } });
  expect(told.log).toContain("[E_PUSH]");
  await expect.poll(() => told.hanging.filter(lives)).toEqual([]);
  expect(told.took).toBeLessThan(HANGS);
}, 180_000);

test.each([
  ["SIGTERM", {}, 143],
  ["SIGINT", {}, 130],
  ["SIGTERM and docker is deaf", { FAKE_DOCKER_DEAF: "1" }, 143],
])("%s in the middle of the builds: no program, no folder, no tag is left", async (name, env, code) => {
  const [signal] = name.split(" ");
  const told = await timed(
    run(
      { "registry-username": "me", "registry-password": "canary-7f3a" },
      {
        env: { FAKE_DOCKER_HANGS: "buildx build", ...env },
        stop: { signal: signal === "SIGINT" ? "SIGINT" : "SIGTERM", when: hangs(2) },
      },
    ),
  );
  expect(told).toMatchObject({ code, left: [] });
  expect(told.hanging).toHaveLength(4);
  await expect.poll(() => told.hanging.filter(lives)).toEqual([]);
  expect(registry.tags("team/app")).toEqual([]);
  expect(told.took).toBeLessThan(HANGS);
  expect(told.patience).toEqual("FAKE_DOCKER_DEAF" in env ? [GRACE] : []);
  expect(told.log).not.toContain("once more");
});

test("one platform is pushed when the run is stopped: no set stands anywhere, and the next run builds the other one", async () => {
  const told = await run(
    {},
    {
      env: { FAKE_DOCKER_HANGS: "--platform linux/arm64" },
      stop: { ...stop, when: (log) => hangs(1)(log) && named().length === 1 },
    },
  );
  expect(told).toMatchObject({ code: 143, left: [] });
  expect(named()).toEqual([expect.stringMatching(/^k1-[0-9a-f]{64}-linux-amd64$/)]);
  const next = await run();
  expect(next).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(next.builds.map(({ args }) => args[args.indexOf("--platform") + 1])).toEqual(["linux/arm64"]);
});

test("a builder of ours goes with the run that is stopped", async () => {
  const told = await run(
    { "buildkit-image": "moby/buildkit:test", platforms: "linux/amd64" },
    { env: { FAKE_DOCKER_HANGS: "buildx build" }, stop },
  );
  expect(told).toMatchObject({ code: 143, left: [] });
  const [, , , name] = told.docker.find(([, command]) => command === "create") ?? [];
  expect(name).toMatch(/^dev-container-cache-/);
  expect(told.docker).toContainEqual(["buildx", "rm", "--force", name]);
  expect(told.engine).toEqual([]);
});

test("what is to be undone hangs: the run ends all the same, and leaves nothing that runs", async () => {
  const told = await timed(
    run(
      { "buildkit-image": "moby/buildkit:test", platforms: "linux/amd64" },
      { env: { FAKE_DOCKER_HANGS: "buildx build;buildx rm", FAKE_DOCKER_DEAF: "1" }, stop },
    ),
  );
  expect(told).toMatchObject({ code: 143, left: [] });
  expect(told.docker.at(-1)?.slice(0, 2)).toEqual(["buildx", "rm"]);
  await expect.poll(() => told.hanging.filter(lives)).toEqual([]);
  expect(told.took).toBeLessThan(HANGS);
  // GitHub's runner has no more than 7.5 s.
  expect(told.patience).toEqual([GRACE, 6000]);
});

test("a run that ends by itself leaves no temporary folder but what its outputs name", async () => {
  const told = await run();
  expect(told.code).toBe(0);
  expect(told.left.map((name) => name.replace(/-\w+$/, "")).sort()).toEqual([
    "dev-container-cache-env",
    "dev-container-cache-plan",
  ]);
});

test("the registry fails at the set's tag: the tags of before stay as they were", async () => {
  await run({ tags: "latest" });
  const before = new Map(registry.tags("team/app").map((tag) => [tag, registry.manifest("team/app", tag)?.toString()]));
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const refused = { status: 500, headers: { "retry-after": "99" } };
  registry.override((line) => /^PUT .*\/manifests\/k1-[0-9a-f]{64}$/.test(line), refused);
  const told = await run({ tags: "latest" });
  expect(told).toMatchObject({ code: 1, outputs: { result: "failed", pushed: "false" } });
  for (const [tag, manifest] of before) expect(registry.manifest("team/app", tag)?.toString(), tag).toBe(manifest);
});
