import { beforeAll, expect, test } from "vitest";
import { BUILT_ANNOTATION } from "../../src/key/record.ts";
import {
  ATTESTATION,
  type Descriptor,
  OWN_ANNOTATION,
  REFERENCE_DIGEST,
  REFERENCE_TYPE,
  type Served,
} from "../../src/oci/manifest.ts";
import { IN_TOTO, OCI_INDEX, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { formatPlatform, type Platform } from "../../src/oci/platform.ts";
import type { Plan } from "../../src/plan/keyed.ts";
import type { Wanted } from "../../src/plan/wanted.ts";
import { leaveOutOld } from "../../src/probe/age.ts";
import type { Found } from "../../src/probe/found.ts";
import type { Probed } from "../../src/probe/probe.ts";
import type { Verdict } from "../../src/probe/verdict.ts";
import type { Registry } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf, registryOf, sha } from "../plan-of.ts";

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const ago = (days: number): string => new Date(NOW - days * DAY).toISOString();

let wanted: Wanted;
let plan: Plan;
let amd64: Platform;
let arm64: Platform;

beforeAll(async () => {
  const { sources, probed } = await planOf({
    workspace: makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' }),
    images: { "registry.test/base:1": indexOf({ "linux/amd64": "a", "linux/arm64": "b" }) },
    inputs: { platforms: "linux/amd64,linux/arm64", verify: "none" },
  });
  const [first, second] = sources.wanted.platforms;
  if (!probed.plan || !first || !second) throw new Error("no plan");
  wanted = sources.wanted;
  plan = probed.plan;
  [amd64, arm64] = [first.platform, second.platform];
});

function index(manifests: readonly Descriptor[]): Served {
  const bytes = new TextEncoder().encode(JSON.stringify(manifests));
  const descriptor = { mediaType: OCI_INDEX, digest: sha(JSON.stringify(manifests)), size: bytes.length };
  return { bytes, descriptor, body: { kind: "index", mediaType: OCI_INDEX, manifests, annotations: {} } };
}

const attestation = (digest: string, annotations: Descriptor["annotations"], name: string): Descriptor => ({
  mediaType: OCI_MANIFEST,
  digest: sha(name),
  size: 1,
  annotations: { [REFERENCE_TYPE]: ATTESTATION, [REFERENCE_DIGEST]: digest, ...annotations },
  platform: { os: "unknown", architecture: "unknown" },
});

/** A set that says when it was built, or does not. */
function set(days: number | undefined): Served {
  const built = { [OWN_ANNOTATION]: "x", ...(days === undefined ? {} : { [BUILT_ANNOTATION]: ago(days) }) };
  return index([attestation(sha("image"), built, "plan")]);
}

/** A platform's own index, and what its provenance says; a provenance of an unknown time is none. */
type Image = { readonly found: Found; readonly statement: string; readonly name: string };

function image(platform: Platform, days: number | undefined): Image {
  const name = `${formatPlatform(platform)} ${days}`;
  const finished = days === undefined ? undefined : ago(days);
  const statement = JSON.stringify({
    predicate: { metadata: { buildStartedOn: finished, buildFinishedOn: finished } },
  });
  const manifest = sha(name);
  const own = { mediaType: OCI_MANIFEST, digest: manifest, size: 1, platform };
  const attested = attestation(manifest, {}, `${name} attestation`);
  return { found: { platform, manifest, index: index([own, attested]) }, statement, name };
}

