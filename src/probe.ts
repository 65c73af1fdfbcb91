import type { Place } from "./errors.ts";
import type { FeaturePorts } from "./features/found.ts";
import type { InstalledFeature } from "./features/install.ts";
import type { FeatureRequest } from "./features/resolve.ts";
import { platformKey, platformTag, setKey, setTag, sourceTag } from "./key/fingerprint.ts";
import type { PlatformPlan } from "./key/ingredients.ts";
import { OWN_ANNOTATION, planDescriptorOf } from "./key/record.ts";
import { type ImageConfig, readImageConfig } from "./oci/config.ts";
import type { Digest } from "./oci/digest.ts";
import { type Descriptor, type Index, imageFor, type Served } from "./oci/manifest.ts";
import { formatPlatform, type Platform, samePlatform } from "./oci/platform.ts";
import type { Pinned, Repository } from "./oci/reference.ts";
import { type Binding, type Doubt, type ImageSource, type Resolved, resolveUpstream } from "./upstream.ts";
import type { Registry, RegistryError } from "./world.ts";

/** What the probe has to know of the sources; nothing of it needed a request. */
export type Wanted = {
  readonly repository: Repository;
  readonly platforms: readonly {
    readonly platform: Platform;
    readonly plan: Omit<PlatformPlan, "upstream">;
    readonly images: readonly ImageSource[];
  }[];
  readonly sourceKey: Digest;
  readonly ownKey: Digest;
  /** What makes the plan undecidable before any request, like an ADD from an address without a checksum. */
  readonly doubt: Doubt | undefined;
  /** Nothing where no feature is asked for. */
  readonly features: FeatureRequest | undefined;
  readonly verify: "layers" | "manifests" | "none";
  /** The platform whose image later jobs run here: its config is read where another's is only looked for. */
  readonly handOver: Platform;
};

/** The plan of a set: keys, tags, and the digests that the build is bound to. */
export type Plan = {
  readonly key: Digest;
  readonly platforms: readonly {
    readonly platform: Platform;
    readonly key: Digest;
    readonly plan: PlatformPlan;
    readonly tag: string;
  }[];
  readonly bindings: readonly Binding[];
  /** In the order of installation. */
  readonly features: readonly InstalledFeature[];
};

/** One platform's image in the cache repository: its manifest, and the index in which it was found with its attestations. */
export type Found = {
  readonly platform: Platform;
  readonly manifest: Digest;
  readonly index: Served;
  /** Of the platform that is handed over, where it was read on the way. */
  readonly config?: ImageConfig;
};

/** What a look at an image has to know: where it is, how closely to look, and whose config to read. */
export type Looking = Pick<Wanted, "repository" | "verify" | "handOver">;

export type Verdict =
  | { readonly kind: "hit"; readonly image: Pinned; readonly index: Served; readonly found: readonly Found[] }
  /** Every platform is there, and no set: one small manifest is missing. */
  | { readonly kind: "joinable"; readonly found: readonly Found[] }
  | { readonly kind: "partial"; readonly found: readonly Found[]; readonly missing: readonly Platform[] }
  /** `reusable`: platforms of the wanted set that are there all the same, for another platform's base moved. */
  | {
      readonly kind: "stale";
      readonly image: Pinned;
      readonly index: Served;
      readonly found: readonly Found[];
      readonly reusable: readonly Found[];
      readonly doubt?: Doubt;
    }
  | { readonly kind: "miss"; readonly damaged: readonly string[] }
  | { readonly kind: "unknown"; readonly doubt: Doubt };

/** `plan` is missing where upstream could not be read: then there is no key. */
export type Probed = {
  readonly plan: Plan | undefined;
  readonly verdict: Verdict;
  /** What features say of themselves, like that they are deprecated. */
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
};

/** What a look at an image and everything it consists of said. */
type Soundness =
  | { readonly kind: "sound"; readonly found: readonly Found[] }
  | { readonly kind: "damaged"; readonly what: string }
  | { readonly kind: "doubt"; readonly doubt: Doubt };

/**
 * Answers whether the wanted set is in the cache repository. Nothing is downloaded but manifests; what does not depend on one another
 * is asked at once: the bases beside the newest set of the same sources, which is verified while the wanted tag is looked up, for on a
 * hit they are nearly always the same image.
 */
export async function probe(wanted: Wanted, registry: Registry, ports: FeaturePorts): Promise<Probed> {
  const newest = lookAtNewest(wanted, registry);
  if (wanted.doubt) return withoutPlan(await newest, wanted, wanted.doubt);
  const resolved = await resolveUpstream(
    wanted.platforms.map(({ images }) => images),
    wanted.features ? { request: wanted.features, ports } : undefined,
    registry,
  );
  if (resolved.kind !== "resolved") return withoutPlan(await newest, wanted, resolved);
  const plan = makePlan(wanted, resolved);
  const verdict = await lookUpSet(wanted, plan, newest, registry);
  return { plan, verdict, warnings: resolved.warnings };
}

