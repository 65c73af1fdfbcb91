import { expect, test } from "vitest";
import { LAG, lookForOther, type Named, putTag, type Spot, settleTag } from "../../src/build/claim.ts";
import type { Served } from "../../src/oci/manifest.ts";
import { OCI_INDEX } from "../../src/oci/media-types.ts";
import type { Answer, Registry, RegistryError } from "../../src/world.ts";
import { registryOf, sha } from "../plan-of.ts";

const reference = { registry: "cache.test", repository: "team/app", tag: "k1-x" };
const absent: RegistryError = { kind: "absent", request: "GET x", words: "manifest unknown" };
const found = <T>(value: T): Answer<T> => ({ kind: "found", value });

function servedOf(content: string): Served {
  return {
    bytes: new TextEncoder().encode(content),
    descriptor: { mediaType: OCI_INDEX, digest: sha(content), size: content.length },
    body: { kind: "index", mediaType: OCI_INDEX, manifests: [], annotations: {} },
  };
}

/** Everything counts but what begins with "bad". */
const spot = (before?: Served): Spot => ({
  reference,
  before: before?.descriptor.digest,
  judge: async ({ bytes }) =>
    new TextDecoder().decode(bytes).startsWith("bad")
      ? { kind: "damaged", what: "it is bad" }
      : { kind: "sound", found: [] },
});

const named = (content: string): Named => ({ served: servedOf(content), found: [] });

/** A registry with one tag that answers a look with one thing after another; the last stays. Time passes only where somebody waits. */
function playing(...answers: readonly (Served | RegistryError)[]) {
  const waits: number[] = [];
  let [now, looks] = [1000, 0];
  const registry: Registry = {
    ...registryOf({}),
    manifest: async () => {
      const answer = answers[Math.min(looks++, answers.length - 1)] ?? absent;
      return "kind" in answer ? answer : found(answer);
    },
  };
  const pause = async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    now += milliseconds;
  };
  return { registry, waits, pause, clock: () => now };
}

const SINCE = { look: 980, put: 1000 };

test("a tag that names what was put: one look, not before others can have put theirs", async () => {
  const world = playing(servedOf("ours"));
  expect(await settleTag(spot(), named("ours"), SINCE, world)).toEqual({ named: named("ours"), lag: undefined });
  expect(world.waits).toEqual([50]);
});

test("a slow registry is given as long as it took", async () => {
  const world = playing(servedOf("ours"));
  await settleTag(spot(), named("ours"), { look: 200, put: 1000 }, world);
  expect(world.waits).toEqual([800]);
});

test("a clock that was set back meanwhile is not waited for", async () => {
  const world = playing(servedOf("ours"));
  await settleTag(spot(), named("ours"), { look: 3_600_960, put: 3_601_000 }, world);
  expect(world.waits).toEqual([50]);
});

test.each<[string, readonly (Served | RegistryError)[]]>([
  ["is not there at first", [absent, absent, servedOf("ours")]],
  ["names what it named before at first", [servedOf("before"), servedOf("before"), servedOf("ours")]],
  ["names something that does not count at first", [servedOf("bad"), servedOf("bad"), servedOf("ours")]],
])("a tag that %s is asked again, and nothing is said", async (_, answers) => {
  const world = playing(...answers);
  const settled = await settleTag(spot(servedOf("before")), named("ours"), SINCE, world);
  expect(settled).toEqual({ named: named("ours"), lag: undefined });
  expect(world.waits).toEqual([50, 250, 500, 1000]);
});

test("a tag that lags: whoever has looked before it showed has put too, and counts", async () => {
  const world = playing(absent, servedOf("ours"), servedOf("theirs"), servedOf("theirs"));
  expect(await settleTag(spot(), named("ours"), SINCE, world)).toEqual({ named: named("theirs"), lag: undefined });
});

test("a tag that lags, and shows another job's set at the last look: nothing is said", async () => {
  const world = playing(absent, absent, absent, absent, servedOf("theirs"));
  expect(await settleTag(spot(), named("ours"), SINCE, world)).toEqual({ named: named("theirs"), lag: undefined });
});