/** A registry in which these images stand under their platforms' tags. */
function registry(images: readonly Image[]): Registry {
  const manifests: Record<string, Served> = {};
  const statements = new Map(images.map(({ name, statement }) => [sha(`${name} provenance`), statement]));
  for (const { found, name } of images) {
    const tag = plan.platforms.find(({ platform }) => platform === found.platform)?.tag;
    manifests[`cache.test/team/app:${tag}`] = found.index;
    const digest = sha(`${name} attestation`);
    const annotations = { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" };
    const layer = { mediaType: IN_TOTO, digest: sha(`${name} provenance`), size: 1, annotations };
    const body = {
      kind: "manifest",
      mediaType: OCI_MANIFEST,
      config: layer,
      layers: [layer],
      annotations: {},
    } as const;
    const descriptor = { mediaType: OCI_MANIFEST, digest, size: 1 };
    manifests[`cache.test/team/app@${digest}`] = { bytes: new Uint8Array(), descriptor, body };
  }
  return {
    ...registryOf(manifests),
    blob: async (_, { digest }) => ({ kind: "found", value: new TextEncoder().encode(statements.get(digest) ?? "") }),
  };
}

const told = (verdict: Verdict): string => {
  const names = (list: readonly Platform[]): string => list.map(({ architecture }) => architecture).join("+");
  if (verdict.kind === "stale") return `stale, reusable ${names(verdict.reusable.map(({ platform }) => platform))}`;
  if (verdict.kind === "partial") return `partial ${names(verdict.found.map(({ platform }) => platform))}`;
  return verdict.kind;
};

type Row = {
  readonly name: string;
  readonly verdict: (images: readonly Found[]) => Verdict;
  /** Days since the builds of what stands under the platforms' tags: amd64, arm64. */
  readonly platforms: readonly (number | "unknown" | undefined)[];
  readonly left: string;
  /** Whose age is told. */
  readonly old?: number;
};

const hit = (days: number | undefined) => (): Verdict => ({
  kind: "hit",
  image: { ...wanted.repository, digest: sha("set") },
  index: set(days),
  found: [],
});
const stale =
  (days: number | undefined) =>
  (reusable: readonly Found[]): Extract<Verdict, { kind: "stale" }> => ({
    kind: "stale",
    image: { ...wanted.repository, digest: sha("set") },
    index: set(days),
    found: [],
    reusable,
  });
const doubt = { kind: "plan", what: "x", fix: "y" } as const;
const joinable = (found: readonly Found[]): Verdict => ({ kind: "joinable", found });
const partial = (found: readonly Found[]): Verdict => ({ kind: "partial", found, missing: [arm64], damaged: [] });

const ROWS: readonly Row[] = [
  { name: "a young set", verdict: hit(30), platforms: [40, 40], left: "hit" },
  { name: "a set that does not tell its age", verdict: hit(undefined), platforms: [40, 40], left: "hit" },
  { name: "an old set of old platforms", verdict: hit(31), platforms: [31, 31], left: "miss", old: 31 },
  { name: "an old set whose platforms are gone", verdict: hit(31), platforms: [], left: "miss", old: 31 },
  {
    name: "an old set, one platform built since",
    verdict: hit(31),
    platforms: [31, 1],
    left: "partial arm64",
    old: 31,
  },
  { name: "an old set, all platforms built since", verdict: hit(31), platforms: [2, 1], left: "joinable" },
  { name: "young platforms without a set", verdict: joinable, platforms: [2, 1], left: "joinable" },
  { name: "platforms of unknown age without a set", verdict: joinable, platforms: ["unknown", 1], left: "joinable" },
  { name: "an old platform without a set", verdict: joinable, platforms: [2, 33], left: "partial amd64", old: 33 },
  { name: "one platform, young", verdict: partial, platforms: [2], left: "partial amd64" },
  { name: "one platform, old", verdict: partial, platforms: [32], left: "miss", old: 32 },
  { name: "a young last image", verdict: stale(30), platforms: [], left: "stale, reusable " },
  {
    name: "a young last image, one platform old",
    verdict: stale(3),
    platforms: [32],
    left: "stale, reusable ",
    old: 32,
  },
  { name: "an old last image", verdict: stale(31), platforms: [], left: "miss", old: 31 },
  {
    name: "an old last image, one platform built since",
    verdict: stale(31),
    platforms: [1],
    left: "partial amd64",
    old: 31,
  },
  {
    name: "an old last image where upstream cannot be read",
    verdict: (found) => ({ ...stale(31)(found), doubt }),
    platforms: [],
    left: "unknown",
    old: 31,
  },
  { name: "a miss", verdict: () => ({ kind: "miss", damaged: [] }), platforms: [], left: "miss" },
  { name: "doubt", verdict: () => ({ kind: "unknown", doubt }), platforms: [], left: "unknown" },
];

test.each(ROWS)("at most 30 days: $name", async ({ verdict, platforms, left, old }) => {
  const images = platforms.map((days, at) => image(at === 0 ? amd64 : arm64, days === "unknown" ? undefined : days));
  const probed: Probed = { plan, verdict: verdict(images.map(({ found }) => found)), warnings: [] };
  const aged = await leaveOutOld(probed, { days: 30, now: NOW }, wanted, registry(images));
  expect(told(aged.verdict)).toBe(left);
  expect(aged.tooOld?.reason.text).toBe(
    old === undefined ? undefined : `the image that is there was built ${old} days ago, and cache-ttl-days is 30`,
  );
});

test("without a limit nothing is asked and nothing is too old", async () => {
  const probed: Probed = { plan, verdict: hit(4000)(), warnings: [] };
  const silent: Registry = {
    ...registryOf({}),
    manifest: async () => {
      throw new Error("asked");
    },
  };
  const aged = await leaveOutOld(probed, { days: undefined, now: NOW }, wanted, silent);
  expect(aged).toEqual({ ...probed, tooOld: undefined });
});
