import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ActionError } from "../../src/errors.ts";
import { setTag, sourceTag } from "../../src/key/fingerprint.ts";
import type { Plan } from "../../src/plan/keyed.ts";
import type { Wanted } from "../../src/plan/wanted.ts";
import { type Probed, probe } from "../../src/probe/probe.ts";
import { openRegistry } from "../../src/registry/client.ts";
import type { StoredLogin } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { planOf, portsOf } from "../plan-of.ts";
import { budgetOf, timeOf } from "./budget.ts";
import { openHostileNetwork, type Store, type Twist, twists } from "./hostile-network.ts";
import { openVirtualTime } from "./virtual-time.ts";

// The probe on a network that answers anything. Everything is there and whole: so a miss is right only where a registry itself has said
// that something is not there, a hit only where all that it needs was served as it is, and everything else is unknown.

const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const PROBE_TIME = 60_000;
const RUNS = 600;
const RIGHT: Twist = { kind: "right", delay: 1 };
const ABSENT: Twist = { kind: "absent" };

const store = new Map<string, { readonly bytes: Uint8Array; readonly type: string }>();
/** What a hit has to have seen, and what an image of the same sources has to have seen. */
const needed: { hit: readonly string[]; stale: readonly string[] } = { hit: [], stale: [] };
/** Of one platform: its own tag, and what that names. It may also be found in the set. */
const needs = new Map<string, { readonly tag: string; readonly parts: readonly string[] }>();
let workspace: string;
let wanted: Wanted;

const digestOf = (bytes: Uint8Array): `sha256:${string}` =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Puts something into the store by its digest, and under a name. */
function keep(repository: string, kind: "manifests" | "blobs", value: unknown, type: string, name?: string) {
  const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const digest = digestOf(bytes);
  for (const one of [digest, ...(name === undefined ? [] : [name])])
    store.set(`${repository}/${kind}/${one}`, { bytes, type });
  return { mediaType: type, digest, size: bytes.length };
}

const BASE = "registry.test/v2/base";
const CACHE = "cache.test/v2/team/app";
const blob = (text: unknown) => keep(CACHE, "blobs", text, "application/octet-stream");
const at = (kind: "manifests" | "blobs", name: string): string => `${CACHE}/${kind}/${name}`;

