import { beforeAll, expect, test } from "vitest";
import { ownKey, setTag, sourceTag } from "../../src/key/fingerprint.ts";
import { attestationManifest, type Document, KEY_ANNOTATION, setIndex, textDocument } from "../../src/key/record.ts";
import { ATTESTATION, REFERENCE_DIGEST, REFERENCE_TYPE, readManifest, type Served } from "../../src/oci/manifest.ts";
import { IN_TOTO, OCI_INDEX, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import type { Platform } from "../../src/oci/platform.ts";
import type { Plan } from "../../src/plan/keyed.ts";
import type { Wanted } from "../../src/plan/wanted.ts";
import { probe } from "../../src/probe/probe.ts";
import type { Verdict } from "../../src/probe/verdict.ts";
import type { Answer, Registry, RegistryError } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { indexOf, planOf, portsOf, registryOf, sha } from "../plan-of.ts";

const BASES = { "registry.test/base:1": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }) };
const CACHE = "cache.test/team/app";

let wanted: Wanted;
let plan: Plan;

beforeAll(async () => {
  const workspace = makeCheckout({ ".devcontainer/devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const { sources, probed } = await planOf({
    workspace,
    images: BASES,
    inputs: { platforms: "linux/amd64,linux/arm64" },
  });
  if (!probed.plan) throw new Error("no plan");
  wanted = sources.wanted;
  plan = probed.plan;
});

function serve({ bytes, descriptor }: Document): Served {
  const body = readManifest(JSON.parse(new TextDecoder().decode(bytes)), descriptor.mediaType);
  if ("wrong" in body) throw new Error(body.wrong);
  return { bytes, descriptor, body };
}

/** One platform's small index, and the image in it. */
function platformImages(content: string): { readonly index: Served; readonly images: Record<string, Served> } {
  const layer = { mediaType: "layer", digest: sha(`${content} layer`), size: 5 };
  const manifest = serve(attestationManifest([layer]).manifest);
  const [entry] = wanted.platforms;
  if (!entry) throw new Error("no platform");
  const index: Served = {
    ...manifest,
    body: {
      kind: "index",
      mediaType: "x",
      annotations: {},
      manifests: [{ ...manifest.descriptor, platform: entry.platform }],
    },
  };
  return { index, images: { [`${CACHE}@${manifest.descriptor.digest}`]: manifest } };
}

/** A whole set as a run publishes it, with everything that it names. */
function publishedSet(
  own = wanted.ownKey,
  key = plan.key,
  unlabelled = sha("other layers"),
): { readonly set: Served; readonly images: Record<string, Served> } {
  const parts = wanted.platforms.map(({ platform }, position) => {
    const layer = { mediaType: "layer", digest: sha(`layer ${position}`), size: 5 };
    const manifest = serve(attestationManifest([layer]).manifest);
    const index: Served = {
      ...manifest,
      body: { kind: "index", mediaType: "x", annotations: {}, manifests: [{ ...manifest.descriptor, platform }] },
    };
    return { platform, manifest: manifest.descriptor.digest, index, served: manifest };
  });
  const statement = { mediaType: "statement", digest: sha("statement"), size: 9 };
  const set = serve(
    setIndex(parts, {
      manifest: attestationManifest([statement]).manifest.descriptor,
      own,
      key,
      unlabelled,
      built: "2026-01-01T00:00:00Z",
      seconds: 5,
    }),
  );
  return {
    set,
    images: Object.fromEntries(parts.map(({ served }) => [`${CACHE}@${served.descriptor.digest}`, served])),
  };
}

const setName = () => `${CACHE}:${setTag(plan.key)}`;
const sourceName = () => `${CACHE}:${sourceTag(wanted.sourceKey)}`;
const platformName = (index: number) => `${CACHE}:${plan.platforms[index]?.tag ?? ""}`;

/** The sample has no features: nothing is asked of the ports. */
const probeOf = (what: Wanted, registry: Registry) => probe(what, registry, portsOf(registry));

async function verdictOf(images: Readonly<Record<string, Served>>, more: Partial<Registry> = {}): Promise<Verdict> {
  return (await probeOf(wanted, { ...registryOf({ ...BASES, ...images }), ...more })).verdict;
}

const refused = (kind: RegistryError["kind"]): Answer<never> => ({ kind, request: "GET x", words: kind });

test("nothing there: a miss", async () => {
  expect(await verdictOf({})).toEqual({ kind: "miss", damaged: [] });
});

