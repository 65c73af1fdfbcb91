import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { openMachine, type Play, play, type Stop, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";
import { unsound } from "./sound.ts";

// A job may end at any request. Whatever was going on: no tag names what nobody has checked, the next run ends well, and after it nothing
// of the dead one is left on the machine.

const BUILDER = { "buildkit-image": "moby/buildkit:test" };
const WELL = { tags: "latest", "registry-username": "me", "registry-password": "canary-7f3a" };
/** What a killed run was waiting for, it waits for no longer. */
const hung: number[] = [];
afterEach(() => {
  for (const pid of hung.splice(0))
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
});

type Scene = {
  readonly registry: FakeRegistry;
  readonly run: (more?: Partial<Play>) => Promise<Told>;
  readonly machine: string;
};

async function withScene<T>(inputs: Readonly<Record<string, string>>, body: (scene: Scene) => Promise<T>): Promise<T> {
  const { registry, workspace, close } = await openSample();
  const machine = openMachine();
  const run = async (more: Partial<Play> = {}): Promise<Told> => {
    const story = { workspace, registry, machine, inputs: { platforms: "linux/amd64", ...WELL, ...inputs }, ...more };
    const told = await play(story);
    hung.push(...told.hanging);
    return told;
  };
  try {
    return await body({ registry, run, machine });
  } finally {
    await close();
    rmSync(machine, { recursive: true, force: true });
  }
}

/** Holds the n-th request to the cache repository after BuildKit has pushed its index, which nothing but the end of the run lets go on. */
function holdAt(
  registry: FakeRegistry,
  n: number,
): { readonly isHeld: () => boolean; readonly count: () => number; readonly release: () => void } {
  let [seen, isHeld] = [0, false];
  let release = (): void => undefined;
  const released = new Promise<void>((done) => {
    release = done;
  });
  const isPushed = (): boolean =>
    registry.asked.some(({ method, body }) => method === "PUT" && body.includes("attestation-manifest"));
  registry.hold(
    (line) => {
      if (!line.includes("/team/app/") || !isPushed()) return false;
      seen += 1;
      // The first is BuildKit's own, with which the index comes.
      isHeld ||= seen === n + 1;
      return seen === n + 1;
    },
    () => released,
  );
  return { isHeld: () => isHeld, count: () => seen - 1, release };
}

async function pooled<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = all.entries();
  const worker = async (): Promise<void> => {
    for (const [index, one] of queue) results[index] = await work(one);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return results;
}

const KEPT = /^dev-container-cache-(?:env|plan)-/;

/** Ends the run at a request, and says what is there then, and after the next run. */
async function killAt(n: number, signal: Stop["signal"], inputs: Readonly<Record<string, string>>, env = {}) {
  return withScene(inputs, async ({ registry, run }) => {
    const { isHeld, release } = holdAt(registry, n);
    const dead = await run({ env, stop: { signal, when: isHeld } });
    release();
    const after = {
      unsound: unsound(registry),
      tags: registry.tags("team/app").filter((tag) => !tag.startsWith("tmp-")),
    };
    const next = await run();
    return { n, signal, dead, after, next, unsound: unsound(registry) };
  });
}

test.each<[string, Stop["signal"], Readonly<Record<string, string>>]>([
  ["SIGTERM, the engine's own builder", "SIGTERM", {}],
  ["SIGTERM, a builder of the run's own", "SIGTERM", BUILDER],
  ["SIGKILL, the engine's own builder", "SIGKILL", {}],
  ["SIGKILL, a builder of the run's own", "SIGKILL", BUILDER],
])(
  "%s: at every request of a push",
  async (_, signal, inputs) => {
    const count = await withScene(inputs, async ({ registry, run }) => {
      const { count } = holdAt(registry, 1000);
      const told = await run();
      expect(told.code, told.log).toBe(0);
      return count();
    });
    expect(count).toBeGreaterThan(15);
    const every = Array.from({ length: count }, (__, index) => index + 1);
    for (const { n, dead, after, next, unsound } of await pooled(every, (n) => killAt(n, signal, inputs))) {
      const at = `at request ${n}:\n${dead.log}\n---\n${next.log}`;
      // How many requests there are differs by one or two: which of them are made at the same time is chance.
      if (n <= count - 2) expect(dead.code, at).not.toBe(0);
      expect(after.unsound, at).toEqual([]);
      expect({ code: next.code, unsound }, at).toEqual({ code: 0, unsound: [] });
      expect(["built", "hit"], at).toContain(next.outputs.result);
      if (signal === "SIGTERM")
        expect({ left: dead.left.filter((one) => !KEPT.test(one)), engine: dead.engine }, at).toEqual({
          left: [],
          engine: [],
        });
      expect({ left: next.left.filter((one) => !KEPT.test(one)), engine: next.engine }, at).toEqual({
        left: [],
        engine: [],
      });
    }
  },
  1_800_000,
);

test("SIGKILL in the middle of the checks of an image that does not hold what its key says: it never has a name", async () => {
  const bad = { FAKE_DOCKER_USES: "f".repeat(64) };
  for (const { after, next, n } of await pooled([1, 2, 3, 4, 5], (n) => killAt(n, "SIGKILL", BUILDER, bad))) {
    expect(after.tags, `at request ${n}`).toEqual([]);
    expect(next.outputs.result, next.log).toBe("built");
  }
});

test.each(["buildx create", "buildx inspect", "buildx build", "buildx rm"])(
  "SIGKILL in `docker %s`: the next run removes the builder, its state and the logins",
  async (call) => {
    await withScene(BUILDER, async ({ run, machine }) => {
      const called = (): boolean => readFileSync(join(machine, "docker"), "utf8").includes(call.replace(" ", '","'));
      const dead = await run({ env: { FAKE_DOCKER_HANGS: call }, stop: { signal: "SIGKILL", when: called } });
      expect(dead.left.length).toBeGreaterThan(0);
      const next = await run();
      expect(next.code, next.log).toBe(0);
      expect({ left: next.left.filter((one) => !KEPT.test(one)), engine: next.engine }, next.log).toEqual({
        left: [],
        engine: [],
      });
      expect(next.log).toContain("Removed what a killed run had left");
    });
  },
);

test("what another run is at work with is left alone", async () => {
  await withScene(BUILDER, async ({ run, machine }) => {
    let isDone = false;
    const hangs = { FAKE_DOCKER_HANGS: "buildx build" };
    const working = run({ env: hangs, stop: { signal: "SIGTERM", when: () => isDone } });
    const folders = (): readonly string[] => readdirSync(machine).filter((name) => /-docker-\w+$/.test(name));
    try {
      await expect.poll(() => readFileSync(join(machine, "docker"), "utf8")).toContain('"build"');
      const before = folders();
      expect(before).toHaveLength(1);
      const other = await run({ env: { RUNNER_TEMP: machine } });
      expect(other.code, other.log).toBe(0);
      expect(folders()).toEqual(before);
      expect(other.engine).toHaveLength(2);
    } finally {
      isDone = true;
    }
    expect((await working).engine).toEqual([]);
  });
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s in the last half second, while the builder is being removed: it is removed all the same",
  async (signal) => {
    await withScene(BUILDER, async ({ run, machine }) => {
      const isRemoving = (): boolean => readFileSync(join(machine, "docker"), "utf8").includes('"buildx","rm"');
      const told = await run({ env: { FAKE_DOCKER_SLOW: "buildx rm" }, stop: { signal, when: isRemoving } });
      expect(told.code).toBe(signal === "SIGINT" ? 130 : 143);
      expect({ left: told.left.filter((one) => !KEPT.test(one)), engine: told.engine }, told.log).toEqual({
        left: [],
        engine: [],
      });
    });
  },
);