test.each<[string, Served | RegistryError, RegExp]>([
  ["stays away", absent, /manifest unknown/],
  ["goes on naming what it named", servedOf("before"), new RegExp(sha("before"))],
  ["goes on naming something that does not count", servedOf("bad"), new RegExp(sha("bad"))],
])("a tag that %s: the image is handed out all the same, and why is told", async (_, answer, lag) => {
  const world = playing(answer);
  const settled = await settleTag(spot(servedOf("before")), named("ours"), SINCE, world);
  expect(settled.named).toEqual(named("ours"));
  expect(settled.lag).toMatch(lag);
  expect(world.waits).toEqual([50, ...LAG]);
});

test("a registry that cannot say is asked once", async () => {
  const world = playing({ kind: "unavailable", request: "GET x", words: "no luck" });
  const settled = await settleTag(spot(), named("ours"), SINCE, world);
  expect(settled).toEqual({ named: named("ours"), lag: "no luck" });
});

test("another job's set is what counts, once it stays", async () => {
  const world = playing(servedOf("theirs"), servedOf("last"), servedOf("last"));
  expect(await settleTag(spot(), named("ours"), SINCE, world)).toEqual({ named: named("last"), lag: undefined });
});

test.each<[string, Served | RegistryError, Answer<never> | undefined, string | undefined]>([
  ["nothing is there", absent, undefined, undefined],
  ["something is there that does not count", servedOf("bad"), undefined, undefined],
  ["what is to be built over is there", servedOf("before"), undefined, undefined],
  ["another job was faster", servedOf("theirs"), undefined, "theirs"],
])("to put a tag, where %s", async (_, there, __, expected) => {
  const world = playing(there);
  const its = spot(servedOf("before"));
  const put: string[] = [];
  const registry: Registry = {
    ...world.registry,
    putManifest: async (___, bytes) => {
      put.push(new TextDecoder().decode(bytes));
      return found(servedOf("ours").descriptor);
    },
  };
  const other = await putTag(its, servedOf("ours"), lookForOther(its, { ...world, registry }), { ...world, registry });
  expect(other && new TextDecoder().decode(other.served.bytes)).toBe(expected);
  expect(put).toEqual(expected === undefined ? ["ours"] : []);
});

test.each<[string, Served | RegistryError, string]>([
  ["the push had reached the registry", servedOf("ours"), "ours"],
  ["another job has put its own", servedOf("theirs"), "theirs"],
  ["what was to be built over may not be moved", servedOf("before"), "before"],
])("the registry refuses the tag, and %s", async (_, there, expected) => {
  const world = playing(absent, there);
  const its = spot(servedOf("before"));
  const look = lookForOther(its, world);
  const registry: Registry = { ...world.registry, putManifest: async () => ({ ...absent, kind: "denied" }) };
  const other = await putTag(its, servedOf("ours"), look, { ...world, registry });
  expect(new TextDecoder().decode((other ?? named("ours")).served.bytes)).toBe(expected);
});

test.each([
  [
    "tag invalid: The image tag 'k1-x' already exists and cannot be overwritten because the repository is immutable.",
    /delete that tag/,
  ],
  ["configured as immutable, cannot be updated", /delete that tag/],
  ["quota exceeded", /Run the job again/],
])("the registry refuses the tag and what it names does not count: %s", async (words, fix) => {
  const world = playing(servedOf("bad"));
  const registry: Registry = { ...world.registry, putManifest: async () => ({ ...absent, kind: "denied", words }) };
  const putting = putTag(spot(), servedOf("ours"), lookForOther(spot(), world), { ...world, registry });
  await expect(putting).rejects.toMatchObject({ code: "E_PUSH", fix: expect.stringMatching(fix) });
});

test.each(["unavailable", "limited"] as const)(
  "a tag that is to be built over, and cannot be pushed for now (%s): what it names is not handed out",
  async (kind) => {
    const world = playing(servedOf("before"));
    const its = spot(servedOf("before"));
    const registry: Registry = { ...world.registry, putManifest: async () => ({ ...absent, kind, words: "not now" }) };
    const putting = putTag(its, servedOf("ours"), lookForOther(its, world), { ...world, registry });
    await expect(putting).rejects.toMatchObject({ code: "E_PUSH", fix: expect.stringMatching(/Run the job again/) });
  },
);

test("a tag that has shown what counts, and a registry that then cannot say: nothing is told", async () => {
  const world = playing(absent, servedOf("ours"), { kind: "unavailable", request: "GET x", words: "no luck" });
  expect(await settleTag(spot(), named("ours"), SINCE, world)).toEqual({ named: named("ours"), lag: undefined });
});

