import { beforeAll, expect, test } from "vitest";
import type { Spot } from "../../src/build/claim.ts";
import { branchTag, setTag, sourceTag } from "../../src/key/fingerprint.ts";
import type { Descriptor } from "../../src/oci/manifest.ts";
import type { PlanToStore } from "../../src/plan/stored-plan.ts";
import { type Publication, type PushedPlan, publishSet, pushPlan } from "../../src/publish/publish.ts";
import type { Answer, Registry, World } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf, registryOf, sha } from "../plan-of.ts";

const BASES = { "registry.test/base:1": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }) };
const PUSHED = indexOf({ "linux/amd64": "image 0", "linux/arm64": "image 1" });
const EARLIER = { at: Date.parse("2026-01-01T00:00:00Z"), seconds: 90 };

let plan: PlanToStore;
let tags: readonly [set: string, source: string, branch: string];

beforeAll(async () => {
  const workspace = makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const inputs = { platforms: "linux/amd64,linux/arm64" };
  const { sources, probed } = await planOf({ workspace, images: BASES, inputs });
  if (!probed.plan) throw new Error("no plan");
  const now = Date.parse("2026-02-02T00:00:00Z");
  plan = { sources, plan: probed.plan, seconds: { "linux/arm64": 12 }, salt: "salt", now };
  tags = [
    setTag(probed.plan.key),
    sourceTag(sources.wanted.sourceKey),
    branchTag("main", ".devcontainer/devcontainer.json"),
  ];
});

const found = () =>
  plan.plan.platforms.map(({ platform }, number) => ({ platform, manifest: sha(`image ${number}`), index: PUSHED }));

/** A registry that takes every push, tells what it was given, and serves what it was given. */
function pushes(more: Partial<Registry> = {}): { readonly registry: Registry; readonly pushed: [string, string][] } {
  const pushed: [string, string][] = [];
  const take = (name: string, bytes: Uint8Array, mediaType: string): Answer<Descriptor> => {
    const text = new TextDecoder().decode(bytes);
    pushed.push([name, text]);
    return { kind: "found", value: { mediaType, digest: sha(text), size: bytes.length } };
  };
  const registry: Registry = {
    ...registryOf({}),
    putBlob: async (_, bytes, mediaType) => take("blob", await bytes, mediaType),
    putManifest: async (_, bytes, mediaType, tag) => take(tag ?? "no tag", bytes, mediaType),
    manifest: async ({ tag, digest }) => {
      const [, text] =
        pushed.findLast(([name, text]) => (digest === undefined ? name === tag : sha(text) === digest)) ?? [];
      if (text === undefined) return { kind: "absent", request: "GET x", words: "manifest unknown" };
      const descriptor = { mediaType: "index", digest: sha(text), size: text.length };
      const body = { kind: "index", mediaType: "index", manifests: [], annotations: {} } as const;
      return { kind: "found", value: { bytes: new TextEncoder().encode(text), descriptor, body } };
    },
    ...more,
  };
  return { registry, pushed };
}

/** A world whose clock moves only when somebody waits. */
function worldOf(
  registry: Registry,
): Pick<World, "registry" | "clock" | "pause" | "log"> & { readonly told: string[] } {
  let now = 0;
  const pause = async (milliseconds: number): Promise<void> => {
    now += milliseconds;
  };
  const told: string[] = [];
  const tell = (line: string): void => void told.push(line);
  const log: World["log"] = {
    ...{
      info: tell,
      warning: tell,
      error: () => undefined,
      debug: () => undefined,
      notice: () => undefined,
      mask: () => undefined,
      detach: () => undefined,
    },
    group: (_, body) => body(),
  };
  return { registry, log, told, clock: () => now, pause };
}

function complete(more: Partial<Publication> = {}): Publication {
  return { found: found(), earlier: [], aliases: [], ...more };
}

/** The plan of a set that no other job has pushed. */
async function planIn(registry: Registry): Promise<PushedPlan> {
  const reference = { ...plan.sources.wanted.repository, tag: tags[0] };
  const judge: Spot["judge"] = async () => ({ kind: "damaged", what: "it is another one" });
  const images = [...found()].reverse();
  return pushPlan({ ...plan, images }, { reference, before: undefined, judge }, worldOf(registry));
}

test("a plan is pushed under no tag, and speaks of its images in one order whatever the order of their builds", async () => {
  const { registry, pushed } = pushes();
  await planIn(registry);
  expect(pushed.map(([name]) => name)).toEqual(["blob", "blob", "no tag"]);
  expect(JSON.parse(pushed[0]?.[1] ?? "").subject).toEqual([
    { name: "linux/amd64", digest: { sha256: sha("image 0").slice("sha256:".length) } },
    { name: "linux/arm64", digest: { sha256: sha("image 1").slice("sha256:".length) } },
  ]);
});

test("a plan is read back: its manifest by digest, and the blobs that it names", async () => {
  const { registry, pushed } = pushes();
  const looked: string[] = [];
  const reading: Registry = {
    ...registry,
    manifest: async (reference) => {
      looked.push(reference.digest ?? "a tag");
      return registry.manifest(reference);
    },
    hasBlob: async (_, { digest, size }) => {
      looked.push(`${digest} ${size}`);
      return { kind: "found", value: true };
    },
  };
  const { manifest } = await planIn(reading);
  const blobs = pushed.slice(0, 2).map(([, text]) => `${sha(text)} ${text.length}`);
  expect(looked.sort()).toEqual([...blobs, manifest.digest, "a tag"].sort());
});

