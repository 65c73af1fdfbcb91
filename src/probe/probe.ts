import type { Place } from "../errors.ts";
import type { FeaturePorts } from "../features/found.ts";
import { ownKey, platformKey, platformTag, setKey, setTag, sourceTag, unlabelledKey } from "../key/fingerprint.ts";
import type { PlatformPlan } from "../key/ingredients.ts";
import { KEY_ANNOTATION, planDescriptorOf, UNLABELLED_ANNOTATION, whoseSet } from "../key/record.ts";
import { type Index, OWN_ANNOTATION, type Served } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Pinned, Repository } from "../oci/reference.ts";
import type { Plan, PlannedPlatform } from "../plan/keyed.ts";
import { type OnbuildArgs, readOnbuildArgs } from "../plan/onbuild-args.ts";
import { type Resolved, resolveUpstream } from "../plan/upstream.ts";
import type { Wanted } from "../plan/wanted.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { Registry, RegistryError } from "../world.ts";
import type { Found, Looking } from "./found.ts";
import { doubtAbout, type Soundness, tellAnother, verifyPlatform, verifySet, verifyTagged } from "./verify.ts";

export type Verdict =
  /**
   * `lacksTag`: its own tag is gone, or names something that does not count, and it was found as the newest set of its sources. `damaged` as
   * in a miss, everywhere.
   */
  | {
      readonly kind: "hit";
      readonly image: Pinned;
      readonly index: Served;
      readonly found: readonly Found[];
      readonly lacksTag?: true;
      readonly damaged?: readonly string[];
    }
  /** Every platform is there, and no set that counts: one small manifest is missing. */
  | { readonly kind: "joinable"; readonly found: readonly Found[]; readonly damaged?: readonly string[] }
  | {
      readonly kind: "partial";
      readonly found: readonly Found[];
      readonly missing: readonly Platform[];
      readonly damaged: readonly string[];
      readonly alike?: Alike;
    }
  /** `reusable`: platforms of the wanted set that are there all the same, for another platform's base moved. */
  | {
      readonly kind: "stale";
      readonly image: Pinned;
      readonly index: Served;
      readonly found: readonly Found[];
      readonly reusable: readonly Found[];
      readonly doubt?: Doubt;
      readonly damaged?: readonly string[];
    }
  /** `damaged`: why something that is there does not count, each the end of a sentence. */
  | { readonly kind: "miss"; readonly damaged: readonly string[]; readonly alike?: Alike }
  | { readonly kind: "unknown"; readonly doubt: Doubt };

/** A set of the same sources that is all there, and that differs from the wanted one in nothing but the label. */
export type Alike = { readonly index: Served; readonly found: readonly Found[] };

/** `plan` is missing where upstream could not be read: then there is no key. */
export type Probed = {
  readonly plan: Plan | undefined;
  readonly verdict: Verdict;
  /** What features say of themselves, like that they are deprecated. */
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
};

/** Of what is wanted all that looking for a set by its keys needs. */
export type Sought = Looking &
  Pick<Wanted, "ownKey" | "sourceKey"> & {
    readonly platforms: readonly Pick<Wanted["platforms"][number], "platform">[];
  };

/** Of a plan the keys, and the tags that are made of them. */
export type Keyed = Pick<Plan, "key" | "ownKey" | "unlabelledKey"> & {
  readonly platforms: readonly Pick<PlannedPlatform, "platform" | "tag">[];
};

/** Answers whether a set is there whose keys are known already. Nothing is asked of what it is built on. */
export async function probeByKey(wanted: Sought, plan: Keyed, registry: Registry): Promise<Verdict> {
  return lookUpSet(wanted, plan, lookAtNewest(wanted, registry), registry);
}

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
  const onbuild = await readOnbuildArgs(wanted, resolved.bindings, registry);
  if (onbuild.kind !== "read") return withoutPlan(await newest, wanted, onbuild);
  const plan = makePlan(wanted, resolved, onbuild);
  // What the bases' configs say has joined what is ours.
  const verdict = await lookUpSet({ ...wanted, ownKey: plan.ownKey }, plan, newest, registry);
  return { plan, verdict, warnings: resolved.warnings };
}

/** Where a base could declare an arg, nobody knows without it whether the newest image was built with the same. */
function withoutPlan(newest: Newest, wanted: Wanted, doubt: Doubt): Probed {
  const isOpen = Object.keys(wanted.undeclared).length > 0;
  const verdict: Verdict = isOpen ? { kind: "unknown", doubt } : unlessStale(newest, wanted, doubt);
  return { plan: undefined, verdict, warnings: [] };
}