test("the set is there and whole: a hit that names it", async () => {
  const { set, images } = publishedSet();
  const verdict = await verdictOf({ [setName()]: set, [sourceName()]: set, ...images });
  expect(verdict).toMatchObject({
    kind: "hit",
    image: { registry: "cache.test", repository: "team/app", digest: set.descriptor.digest },
  });
});

test("the set is there and is not the newest of its sources: a hit all the same", async () => {
  const { set, images } = publishedSet();
  expect(await verdictOf({ [setName()]: set, ...images })).toMatchObject({ kind: "hit" });
});

test("a set of our key counts that a commit has made which says the same in other words", async () => {
  const { set, images } = publishedSet(ownKey([]));
  expect(await verdictOf({ [setName()]: set, ...images })).toMatchObject({ kind: "hit" });
  const tagged = { [platformName(0)]: set, [platformName(1)]: set, ...images };
  expect(await verdictOf(tagged)).toMatchObject({ kind: "joinable" });
});

test("the newest of the same sources is this very set, and its own tag is gone: a hit; where a part is gone, the rest counts", async () => {
  const { set, images } = publishedSet();
  const image = { digest: set.descriptor.digest };
  expect(await verdictOf({ [sourceName()]: set, ...images })).toMatchObject({ kind: "hit", image, lacksTag: true });
  const [, ...rest] = Object.entries(images);
  expect(await verdictOf({ [sourceName()]: set, ...Object.fromEntries(rest) })).toMatchObject({
    kind: "partial",
    found: [{ platform: { architecture: "arm64" } }],
    damaged: ["the manifest of linux/amd64 is gone from the registry"],
  });
});

test("only the newest of the same sources on other bases is there: stale", async () => {
  const { set, images } = publishedSet(wanted.ownKey, sha("another key"));
  expect(await verdictOf({ [sourceName()]: set, ...images })).toMatchObject({
    kind: "stale",
    image: { digest: set.descriptor.digest },
  });
});

test("another label or recipe than ours is no stale image but a miss", async () => {
  const { set, images } = publishedSet(ownKey([]), sha("another key"));
  expect(await verdictOf({ [sourceName()]: set, ...images })).toEqual({ kind: "miss", damaged: [] });
});

test("the newest of the same sources differs in nothing but the label: a miss that knows of it, and a partial hit too", async () => {
  const { set, images } = publishedSet(ownKey([]), sha("another key"), plan.unlabelledKey);
  const alike = {
    index: set,
    found: [{ platform: { architecture: "amd64" } }, { platform: { architecture: "arm64" } }],
  };
  const newest = { [sourceName()]: set, ...images };
  expect(await verdictOf(newest)).toMatchObject({ kind: "miss", alike });
  const one = platformImages("one");
  expect(await verdictOf({ ...newest, [platformName(0)]: one.index, ...one.images })).toMatchObject({
    kind: "partial",
    alike,
  });
});

test.each<[string, Partial<Registry>]>([
  ["is not whole", { hasBlob: async () => refused("absent") }],
  ["cannot be read whole", { hasBlob: async () => refused("unavailable") }],
])("a newest set that differs in nothing but the label and %s is nothing to relabel", async (_, more) => {
  const { set, images } = publishedSet(ownKey([]), sha("another key"), plan.unlabelledKey);
  expect(await verdictOf({ [sourceName()]: set, ...images }, more)).toEqual({ kind: "miss", damaged: [] });
});

test.each<[string, () => ReturnType<typeof publishedSet>]>([
  ["of other sources", () => publishedSet(ownKey([]), sha("another key"))],
  ["on other bases", () => publishedSet(wanted.ownKey, sha("another key"))],
])(
  "another set under our tag, %s, is no hit, whole as it is, and its platforms' own tags are looked at",
  async (_, make) => {
    const { set, images } = make();
    const own = publishedSet();
    expect(await verdictOf({ [setName()]: set, ...images })).toEqual({
      kind: "miss",
      damaged: [expect.stringMatching(/^the tag k1-[0-9a-f]{64} names another set, sha256:[0-9a-f]{64}, /)],
    });
    const tagged = { [platformName(0)]: own.set, [platformName(1)]: own.set, ...own.images };
    expect(await verdictOf({ [setName()]: set, ...images, ...tagged })).toMatchObject({ kind: "joinable" });
  },
);