test("whether another job is faster is looked at when all is pushed, and beside the reading back", async () => {
  const { registry, pushed } = pushes();
  let seen = (): void => undefined;
  const isLookedAt = new Promise<void>((done) => {
    seen = done;
  });
  let pushedBefore = 0;
  const manifest: Registry["manifest"] = async (reference) => {
    if (reference.tag === tags[0]) {
      pushedBefore = pushed.length;
      seen();
    } else await isLookedAt;
    return registry.manifest(reference);
  };
  await planIn({ ...registry, manifest });
  expect(pushedBefore).toBe(3);
});

const NO_LUCK: Answer<never> = { kind: "absent", request: "GET x", words: "no luck" };

test("a plan that the registry does not serve for a moment is asked for again", async () => {
  let looks = 0;
  const { registry } = pushes({ hasBlob: async () => (looks++ < 3 ? NO_LUCK : { kind: "found", value: true }) });
  await planIn(registry);
  expect(looks).toBeGreaterThan(4);
});

test.each<[string, Partial<Registry>, RegExp]>([
  ["its manifest", { manifest: async () => NO_LUCK }, /^The plan, .*does not serve it: no luck \(GET x\)/],
  ["a blob of it", { hasBlob: async () => NO_LUCK }, /^The plan, .*does not serve it: no luck \(GET x\)/],
])("a plan that was pushed, and of which the registry does not serve %s", async (_, more, words) => {
  const { registry } = pushes(more);
  await expect(planIn(registry)).rejects.toMatchObject({
    code: "E_PUSH",
    message: expect.stringMatching(words),
    fix: expect.stringMatching(/\w/),
    cause: NO_LUCK,
  });
});

test("a set is as old as its oldest platform and took as long as its slowest; the branch's tag is the last", async () => {
  const { registry, pushed } = pushes();
  const stored = await planIn(registry);
  const { image } = await publishSet(stored, complete({ earlier: [EARLIER], aliases: [tags[2]] }), worldOf(registry));
  expect(pushed.slice(3).map(([name]) => name)).toEqual(tags);
  const [, index = ""] = pushed.at(-1) ?? [];
  expect(image.digest).toBe(sha(index));
  expect(JSON.parse(index).manifests.at(-1)).toMatchObject({
    digest: stored.manifest.digest,
    annotations: { "dev-container-cache.built": "2026-01-01T00:00:00.000Z", "dev-container-cache.seconds": "90" },
  });
});

/** Every request is answered when all that can be sent before has been: those of one wave together. */
function inWaves(registry: Registry): { readonly registry: Registry; readonly waves: () => number } {
  let waves = 0;
  let wave: Promise<void> | undefined;
  const next = (): Promise<void> => {
    wave ??= new Promise((done) =>
      setImmediate(() => {
        waves++;
        wave = undefined;
        done();
      }),
    );
    return wave;
  };
  const late =
    <In extends readonly unknown[], Out>(ask: (...asked: In) => Promise<Out>) =>
    async (...asked: In): Promise<Out> => {
      await next();
      return ask(...asked);
    };
  const { putBlob, putManifest, manifest, hasBlob } = registry;
  const slow = {
    putBlob: late(putBlob),
    putManifest: late(putManifest),
    manifest: late(manifest),
    hasBlob: late(hasBlob),
  };
  return { registry: { ...registry, ...slow }, waves: () => waves };
}

test("plan and set are there, read back and named in seven waves", async () => {
  const { registry, waves } = inWaves(pushes().registry);
  await publishSet(await planIn(registry), complete({ aliases: [tags[2]] }), worldOf(registry));
  expect(waves()).toBe(7);
});

test("nobody reads a digest that is given a name meanwhile, and its further names are given in one wave", async () => {
  const { registry, pushed } = pushes();
  const stored = await planIn(registry);
  const during = { writes: 0, most: 0, reads: 0 };
  const later = (): Promise<void> => new Promise((done) => setImmediate(done));
  const writing: Registry = {
    ...registry,
    putManifest: async (...asked) => {
      during.writes++;
      during.most = Math.max(during.most, during.writes);
      await later();
      during.writes--;
      return registry.putManifest(...asked);
    },
    manifest: async (reference) => {
      during.reads += during.writes;
      await later();
      during.reads += during.writes;
      return registry.manifest(reference);
    },
  };
  await publishSet(stored, complete({ aliases: [tags[2]] }), worldOf(writing));
  expect(pushed.slice(3).map(([name]) => name)).toEqual(tags);
  expect(during).toEqual({ writes: 0, most: 2, reads: 0 });
});

test("where the set is not served, the branch goes on naming what it named", async () => {
  const refused: Answer<never> = { kind: "unavailable", request: "GET x", words: "no luck" };
  const { registry, pushed } = pushes();
  const stored = await planIn(registry);
  const silent = worldOf({ ...registry, manifest: async () => refused });
  const publishing = publishSet(stored, complete({ aliases: [tags[2]] }), silent);
  await expect(publishing).rejects.toMatchObject({ code: "E_PUSH", message: expect.stringContaining("no luck") });
  expect(pushed.map(([name]) => name)).not.toContain(tags[2]);
});
