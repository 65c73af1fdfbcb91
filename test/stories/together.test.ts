import { rmSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample, sampleCheckout } from "./sample.ts";

// Jobs of one commit at the same time: the ordinary case of a push and its pull request. One image counts, for all of them.

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms: "linux/amd64", ...inputs }, ...more });

const digestsOf = (all: readonly Told[]): readonly string[] => [
  ...new Set(all.map(({ outputs }) => outputs.digest ?? "")),
];
const setsIn = (of: FakeRegistry): readonly string[] =>
  of.tags("team/app").filter((tag) => /^k1-[0-9a-f]{64}$/.test(tag));

/** So many that wait for one another before they go on: what they do then they do at the same moment. */
function barrier(count: number): () => Promise<void> {
  let waiting = 0;
  let open = (): void => undefined;
  const all = new Promise<void>((done) => {
    open = done;
  });
  return async () => {
    waiting += 1;
    if (waiting >= count) open();
    await all;
  };
}

test("ten jobs of one commit, each with an image of its own: all name one digest, and so does the tag", async () => {
  // Nobody has put the set's tag when all of them look.
  registry.hold((line) => /^PUT .*\/manifests\/k1-[0-9a-f]{64}$/.test(line), barrier(10));
  const all = await Promise.all(Array.from({ length: 10 }, () => run()));
  for (const { code, log } of all) expect(code, log).toBe(0);
  // On a busy machine one probes when another has already named the platform's image: it joins that.
  for (const { log, outputs } of all) expect(["built", "hit"], log).toContain(outputs.result);
  expect(digestsOf(all)).toHaveLength(1);
  const [tag = ""] = setsIn(registry);
  expect(registry.manifest("team/app", digestsOf(all)[0] ?? "")).toEqual(registry.manifest("team/app", tag));
  expect(await run()).toMatchObject({ docker: [], outputs: { result: "hit", digest: digestsOf(all)[0] } });
});

test("ten keys at once: one digest a key", async () => {
  const places = Array.from({ length: 10 }, (_, number) => {
    const folder = sampleCheckout(registry);
    put(folder, ".devcontainer/setup.sh", { script: `echo ${number}\n` });
    folders.push(folder);
    return folder;
  });
  const all = await Promise.all(places.map((place) => run({ alias: "false" }, { workspace: place })));
  for (const { code, log } of all) expect(code, log).toBe(0);
  expect(digestsOf(all)).toHaveLength(10);
  expect(setsIn(registry)).toHaveLength(10);
});

test("five jobs that join what a matrix has built: one set, and all of them name it", async () => {
  for (const platforms of ["linux/amd64", "linux/arm64"]) await run({ platforms, alias: "false" });
  registry.hold((line) => /^PUT .*\/manifests\/k1-[0-9a-f]{64}$/.test(line), barrier(5));
  const joins = Array.from({ length: 5 }, () => run({ platforms: "linux/amd64,linux/arm64" }, { docker: false }));
  const all = await Promise.all(joins);
  for (const { code, log } of all) expect(code, log).toBe(0);
  expect(new Set(all.map(({ outputs }) => outputs.result))).toEqual(new Set(["hit"]));
  expect(digestsOf(all)).toHaveLength(1);
  expect(setsIn(registry).map((tag) => registry.digest("team/app", tag))).toContain(digestsOf(all)[0]);
});

test("jobs that build all the same beside jobs that find it: all end well, and the tag names one that was handed out", async () => {
  const { outputs: first } = await run();
  // One that begins when another has ended builds once more: these have all begun.
  registry.hold((line) => /^PUT .*\/manifests\/k1-[0-9a-f]{64}$/.test(line), barrier(3));
  const jobs = Array.from({ length: 6 }, (_, number) => run(number % 2 === 0 ? { force: "true" } : {}));
  const all = await Promise.all(jobs);
  for (const { code, log } of all) expect(code, log).toBe(0);
  const forced = all.filter((_, number) => number % 2 === 0);
  expect(digestsOf(forced)).toHaveLength(1);
  expect(digestsOf(forced)).not.toContain(first.digest);
  for (const { outputs } of all) expect([first.digest, ...digestsOf(forced)]).toContain(outputs.digest);
  const [tag = ""] = setsIn(registry);
  expect(registry.manifest("team/app", digestsOf(forced)[0] ?? "")).toEqual(registry.manifest("team/app", tag));
});