function makePlan(wanted: Wanted, { upstream, bindings, features }: Resolved, { byPlatform }: OnbuildArgs): Plan {
  const platforms = wanted.platforms.flatMap(({ platform, plan }, index) => {
    const part = upstream[index];
    if (!part) return [];
    const yours = { ...plan.yours, arguments: { ...plan.yours.arguments, ...byPlatform[index] } };
    const whole: PlatformPlan = { ...plan, yours, upstream: part };
    const key = platformKey(whole);
    return [{ platform, key, plan: whole, tag: platformTag(key, platform) }];
  });
  const plans = platforms.map(({ plan }) => plan);
  return {
    key: setKey(platforms.map(({ key }) => key)),
    ownKey: ownKey(plans),
    unlabelledKey: unlabelledKey(plans),
    platforms,
    bindings,
    features,
  };
}

type Newest = { readonly served: Served; readonly sound: Soundness } | { readonly error: RegistryError };

async function lookAtNewest(wanted: Sought, registry: Registry): Promise<Newest> {
  const answer = await registry.manifest({ ...wanted.repository, tag: sourceTag(wanted.sourceKey) });
  if (answer.kind !== "found") return { error: answer };
  return { served: answer.value, sound: await verifySet(wanted, platformsOf(wanted), answer.value, registry) };
}

function platformsOf({ platforms }: Sought): Platform[] {
  return platforms.map(({ platform }) => platform);
}

async function lookUpSet(wanted: Sought, plan: Keyed, newest: Promise<Newest>, registry: Registry): Promise<Verdict> {
  const reference = { ...wanted.repository, tag: setTag(plan.key) };
  const platforms = lookAtPlatforms(wanted, plan, registry);
  // Of sources that never made a set there is hardly one under another tag: the platforms need not wait for that answer.
  const early = newest.then((last) => ("error" in last && last.error.kind === "absent" ? platforms() : []));
  // Whoever waits for the looks themselves hears of a failure.
  early.catch(() => undefined);
  const answer = await registry.describe(reference);
  if (answer.kind === "found") {
    const last = await newest;
    const same = "served" in last && last.served.descriptor.digest === answer.value.digest ? last : undefined;
    const set = same ?? (await lookAtSet(wanted, reference, registry));
    if ("error" in set) return { kind: "unknown", doubt: doubtAbout(`the tag ${reference.tag}`, set.error) };
    const another = tellAnother(set.served, reference.tag, plan);
    if (another !== undefined)
      return lookUpPlatforms(wanted, plan, { damaged: [another], newest, platforms, registry });
    if (set.sound.kind === "doubt") return { kind: "unknown", doubt: set.sound.doubt };
    if (set.sound.kind === "sound")
      return {
        kind: "hit",
        image: { ...wanted.repository, digest: set.served.descriptor.digest },
        index: set.served,
        found: set.sound.found,
      };
    const looks = (): Promise<readonly Look[]> =>
      platforms().then((all) => lookAlsoIn(set.served, all, wanted, registry));
    return lookUpPlatforms(wanted, plan, { damaged: [set.sound.what], newest, platforms: looks, registry });
  }
  if (answer.kind !== "absent")
    return unlessStale(await newest, wanted, doubtAbout(`the tag ${reference.tag}`, answer));
  return lookUpPlatforms(wanted, plan, { damaged: [], newest, platforms, registry });
}

type Look = Soundness | { readonly kind: "absent" };

/** Looks at the platforms' own tags, once, when it is first asked to. */
function lookAtPlatforms(wanted: Sought, plan: Keyed, registry: Registry): () => Promise<readonly Look[]> {
  let looks: Promise<readonly Look[]> | undefined;
  return () => {
    looks ??= Promise.all(plan.platforms.map((one) => lookUpPlatform(wanted, one, plan, registry)));
    return looks;
  };
}

/** A platform that has no tag of its own any more is there all the same where the set names it: of a broken set only what is broken is built. */
async function lookAlsoIn(
  set: Served,
  looks: readonly Look[],
  wanted: Sought,
  registry: Registry,
): Promise<readonly Look[]> {
  const all = looks.map(async (look, at) => {
    const platform = wanted.platforms[at]?.platform;
    if (platform === undefined || (look.kind !== "absent" && look.kind !== "damaged")) return look;
    const inSet = await verifyPlatform(wanted, platform, set, registry);
    return inSet.kind === "sound" ? inSet : look;
  });
  return Promise.all(all);
}

async function lookAtSet(
  wanted: Sought,
  reference: Repository & { readonly tag: string },
  registry: Registry,
): Promise<Newest> {
  const answer = await registry.manifest(reference);
  return answer.kind === "found"
    ? { served: answer.value, sound: await verifySet(wanted, platformsOf(wanted), answer.value, registry) }
    : { error: answer };
}