test.each<[string, () => ReturnType<typeof publishedSet>]>([
  ["of other sources", () => publishedSet(ownKey([]), sha("another key"))],
  ["on other bases", () => publishedSet(wanted.ownKey, sha("another key"))],
])("another set, %s, under our platforms' own tags is no hit, and is not joined", async (_, make) => {
  const { set, images } = make();
  const tagged = { [platformName(0)]: set, [platformName(1)]: set, ...images };
  const damaged = [0, 1].map(() => expect.stringMatching(/^the tag k1-[0-9a-f]{64}-linux-\w+ names another set, /));
  expect(await verdictOf(tagged)).toEqual({ kind: "miss", damaged });
  expect(await verdictOf({ [setName()]: set, ...tagged })).toMatchObject({ kind: "miss" });
  const own = publishedSet();
  const one = { ...tagged, [platformName(1)]: own.set, ...own.images };
  expect(await verdictOf(one)).toMatchObject({ kind: "partial", missing: [{ architecture: "amd64" }] });
});

test("another set under our tag that cannot be read whole is no doubt about ours", async () => {
  const { set, images } = publishedSet(ownKey([]), sha("another key"));
  const all = { [setName()]: set, ...images };
  expect((await verdictOf(all, { hasBlob: async () => refused("unavailable") })).kind).toBe("miss");
});

test.each<[string, (annotations: Readonly<Record<string, string>>) => Readonly<Record<string, string>>]>([
  ["says nothing of its key, as those of earlier versions", ({ [KEY_ANNOTATION]: _, ...rest }) => rest],
  ["has no plan, which a clean-up may have swept", () => ({})],
])("a set that %s counts", async (_, change) => {
  const { set, images } = publishedSet();
  if (set.body.kind !== "index") throw new Error("no index");
  const manifests = set.body.manifests.map((entry) => ({ ...entry, annotations: change(entry.annotations ?? {}) }));
  const changed: Served = { ...set, body: { ...set.body, manifests } };
  expect(await verdictOf({ [setName()]: changed, ...images })).toMatchObject({ kind: "hit" });
});

/** A manifest alone, as `skopeo copy` without `--all` and docker's own push leave it, and the config that it names. */
function bareImage(config: string): { readonly bare: Served; readonly blob: Registry["blob"] } {
  const bytes = new TextEncoder().encode(config);
  const descriptor = { mediaType: "config", digest: sha(config), size: bytes.length };
  const layers = [{ mediaType: "layer", digest: sha("bare"), size: 5 }];
  const bare = serve(
    textDocument(
      OCI_MANIFEST,
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers }),
    ),
  );
  return {
    bare,
    blob: async (_, { digest }) => (digest === descriptor.digest ? { kind: "found", value: bytes } : refused("absent")),
  };
}

const AMD64 = '{"os":"linux","architecture":"amd64"}';

test.each<[string, Wanted["verify"]]>([
  ["layers", "layers"],
  ["manifests", "manifests"],
  ["none", "none"],
])(
  "a manifest alone counts for the platform that its config states, and for no other: verify: %s",
  async (_, verify) => {
    const { bare, blob } = bareImage(AMD64);
    const ask = async (images: Readonly<Record<string, Served>>) =>
      (await probeOf({ ...wanted, verify }, { ...registryOf({ ...BASES, ...images }), blob })).verdict;
    const only = { found: [{ platform: { architecture: "amd64" } }], missing: [{ architecture: "arm64" }] };
    expect(await ask({ [setName()]: bare })).toMatchObject({
      kind: "partial",
      ...only,
      damaged: [`${bare.descriptor.digest} is an image for linux/amd64 alone, and not for linux/arm64`],
    });
    expect(await ask({ [platformName(0)]: bare, [platformName(1)]: bare })).toMatchObject({ kind: "partial", ...only });
  },
);

test.each<[string, string, string]>([
  [
    "arm64 with the variant that is meant when none is written",
    "arm64",
    '{"os":"linux","architecture":"arm64","variant":"v8"}',
  ],
  ["amd64", "amd64", AMD64],
])("a manifest alone under the tag of a set of one platform is a hit: %s", async (_, architecture, config) => {
  const one = {
    ...wanted,
    platforms: wanted.platforms.filter(({ platform }) => platform.architecture === architecture),
  };
  const { bare, blob } = bareImage(config);
  const serving = (images: Readonly<Record<string, Served>>) => ({ ...registryOf({ ...BASES, ...images }), blob });
  const { plan: small } = await probeOf(one, serving({}));
  if (!small) throw new Error("no plan");
  const tag = `${CACHE}:${setTag(small.key)}`;
  expect((await probeOf(one, serving({ [tag]: bare }))).verdict).toMatchObject({ kind: "hit" });
});