function withoutPlan(newest: Newest, wanted: Wanted, doubt: Doubt): Probed {
  return { plan: undefined, verdict: unlessStale(newest, wanted, doubt), warnings: [] };
}

function makePlan(wanted: Wanted, { upstream, bindings, features }: Resolved): Plan {
  const platforms = wanted.platforms.flatMap(({ platform, plan }, index) => {
    const part = upstream[index];
    if (!part) return [];
    const whole: PlatformPlan = { ...plan, upstream: part };
    const key = platformKey(whole);
    return [{ platform, key, plan: whole, tag: platformTag(key, platform) }];
  });
  return { key: setKey(platforms.map(({ key }) => key)), platforms, bindings, features };
}

type Newest = { readonly served: Served; readonly sound: Soundness } | { readonly error: RegistryError };

async function lookAtNewest(wanted: Wanted, registry: Registry): Promise<Newest> {
  const answer = await registry.manifest({ ...wanted.repository, tag: sourceTag(wanted.sourceKey) });
  if (answer.kind !== "found") return { error: answer };
  return { served: answer.value, sound: await verifySet(wanted, answer.value, registry) };
}

async function lookUpSet(wanted: Wanted, plan: Plan, newest: Promise<Newest>, registry: Registry): Promise<Verdict> {
  const reference = { ...wanted.repository, tag: setTag(plan.key) };
  const answer = await registry.describe(reference);
  if (answer.kind === "found") {
    const last = await newest;
    const same = "served" in last && last.served.descriptor.digest === answer.value.digest ? last : undefined;
    const set = same ?? (await lookAtSet(wanted, reference, registry));
    if ("error" in set) return { kind: "unknown", doubt: doubtAbout(`the tag ${reference.tag}`, set.error) };
    if (set.sound.kind === "doubt") return { kind: "unknown", doubt: set.sound.doubt };
    if (set.sound.kind === "sound")
      return {
        kind: "hit",
        image: { ...wanted.repository, digest: set.served.descriptor.digest },
        index: set.served,
        found: set.sound.found,
      };
    return lookUpPlatforms(wanted, plan, [set.sound.what], newest, registry);
  }
  if (answer.kind !== "absent")
    return unlessStale(await newest, wanted, doubtAbout(`the tag ${reference.tag}`, answer));
  return lookUpPlatforms(wanted, plan, [], newest, registry);
}

async function lookAtSet(
  wanted: Wanted,
  reference: Repository & { readonly tag: string },
  registry: Registry,
): Promise<Newest> {
  const answer = await registry.manifest(reference);
  return answer.kind === "found"
    ? { served: answer.value, sound: await verifySet(wanted, answer.value, registry) }
    : { error: answer };
}

async function lookUpPlatforms(
  wanted: Wanted,
  plan: Plan,
  damaged: readonly string[],
  newest: Promise<Newest>,
  registry: Registry,
): Promise<Verdict> {
  const looks = await Promise.all(plan.platforms.map((one) => lookUpPlatform(wanted, one, registry)));
  const doubt = looks.find((look) => look.kind === "doubt");
  if (doubt?.kind === "doubt") return unlessStale(await newest, wanted, doubt.doubt);
  const found = looks.flatMap((look) => (look.kind === "sound" ? look.found : []));
  if (found.length === plan.platforms.length) return { kind: "joinable", found };
  const missing = plan.platforms.filter((_, index) => looks[index]?.kind !== "sound").map(({ platform }) => platform);
  const broken = looks.flatMap((look) => (look.kind === "damaged" ? [look.what] : []));
  const otherwise: Verdict =
    found.length > 0 ? { kind: "partial", found, missing } : { kind: "miss", damaged: [...damaged, ...broken] };
  return staleOr(await newest, wanted, otherwise, found);
}

/** One platform's own tag: `absent` is a miss, everything else that is not a sound image is said. */
export async function lookUpPlatform(
  wanted: Looking,
  { platform, tag }: { readonly platform: Platform; readonly tag: string },
  registry: Registry,
): Promise<Soundness | { readonly kind: "absent" }> {
  const answer = await registry.manifest({ ...wanted.repository, tag });
  if (answer.kind === "absent") return { kind: "absent" };
  if (answer.kind !== "found") return { kind: "doubt", doubt: doubtAbout(`the tag ${tag}`, answer) };
  return verifyPlatform(wanted, platform, answer.value, registry);
}