/** What is known where no set counts: why not, the newest of the same sources, and the way to look at the platforms' own tags. */
type WithoutSet = {
  readonly damaged: readonly string[];
  readonly newest: Promise<Newest>;
  readonly platforms: () => Promise<readonly Look[]>;
  readonly registry: Registry;
};

async function lookUpPlatforms(
  wanted: Sought,
  plan: Keyed,
  { damaged, newest, platforms, registry }: WithoutSet,
): Promise<Verdict> {
  const tagged = await platforms();
  const last = await newest;
  const own = ownSetIn(last, plan);
  if (own?.sound.kind === "sound") {
    const image = { ...wanted.repository, digest: own.served.descriptor.digest };
    return { kind: "hit", image, index: own.served, found: own.sound.found, lacksTag: true, ...toldOf(damaged) };
  }
  const broken = own?.sound.kind === "damaged" ? [own.sound.what] : [];
  const looks = own && broken.length > 0 ? await lookAlsoIn(own.served, tagged, wanted, registry) : tagged;
  const doubt = looks.find((look) => look.kind === "doubt");
  if (doubt?.kind === "doubt") return unlessStale(last, wanted, doubt.doubt);
  const found = looks.flatMap((look) => (look.kind === "sound" ? look.found : []));
  if (found.length === plan.platforms.length)
    return { kind: "joinable", found, ...toldOf([...new Set([...damaged, ...broken])]) };
  const missing = plan.platforms.filter((_, index) => looks[index]?.kind !== "sound").map(({ platform }) => platform);
  const parts = looks.flatMap((look) => (look.kind === "damaged" ? [look.what] : []));
  const all = [...new Set([...damaged, ...broken, ...parts])];
  const rest = { damaged: all, ...alikeOf(last, plan) };
  const otherwise: Verdict =
    found.length > 0 ? { kind: "partial", found, missing, ...rest } : { kind: "miss", ...rest };
  return staleOr(last, wanted, otherwise, found);
}

function toldOf(damaged: readonly string[]): { readonly damaged?: readonly string[] } {
  return damaged.length === 0 ? {} : { damaged };
}

/** The newest set of the same sources may be the very one that is looked for, whatever became of its own tag. */
function ownSetIn(
  newest: Newest,
  { ownKey: own, key }: Keyed,
): Extract<Newest, { readonly served: Served }> | undefined {
  if ("error" in newest || newest.served.body.kind !== "index") return undefined;
  const { body } = newest.served;
  const isNamed = planDescriptorOf(body)?.annotations?.[KEY_ANNOTATION] === key;
  return isNamed && whoseSet(body, { own, key }) === "ours" ? newest : undefined;
}

function alikeOf(newest: Newest, { unlabelledKey }: Keyed): { readonly alike?: Alike } {
  if ("error" in newest || newest.sound.kind !== "sound" || newest.served.body.kind !== "index") return {};
  if (planDescriptorOf(newest.served.body)?.annotations?.[UNLABELLED_ANNOTATION] !== unlabelledKey) return {};
  return { alike: { index: newest.served, found: newest.sound.found } };
}

/** One platform's own tag: `absent` is a miss, everything else that is not a sound image is said. */
export async function lookUpPlatform(
  wanted: Looking,
  planned: Pick<PlannedPlatform, "platform" | "tag">,
  plan: Pick<Plan, "ownKey" | "key">,
  registry: Registry,
): Promise<Look> {
  const { tag } = planned;
  const answer = await registry.manifest({ ...wanted.repository, tag });
  if (answer.kind === "absent") return { kind: "absent" };
  if (answer.kind !== "found") return { kind: "doubt", doubt: doubtAbout(`the tag ${tag}`, answer) };
  return verifyTagged(wanted, planned, plan, answer.value, registry);
}

/** Same sources, same label, same recipe, all of it there: only upstream moved, or cannot be read. */
function unlessStale(newest: Newest, wanted: Sought, doubt: Doubt): Verdict {
  return staleOr(newest, wanted, { kind: "unknown", doubt }, []);
}

function staleOr(newest: Newest, wanted: Sought, otherwise: Verdict, reusable: readonly Found[]): Verdict {
  if ("error" in newest || newest.sound.kind !== "sound" || newest.served.body.kind !== "index") return otherwise;
  if (ownKeyOf(newest.served.body) !== wanted.ownKey) return otherwise;
  const image = { ...wanted.repository, digest: newest.served.descriptor.digest };
  const stale = { kind: "stale", image, index: newest.served, found: newest.sound.found, reusable } as const;
  if (otherwise.kind === "unknown") return { ...stale, doubt: otherwise.doubt };
  return { ...stale, ...toldOf(otherwise.damaged ?? []) };
}

function ownKeyOf(index: Index): string | undefined {
  return planDescriptorOf(index)?.annotations?.[OWN_ANNOTATION];
}