test.each<[string, string]>([
  ["another architecture that runs there too", '{"os":"linux","architecture":"386"}'],
  ["another variant", '{"os":"linux","architecture":"amd64","variant":"v3"}'],
  ["no platform", "{}"],
  ["no operating system", '{"architecture":"amd64"}'],
  ["what is no text", '{"os":["linux"],"architecture":"amd64"}'],
  ["nothing that can be read", "<html>"],
  ["nothing, behind a byte order mark", `\ufeff${AMD64}`],
])("a manifest alone whose config states %s is nobody's image", async (_, config) => {
  const { bare, blob } = bareImage(config);
  const registry = { ...registryOf({ ...BASES, [platformName(0)]: bare }), blob };
  expect((await probeOf(wanted, registry)).verdict).toMatchObject({
    kind: "miss",
    damaged: [expect.stringContaining(bare.descriptor.digest)],
  });
});

test("a manifest alone whose config cannot be read is no image and no miss: unknown", async () => {
  const { bare } = bareImage(AMD64);
  const serving = registryOf({ ...BASES, [platformName(0)]: bare });
  const verdictWith = async (kind: RegistryError["kind"]) =>
    (await probeOf({ ...wanted, verify: "none" }, { ...serving, blob: async () => refused(kind) })).verdict.kind;
  expect(await verdictWith("unavailable")).toBe("unknown");
  expect(await verdictWith("malformed")).toBe("unknown");
  expect(await verdictWith("absent")).toBe("miss");
});

test.each<[string, Platform]>([
  ["linux/386, which amd64 runs too", { os: "linux", architecture: "386" }],
  ["linux/amd64/v3", { os: "linux", architecture: "amd64", variant: "v3" }],
  ["no platform at all", { os: "unknown", architecture: "unknown" }],
])("an index of ours that has %s is no image for linux/amd64", async (_, platform) => {
  const { index, images } = platformImages("one");
  if (index.body.kind !== "index") throw new Error("no index");
  const manifests = index.body.manifests.map((entry) => ({ ...entry, platform }));
  const other: Served = { ...index, body: { ...index.body, manifests } };
  expect(await verdictOf({ [platformName(0)]: other, ...images })).toMatchObject({
    kind: "miss",
    damaged: [`linux/amd64 is not in the index ${index.descriptor.digest}`],
  });
});

test("a manifest that is gone: no hit, said", async () => {
  const { set } = publishedSet();
  const verdict = await verdictOf({ [setName()]: set, [sourceName()]: set });
  expect(verdict).toMatchObject({ kind: "miss", damaged: [expect.stringContaining("gone from the registry")] });
});

test("a layer that is gone: no hit; one that cannot be asked about: unknown", async () => {
  const { set, images } = publishedSet();
  const all = { [setName()]: set, [sourceName()]: set, ...images };
  expect(await verdictOf(all, { hasBlob: async () => refused("absent") })).toMatchObject({ kind: "miss" });
  expect(await verdictOf(all, { hasBlob: async () => refused("unavailable") })).toMatchObject({ kind: "unknown" });
});

test("one platform is there: partial; all of them and no set: joinable", async () => {
  const first = platformImages("one");
  expect(await verdictOf({ [platformName(0)]: first.index, ...first.images })).toMatchObject({
    kind: "partial",
    missing: [wanted.platforms[1]?.platform],
  });
  const { set, images } = publishedSet();
  expect(await verdictOf({ [platformName(0)]: set, [platformName(1)]: set, ...images })).toMatchObject({
    kind: "joinable",
  });
});

test("of sources that never made a set the platforms are looked at beside the set, and on a hit not at all", async () => {
  const { set, images } = publishedSet();
  let seen = (): void => undefined;
  const isPlatformAsked = new Promise<void>((done) => {
    seen = done;
  });
  const tags = plan.platforms.map(({ tag }) => tag);
  let asked = 0;
  const watched = (registry: Registry): Registry => ({
    ...registry,
    manifest: async (reference) => {
      if (tags.includes(reference.tag ?? "") && ++asked > 0) seen();
      return registry.manifest(reference);
    },
  });
  const never = watched(registryOf(BASES));
  const describe: Registry["describe"] = async (reference) => {
    await isPlatformAsked;
    return never.describe(reference);
  };
  expect((await probeOf(wanted, { ...never, describe })).verdict).toEqual({ kind: "miss", damaged: [] });
  expect(asked).toBe(2);
  const hit = watched(registryOf({ ...BASES, [setName()]: set, [sourceName()]: set, ...images }));
  expect((await probeOf(wanted, hit)).verdict.kind).toBe("hit");
  expect(asked).toBe(2);
});