/** Verifies that a set holds every wanted platform and that all of it is there. */
async function verifySet(wanted: Wanted, served: Served, registry: Registry): Promise<Soundness> {
  const looks = await Promise.all(
    wanted.platforms.map(({ platform }) => verifyPlatform(wanted, platform, served, registry)),
  );
  const bad = looks.find((look) => look.kind === "doubt") ?? looks.find((look) => look.kind === "damaged");
  if (bad) return bad;
  return { kind: "sound", found: looks.flatMap((look) => (look.kind === "sound" ? look.found : [])) };
}

/**
 * Verifies one platform of an index, or a bare manifest: the manifest, its config and every layer are in the registry.
 * @returns `damaged` only where the registry itself says that a part is not there.
 */
export async function verifyPlatform(
  wanted: Looking,
  platform: Platform,
  served: Served,
  registry: Registry,
): Promise<Soundness> {
  const child = served.body.kind === "index" ? imageFor(served.body, platform) : served.descriptor;
  if (!child)
    return { kind: "damaged", what: `${formatPlatform(platform)} is not in the index ${served.descriptor.digest}` };
  const found: Found = { platform, manifest: child.digest, index: served };
  const sound: Soundness = { kind: "sound", found: [found] };
  if (wanted.verify === "none") return sound;
  const answer =
    served.body.kind === "index" ? await registry.manifest({ ...wanted.repository, digest: child.digest }) : undefined;
  if (answer && answer.kind !== "found") return missingPart(`the manifest of ${formatPlatform(platform)}`, answer);
  const body = answer ? answer.value.body : served.body;
  if (body.kind !== "manifest")
    return { kind: "damaged", what: `${child.digest} for ${formatPlatform(platform)} is no image` };
  if (wanted.verify === "manifests") return sound;
  const parts = uniqueBlobs([body.config, ...body.layers]);
  const isHandedOver = samePlatform(platform, wanted.handOver);
  const [config, ...answers] = await Promise.all([
    isHandedOver ? registry.blob(wanted.repository, body.config) : undefined,
    ...parts
      .filter((part) => !(isHandedOver && part === parts[0]))
      .map(async (part) => ({ part, answer: await registry.hasBlob(wanted.repository, part) })),
  ]);
  if (config && config.kind !== "found") return missingPart(`the config of ${formatPlatform(platform)}`, config);
  for (const { part, answer } of answers)
    if (answer.kind !== "found") return missingPart(`the layer ${part.digest} of ${formatPlatform(platform)}`, answer);
  return config
    ? { kind: "sound", found: [{ ...found, config: readImageConfig(new TextDecoder().decode(config.value)) }] }
    : sound;
}

/**
 * Reads the config of a platform that was found, unless the look at it has done so.
 * @returns `undefined` where the registry does not serve it.
 */
export async function readFoundConfig(
  found: Found,
  repository: Repository,
  registry: Registry,
): Promise<ImageConfig | undefined> {
  if (found.config) return found.config;
  const manifest = await registry.manifest({ ...repository, digest: found.manifest });
  if (manifest.kind !== "found" || manifest.value.body.kind !== "manifest") return undefined;
  const config = await registry.blob(repository, manifest.value.body.config);
  return config.kind === "found" ? readImageConfig(new TextDecoder().decode(config.value)) : undefined;
}

/** A layer may stand in a manifest more than once. */
function uniqueBlobs(parts: readonly Descriptor[]): Descriptor[] {
  return [...new Map(parts.map((part) => [part.digest, part])).values()];
}

function missingPart(what: string, error: RegistryError): Soundness {
  if (error.kind === "absent") return { kind: "damaged", what: `${what} is gone from the registry` };
  return { kind: "doubt", doubt: doubtAbout(what, error) };
}

function doubtAbout(what: string, error: RegistryError): Doubt {
  return { kind: "registry", what, error };
}

/** Same sources, same label, same recipe, all of it there: only upstream moved, or cannot be read. */
function unlessStale(newest: Newest, wanted: Wanted, doubt: Doubt): Verdict {
  return staleOr(newest, wanted, { kind: "unknown", doubt }, []);
}

function staleOr(newest: Newest, wanted: Wanted, otherwise: Verdict, reusable: readonly Found[]): Verdict {
  if ("error" in newest || newest.sound.kind !== "sound" || newest.served.body.kind !== "index") return otherwise;
  if (ownKeyOf(newest.served.body) !== wanted.ownKey) return otherwise;
  const image = { ...wanted.repository, digest: newest.served.descriptor.digest };
  const stale = { kind: "stale", image, index: newest.served, found: newest.sound.found, reusable } as const;
  return otherwise.kind === "unknown" ? { ...stale, doubt: otherwise.doubt } : stale;
}

function ownKeyOf(index: Index): string | undefined {
  return planDescriptorOf(index)?.annotations?.[OWN_ANNOTATION];
}