/** An image of each platform, as BuildKit pushes it, under the platform's own tag, and both as one set with a plan. */
function publish(plan: Plan): void {
  const images = plan.platforms.map(({ platform, tag }) => {
    const config = blob({ ...platform, config: {} });
    const layers = ["one", "two"].map((text) => blob(`layer ${text} of ${platform.architecture}`));
    const manifest = keep(
      CACHE,
      "manifests",
      { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers },
      OCI_MANIFEST,
    );
    const entry = { ...manifest, platform };
    keep(CACHE, "manifests", { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }, OCI_INDEX, tag);
    const parts = [at("manifests", manifest.digest), ...[config, ...layers].map(({ digest }) => at("blobs", digest))];
    needs.set(platform.architecture, { tag: at("manifests", tag), parts });
    return { entry, parts };
  });
  const statement = { ...blob("plan"), annotations: {} };
  const stored = keep(
    CACHE,
    "manifests",
    { schemaVersion: 2, mediaType: OCI_MANIFEST, config: blob("{}"), layers: [statement] },
    OCI_MANIFEST,
  );
  const annotations = {
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": images[0]?.entry.digest,
    "dev-container-cache.own": wanted.ownKey,
    "dev-container-cache.key": plan.key,
  };
  const manifests = [
    ...images.map(({ entry }) => entry),
    { ...stored, annotations, platform: { os: "unknown", architecture: "unknown" } },
  ];
  const tags = { hit: setTag(plan.key), stale: sourceTag(wanted.sourceKey) };
  for (const kind of ["hit", "stale"] as const) {
    keep(CACHE, "manifests", { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX, tags[kind]);
    needed[kind] = [at("manifests", tags[kind]), ...images.flatMap(({ parts }) => parts)];
  }
}

beforeAll(async () => {
  const manifests = ["amd64", "arm64"].map((architecture) => ({
    ...keep(BASE, "manifests", { schemaVersion: 2, architecture }, OCI_MANIFEST),
    platform: { os: "linux", architecture },
  }));
  keep(BASE, "manifests", { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX, "1");
  workspace = makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const inputs = { platforms: "linux/amd64,linux/arm64", "cache-repo": "cache.test/team/app" };
  ({ wanted } = (await planOf({ workspace, images: {}, inputs })).sources);
  const { probed } = await play([RIGHT]);
  if (!probed?.plan) throw new Error("no plan");
  publish(probed.plan);
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

async function play(script: readonly Twist[], login?: StoredLogin) {
  const time = openVirtualTime();
  const { http, told } = openHostileNetwork(store satisfies Store, script, time);
  const registry = openRegistry(http, {
    clock: time.clock,
    mask: () => undefined,
    credentials: async () => login,
    pushes: () => true,
    insecure: () => false,
  });
  const began = time.clock();
  registry.limitTime(PROBE_TIME);
  let probed: Probed | undefined;
  let thrown: unknown;
  try {
    probed = await probe(wanted, registry, portsOf(registry));
  } catch (error) {
    thrown = error;
  }
  return { probed, thrown, told, lasted: time.clock() - began };
}

test("nothing goes wrong: a hit", async () => {
  const { probed } = await play([RIGHT]);
  expect(probed?.verdict.kind).toBe("hit");
});

const logins = fc.constantFrom<StoredLogin | undefined>(
  undefined,
  { username: "me", password: "pass" },
  { identityToken: "pass" },
);

/** What a verdict says is there was shown, and what it says is not was denied. */
function expectShown(verdict: Probed["verdict"], told: Awaited<ReturnType<typeof play>>["told"]): void {
  const proved = (all: readonly string[]) => expect([...told.proved]).toEqual(expect.arrayContaining([...all]));
  if (verdict.kind === "miss" || verdict.kind === "partial" || verdict.kind === "joinable")
    expect(told.absences).toBeGreaterThan(0);
  // Without its own tag it is the newest of its sources.
  if (verdict.kind === "hit") proved(verdict.lacksTag ? needed.stale : needed.hit);
  if (verdict.kind === "stale") proved(needed.stale);
  if (verdict.kind !== "joinable" && verdict.kind !== "partial") return;
  for (const { platform } of verdict.found) {
    const { tag = "no tag", parts = [] } = needs.get(platform.architecture) ?? {};
    proved(parts);
    expect([tag, needed.hit[0], needed.stale[0]].some((one) => one !== undefined && told.proved.has(one))).toBe(true);
  }
}

/** One of each end: how often chance comes there is no promise. */
const EXAMPLES = new Map<string, [readonly Twist[], StoredLogin | undefined]>([
  ["hit", [[RIGHT], undefined]],
  ["unknown", [[{ kind: "failure", why: "passing", delay: 0 }], undefined]],
  // The base is there, nothing else.
  ["miss", [[ABSENT, RIGHT, ...Array<Twist>(5).fill(ABSENT), ...Array<Twist>(12).fill(RIGHT)], undefined]],
  ["joinable", [[ABSENT, RIGHT, ABSENT, ...Array<Twist>(12).fill(RIGHT)], undefined]],
]);

test(
  "whatever the network says: no miss that nobody said, no hit that was not shown, no crash, an end",
  async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(twists, logins, async (script, login) => {
        const { probed, thrown, told, lasted } = await play(script, login);
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(ActionError);
        expect(lasted).toBeLessThanOrEqual(PROBE_TIME + 1000);
        expect(told.requests).toBeLessThan(1000);
        const verdict = probed?.verdict;
        const kind = verdict?.kind ?? "error";
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
        if (verdict) expectShown(verdict, told);
      }),
      { ...budgetOf("probe", RUNS), examples: [...EXAMPLES.values()] },
    );
    process.stdout.write(`probes ended as ${JSON.stringify(Object.fromEntries(seen))}\n`);
    // Else the property would say nothing.
    expect([...seen.keys()]).toEqual(expect.arrayContaining([...EXAMPLES.keys()]));
  },
  timeOf(RUNS),
);