test("an index of nothing under a platform's tag is no image", async () => {
  const nothing = serve(
    textDocument(OCI_INDEX, JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })),
  );
  expect(await verdictOf({ [platformName(0)]: nothing, [platformName(1)]: nothing })).toMatchObject({ kind: "miss" });
});

test.each<RegistryError["kind"]>(["denied", "limited", "unavailable", "malformed"])(
  "the set's tag is %s: unknown, never a miss",
  async (kind) => {
    expect(await verdictOf({}, { describe: async () => refused(kind) })).toMatchObject({
      kind: "unknown",
      doubt: { error: { kind } },
    });
  },
);

test.each<RegistryError["kind"]>(["absent", "denied", "limited", "unavailable", "malformed"])(
  "a base is %s: unknown, and there is no key",
  async (kind) => {
    const answer = await probeOf(wanted, {
      ...registryOf({}),
      manifest: async ({ registry }) => refused(registry === "cache.test" ? "absent" : kind),
    });
    expect(answer).toMatchObject({ plan: undefined, verdict: { kind: "unknown", doubt: { error: { kind } } } });
  },
);

test("a base cannot be read and the newest of the same sources is whole: stale, with the doubt", async () => {
  const { set, images } = publishedSet();
  const registry = registryOf({ [sourceName()]: set, ...images });
  const { verdict } = await probeOf(wanted, registry);
  expect(verdict).toMatchObject({ kind: "stale", doubt: { kind: "registry" } });
});

test("verify: none asks for the tag alone, manifests for no layer", async () => {
  const { set, images } = publishedSet();
  const never = async (): Promise<never> => {
    throw new Error("asked for a layer");
  };
  const all = registryOf({ ...BASES, [setName()]: set, [sourceName()]: set });
  expect((await probeOf({ ...wanted, verify: "none" }, { ...all, hasBlob: never })).verdict.kind).toBe("hit");
  const withManifests = registryOf({ ...BASES, [setName()]: set, [sourceName()]: set, ...images });
  expect((await probeOf({ ...wanted, verify: "manifests" }, { ...withManifests, hasBlob: never })).verdict.kind).toBe(
    "hit",
  );
});

/** The set with an attestation manifest beside each platform's image, which has an SBOM where its position is among `withSbom`. */
function attestedSet(withSbom: readonly number[]): { readonly set: Served; readonly images: Record<string, Served> } {
  const { set, images } = publishedSet();
  if (set.body.kind !== "index") throw new Error("no index");
  const [own, ...rest] = [...set.body.manifests].reverse();
  const attested = rest.reverse().map((image, position) => {
    const types = [
      "https://slsa.dev/provenance/v1",
      ...(withSbom.includes(position) ? ["https://spdx.dev/Document"] : []),
    ];
    const layers = types.map((type) => ({
      mediaType: IN_TOTO,
      digest: sha(`${type} ${position}`),
      size: 5,
      annotations: { "in-toto.io/predicate-type": type },
    }));
    const config = { mediaType: "config", digest: sha("{}"), size: 2 };
    const digest = sha(`attestations ${position}`);
    const served: Served = {
      bytes: new Uint8Array(),
      descriptor: { mediaType: OCI_MANIFEST, digest, size: 5 },
      body: { kind: "manifest", mediaType: OCI_MANIFEST, config, layers, annotations: {} },
    };
    const annotations = { [REFERENCE_TYPE]: ATTESTATION, [REFERENCE_DIGEST]: image.digest };
    return { image, entry: { ...served.descriptor, annotations }, served };
  });
  const manifests = [...attested.flatMap(({ image, entry }) => [image, entry]), ...(own ? [own] : [])];
  const more = attested.map(({ served }) => [`${CACHE}@${served.descriptor.digest}`, served]);
  return { set: { ...set, body: { ...set.body, manifests } }, images: { ...images, ...Object.fromEntries(more) } };
}

const demanding = (...required: Wanted["required"]): Wanted => ({ ...wanted, required });

