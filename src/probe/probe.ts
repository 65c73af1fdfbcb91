import type { Place } from "../errors.ts";
import type { FeaturePorts } from "../features/found.ts";
import { setTag, sourceTag } from "../key/fingerprint.ts";
import type { Platform } from "../oci/platform.ts";
import type { Repository } from "../oci/reference.ts";
import { type Keyed, makePlan, type Plan } from "../plan/keyed.ts";
import { readOnbuildArgs } from "../plan/onbuild-args.ts";
import { resolveUpstream } from "../plan/upstream.ts";
import type { Wanted } from "../plan/wanted.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { Registry } from "../world.ts";
import type { Sought } from "./found.ts";
import { type Look, lookAlsoIn, lookAtPlatforms } from "./platforms.ts";
import { alikeOf, type Newest, ownSetIn, staleOr, toldOf, unlessStale, type Verdict } from "./verdict.ts";
import { doubtAbout, tellAnother, verifySet } from "./verify.ts";

/** `plan` is missing where upstream could not be read: then there is no key. */
export type Probed = {
  readonly plan: Plan | undefined;
  readonly verdict: Verdict;
  /** What features say of themselves, like that they are deprecated. */
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
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
    wanted.platforms,
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