/** A registry in which every look takes its time, and whose tag is another job's from some moment on. */
function takenAt(moment: number, looks: readonly number[]) {
  let [now, looked] = [0, 0];
  const put: number[] = [];
  const registry: Registry = {
    ...registryOf({}),
    manifest: async () => {
      const answer = now >= moment ? found(servedOf("theirs")) : absent;
      await Promise.resolve();
      now += looks[Math.min(looked++, looks.length - 1)] ?? 0;
      return answer;
    },
    putManifest: async () => {
      put.push(now);
      return found(servedOf("ours").descriptor);
    },
  };
  const hold = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { world: { registry, clock: () => now }, put, hold, looked: () => looked };
}

test.each<[string, number, readonly number[], number, number, string | undefined, number]>([
  ["not held up", 30, [20], 0, 20, undefined, 1],
  ["held up between the look and the push", 100, [20], 900, 20, "theirs", 2],
  ["held up there for a moment", 70, [20], 60, 20, "theirs", 2],
  ["held up, and nobody else has come", 5000, [20], 900, 20, undefined, 2],
  ["held up while the answer was on its way", 100, [900, 20], 0, 20, "theirs", 2],
  ["held up for a moment while the answer was on its way", 60, [80, 20], 0, 20, "theirs", 2],
  ["held up longer every time", 5000, [100, 300, 900, 2700], 0, 20, undefined, 4],
  ["far away", 5000, [300], 0, 300, undefined, 1],
  ["far away, and held up as well", 800, [900, 300], 0, 300, "theirs", 2],
  ["far away, and nothing has told so", 5000, [300], 0, 0, undefined, 2],
])(
  "a job that is %s: what others have named meanwhile counts",
  async (_, moment, looks, held, trip, expected, number) => {
    const { world, put, hold, looked } = takenAt(moment, looks);
    const look = lookForOther(spot(), world, trip);
    await look.other;
    hold(held);
    const other = await putTag(spot(), servedOf("ours"), look, world);
    expect(other && new TextDecoder().decode(other.served.bytes)).toBe(expected);
    expect(put).toHaveLength(expected === undefined ? 1 : 0);
    expect(looked()).toBe(number);
  },
);

test.each<[string, Served | RegistryError, readonly boolean[], string]>([
  ["nothing was put meanwhile", absent, [true], "ours"],
  ["another job has put its own", servedOf("theirs"), [false], "theirs"],
  ["the push had reached the registry", servedOf("ours"), [false], "ours"],
])("a push that failed in passing, and %s", async (_, there, expected, name) => {
  const world = playing(absent, there);
  const asked: boolean[] = [];
  const registry: Registry = {
    ...world.registry,
    putManifest: async (__, ___, ____, _____, isWanted) => {
      asked.push((await isWanted?.()) ?? true);
      return asked[0] ? found(servedOf("ours").descriptor) : { ...absent, kind: "unavailable" };
    },
  };
  const other = await putTag(spot(), servedOf("ours"), lookForOther(spot(), world), { ...world, registry });
  expect(asked).toEqual(expected);
  expect(new TextDecoder().decode((other ?? named("ours")).served.bytes)).toBe(name);
  expect(other?.refused).toBeUndefined();
});

test("of ten jobs at once all name one, whatever the network does to each of them", async () => {
  const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));
  const trial = async (): Promise<number> => {
    let tag: Served | undefined;
    const slowly = async <T>(work: () => T): Promise<T> => {
      await pause(Math.random() * 10);
      const result = work();
      await pause(Math.random() * 10);
      return result;
    };
    const registry: Registry = {
      ...registryOf({}),
      manifest: () => slowly(() => (tag ? found(tag) : absent)),
      putManifest: (_, bytes) =>
        slowly(() => {
          tag = servedOf(new TextDecoder().decode(bytes));
          return found(tag.descriptor);
        }),
    };
    const world = { registry, pause, clock: Date.now };
    const job = async (_: unknown, number: number): Promise<string> => {
      await pause(Math.random() * 30);
      const ours = named(`job ${number}`);
      const look = lookForOther(spot(), world);
      const other = await putTag(spot(), ours.served, look, world);
      const settled = await settleTag(spot(), other ?? ours, { look: look.at, put: Date.now() }, world);
      return settled.named.served.descriptor.digest;
    };
    return new Set(await Promise.all(Array.from({ length: 10 }, job))).size;
  };
  expect(await Promise.all(Array.from({ length: 20 }, trial))).toEqual(Array.from({ length: 20 }, () => 1));
});