async function demandedOf(
  withSbom: readonly number[],
  what: Wanted,
  more: Partial<Registry> = {},
): Promise<{ readonly verdict: Verdict; readonly asked: readonly string[] }> {
  const { set, images } = attestedSet(withSbom);
  const registry = registryOf({ ...BASES, [setName()]: set, [sourceName()]: set, ...images });
  const asked: string[] = [];
  const manifest: Registry["manifest"] = async (reference) => {
    asked.push(reference.digest ?? reference.tag ?? "");
    return registry.manifest(reference);
  };
  return { verdict: (await probeOf(what, { ...registry, manifest, ...more })).verdict, asked };
}

test("what is demanded and there: a hit; what is not demanded is not asked for", async () => {
  const demanded = await demandedOf([0, 1], demanding("sbom", "provenance"));
  expect(demanded.verdict).toMatchObject({ kind: "hit" });
  expect(demanded.asked).toEqual(expect.arrayContaining([sha("attestations 0"), sha("attestations 1")]));
  const plain = await demandedOf([0, 1], wanted);
  expect(plain.verdict).toMatchObject({ kind: "hit" });
  expect(demanded.asked.length - plain.asked.length).toBe(2);
});

test("an SBOM that is demanded and is not there: only that platform is missing, and why is said", async () => {
  const { verdict } = await demandedOf([0], demanding("sbom"));
  expect(verdict).toMatchObject({
    kind: "partial",
    found: [{ platform: wanted.platforms[0]?.platform }],
    missing: [wanted.platforms[1]?.platform],
    damaged: ["linux/arm64 has no SBOM: the index lists none for it"],
  });
});

test("of two platforms the one with the SBOM is used again", async () => {
  const { set, images } = attestedSet([0]);
  const all = { ...BASES, [setName()]: set, [platformName(0)]: set, [platformName(1)]: set, ...images };
  expect((await probeOf(demanding("sbom"), registryOf(all))).verdict).toMatchObject({
    kind: "partial",
    found: [{ platform: wanted.platforms[0]?.platform }],
    missing: [wanted.platforms[1]?.platform],
    damaged: ["linux/arm64 has no SBOM: the index lists none for it"],
  });
});

test.each<RegistryError["kind"]>(["denied", "limited", "unavailable", "malformed"])(
  "attestations that are demanded are %s: unknown, never a miss",
  async (kind) => {
    const { set, images } = attestedSet([0, 1]);
    const registry = registryOf({ ...BASES, [setName()]: set, [sourceName()]: set, ...images });
    const manifest: Registry["manifest"] = async (reference) =>
      reference.digest === sha("attestations 1") ? refused(kind) : registry.manifest(reference);
    expect((await probeOf(demanding("sbom"), { ...registry, manifest })).verdict).toMatchObject({
      kind: "unknown",
      doubt: { kind: "registry", what: "the SBOM of linux/arm64", error: { kind } },
    });
  },
);

test("a statement that is gone is none; verify: manifests does not ask for it", async () => {
  const gone = sha("https://spdx.dev/Document 1");
  const hasBlob: Registry["hasBlob"] = async (_, { digest }) =>
    digest === gone ? refused("absent") : { kind: "found", value: true };
  expect((await demandedOf([0, 1], demanding("sbom"), { hasBlob })).verdict).toMatchObject({
    kind: "partial",
    missing: [wanted.platforms[1]?.platform],
    damaged: ["the SBOM of linux/arm64 is gone from the registry"],
  });
  const shallow: Wanted = { ...demanding("sbom"), verify: "manifests" };
  expect((await demandedOf([0, 1], shallow, { hasBlob })).verdict).toMatchObject({ kind: "hit" });
});

test("attestations are asked for beside the image's own manifest, and not after it", async () => {
  const { set, images } = attestedSet([0, 1]);
  const registry = registryOf({ ...BASES, [setName()]: set, [sourceName()]: set, ...images });
  let seen = (): void => undefined;
  const attestationsAsked = new Promise<void>((done) => {
    seen = done;
  });
  const manifest: Registry["manifest"] = async (reference) => {
    if (reference.digest === sha("attestations 0")) seen();
    else if (reference.digest && reference.registry === "cache.test") await attestationsAsked;
    return registry.manifest(reference);
  };
  expect((await probeOf(demanding("sbom"), { ...registry, manifest })).verdict).toMatchObject({ kind: "hit" });
});
