import type { Difference } from "../key/difference.ts";
import { setTag, sourceTag } from "../key/fingerprint.ts";
import type { Served } from "../oci/manifest.ts";
import type { Wanted } from "../plan/wanted.ts";
import type { Registry } from "../world.ts";
import { recordOf, recordOfPlatform } from "./built.ts";
import type { Found } from "./found.ts";
import { lookUpPlatform } from "./platforms.ts";
import type { Probed } from "./probe.ts";
import type { Verdict } from "./verdict.ts";

const DAY = 24 * 60 * 60 * 1000;

/** An answer in which what is too old does not count. */
export type Aged = Probed & {
  /** What has to be built although it is there, and why; nothing where no age made a difference. */
  readonly tooOld: { readonly previous: Tagged; readonly reason: Difference; readonly isAlike?: true } | undefined;
};

type Tagged = { readonly tag: string; readonly index: Served };

/** How old an image may be, and the time in milliseconds since 1970. */
export type Limit = { readonly days: number | undefined; readonly now: number };

/** Something that is past the limit, and its age in whole days. */
type Past = Tagged & { readonly days: number };

/**
 * Leaves out what is past `cache-ttl-days`. The age is that of the build, which our plan and BuildKit's provenance record: an image that
 * came from the layer cache repeats an older `created`. What does not tell its age counts.
 *
 * A set that is young enough costs no request. Where it is too old, each platform's own tag is looked at: the legs of a matrix build them
 * anew one by one.
 */
export async function leaveOutOld(probed: Probed, limit: Limit, wanted: Wanted, registry: Registry): Promise<Aged> {
  return leaveOutAlike(await leaveOutImages(probed, limit, wanted, registry), limit, wanted);
}

/** A new label makes no image younger: what is too old under the old one is built, and without layer cache, as it would be with it. */
function leaveOutAlike(aged: Aged, limit: Limit, { sourceKey }: Wanted): Aged {
  const { verdict } = aged;
  if (aged.tooOld || (verdict.kind !== "miss" && verdict.kind !== "partial") || !verdict.alike) return aged;
  const { alike, ...rest } = verdict;
  const days = daysPast(recordOf(alike.index).at, limit);
  if (days === undefined) return aged;
  const text = `the image that differs only in its label was built ${days} days ago, and cache-ttl-days is ${limit.days}`;
  const previous = { tag: sourceTag(sourceKey), index: alike.index };
  const reason: Difference = { part: "upstream", ingredient: "age", text };
  const verdictLeft = { ...rest, damaged: [...rest.damaged, text] };
  return { ...aged, verdict: verdictLeft, tooOld: { previous, reason, isAlike: true } };
}

async function leaveOutImages(probed: Probed, limit: Limit, wanted: Wanted, registry: Registry): Promise<Aged> {
  const { verdict } = probed;
  const set = pastSet(probed, limit, wanted);
  if (limit.days === undefined || (verdict.kind === "hit" && !set)) return { ...probed, tooOld: undefined };
  const { young, past } = await sortByAge(probed, { ...limit, set }, wanted, registry);
  const [first] = set ? [set] : past;
  if (!first) return { ...probed, tooOld: undefined };
  const text = `the image that is there was built ${first.days} days ago, and cache-ttl-days is ${limit.days}`;
  const left = leftOf(verdict, young, { wanted, isSetPast: set !== undefined, why: text });
  const reason: Difference = { part: "upstream", ingredient: "age", text };
  return { ...probed, verdict: left, tooOld: left.kind === "joinable" ? undefined : { previous: first, reason } };
}

function pastSet({ plan, verdict }: Probed, limit: Limit, { sourceKey }: Wanted): Past | undefined {
  if (verdict.kind !== "hit" && verdict.kind !== "stale") return undefined;
  const { index } = verdict;
  const days = daysPast(recordOf(index).at, limit);
  const tag = verdict.kind === "hit" && plan ? setTag(plan.key) : sourceTag(sourceKey);
  return days === undefined ? undefined : { tag, index, days };
}

/** Whether a set tells that it is past the limit. */
export function isPast(index: Served, limit: Limit): boolean {
  return daysPast(recordOf(index).at, limit) !== undefined;
}

/** How many whole days old something is that is past the limit; nothing for what is not. */
export function daysPast(at: number | undefined, { days, now }: Limit): number | undefined {
  if (days === undefined || at === undefined || now - at <= days * DAY) return undefined;
  return Math.floor((now - at) / DAY);
}

/** The images that stand under the platforms' own tags. One whose provenance was swept away is as old as the set that holds it. */
async function sortByAge(
  { plan, verdict }: Probed,
  limit: Limit & { readonly set: Past | undefined },
  wanted: Wanted,
  registry: Registry,
): Promise<{ readonly young: readonly Found[]; readonly past: readonly Past[] }> {
  const looks = (plan?.platforms ?? []).map(async (planned) => {
    const known = foundIn(verdict)?.filter(({ platform }) => platform === planned.platform);
    const look = known || !plan ? undefined : await lookUpPlatform(wanted, planned, plan, registry);
    const [image] = known ?? (look?.kind === "sound" ? look.found : []);
    if (!image) return [];
    const { at } = await recordOfPlatform(image, wanted.repository, registry);
    const days = at === undefined && holds(limit.set, image) ? limit.set?.days : daysPast(at, limit);
    return [{ image, tag: planned.tag, days }];
  });
  const looked = (await Promise.all(looks)).flat();
  return {
    young: looked.flatMap(({ image, days }) => (days === undefined ? [image] : [])),
    past: looked.flatMap(({ image, tag, days }) => (days === undefined ? [] : [{ tag, index: image.index, days }])),
  };
}

function holds(set: Past | undefined, { manifest }: Found): boolean {
  return set?.index.body.kind === "index" && set.index.body.manifests.some(({ digest }) => digest === manifest);
}

/** What the probe has found under the platforms' own tags; nothing where it did not look there. */
function foundIn(verdict: Verdict): readonly Found[] | undefined {
  if (verdict.kind === "hit") return undefined;
  if (verdict.kind === "stale") return verdict.reusable;
  return "found" in verdict ? verdict.found : [];
}

type Judged = { readonly wanted: Wanted; readonly isSetPast: boolean; readonly why: string };

function leftOf(verdict: Verdict, young: readonly Found[], { wanted, isSetPast, why }: Judged): Verdict {
  if (verdict.kind === "stale" && !isSetPast) return { ...verdict, reusable: young };
  if (verdict.kind === "stale" && verdict.doubt) return { kind: "unknown", doubt: verdict.doubt };
  const missing = wanted.platforms
    .map(({ platform }) => platform)
    .filter((one) => !young.some(({ platform }) => platform === one));
  const earlier = verdict.kind === "unknown" ? [] : (verdict.damaged ?? []);
  const damaged = [...earlier, why];
  if (missing.length === 0) return { kind: "joinable", found: young, damaged };
  return young.length === 0 ? { kind: "miss", damaged } : { kind: "partial", found: young, missing, damaged };
}
