import { shortDigest } from "../oci/digest.ts";
import { canonicalJson } from "./canonical.ts";
import {
  type Difference,
  inBrackets,
  type Known,
  memberOf,
  placeOf,
  type Source,
  tellVariables,
} from "./difference.ts";
import { changedMembers } from "./explain-configuration.ts";
import { compareOrder, compareWritten, featuresPlace, noteOf } from "./explain-written-features.ts";
import type { PlatformPlan, UpstreamFeature, WrittenFeature } from "./ingredients.ts";
import { tellGone } from "./origins.ts";

/** The features of one plan: as they are installed, and as they are written. */
type Side = {
  readonly installed: ReadonlyMap<string, UpstreamFeature>;
  readonly written: ReadonlyMap<string, WrittenFeature>;
};

/** A feature before and now: one of them is missing where it is new or gone. */
type Pair = { readonly before: UpstreamFeature | undefined; readonly now: UpstreamFeature | undefined };

type Scene = { readonly before: Side; readonly now: Side; readonly places: Known };

/**
 * What differs between the features of two plans: which there are, their versions, options, the files of local ones, and the order. What
 * only follows from such a change (a dependency that comes along, a default that a new version has, another order) is not told beside it.
 */
export function compareFeatures(before: PlatformPlan, now: PlatformPlan, places: Known): Difference[] {
  const scene: Scene = { before: sideOf(before), now: sideOf(now), places };
  const pairs = pairsOf(scene);
  const causes = pairs.filter((pair) => isCause(pair, scene));
  const followers = pairs.filter((pair) => !causes.includes(pair) && pair.before?.digest !== pair.now?.digest);
  // With which options a feature depends on another only its own files say.
  const decided = causes.length === 0 ? pairs : pairs.filter(({ now }) => isAsked(scene.now, now));
  const options = decided.flatMap((pair) => compareOptions(pair, scene));
  const found = [...causes, ...(causes.length === 0 ? followers : [])].flatMap((pair) => tellPair(pair, scene));
  const reordered = isReordered(scene);
  const order = reordered ? compareOrder(before, now, places) : [];
  const told = new Set([...causes, ...followers].flatMap(({ before, now }) => [before?.written, now?.written]));
  const isQuiet = options.length > 0;
  const written = compareWritten(before.yours.features, now.yours.features, { told, isQuiet }, places);
  const all = [...found, ...options, ...order, ...written];
  return all.length === 0 && reordered
    ? [
        {
          part: "yours",
          ingredient: "feature",
          text: "features are installed in another order",
          ...featuresPlace(places),
        },
      ]
    : all;
}

function sideOf({ yours, upstream }: PlatformPlan): Side {
  return {
    installed: byName(upstream.features),
    written: new Map(yours.features.map((feature) => [feature.id, feature])),
  };
}

/** Two of one spelling are told apart by their place among them. */
function byName(list: readonly UpstreamFeature[]): ReadonlyMap<string, UpstreamFeature> {
  const seen = new Map<string, number>();
  const named = list.map((feature) => {
    const earlier = seen.get(feature.written) ?? 0;
    seen.set(feature.written, earlier + 1);
    return [`${earlier} ${feature.written}`, feature] as const;
  });
  return new Map(named);
}

/** Whether the configuration or an input asks for it, and not another feature alone. */
function isAsked({ written }: Side, feature: UpstreamFeature | undefined): boolean {
  return feature !== undefined && written.get(feature.written)?.options !== undefined;
}

function pairsOf({ before, now }: Scene): readonly Pair[] {
  const gone = [...before.installed].filter(([name]) => !now.installed.has(name)).map(([, feature]) => feature);
  const renamed = new Set<UpstreamFeature>();
  const pairs = [...now.installed].map(([name, feature]): Pair => {
    const same = before.installed.get(name);
    if (same) return { before: same, now: feature };
    const old = isAsked(now, feature)
      ? gone.find((one) => !renamed.has(one) && isAsked(before, one) && isOtherNameOf(one, feature))
      : undefined;
    if (old) renamed.add(old);
    return { before: old, now: feature };
  });
  return [...pairs, ...gone.filter((one) => !renamed.has(one)).map((one) => ({ before: one, now: undefined }))];
}

/** Another version of it, or the very same in another place. */
function isOtherNameOf(before: UpstreamFeature, now: UpstreamFeature): boolean {
  return before.digest === now.digest || withoutVersion(before.written) === withoutVersion(now.written);
}

function withoutVersion(id: string): string {
  return id.replace(/@sha256:[0-9a-f]*$/, "").replace(/:[^:/]*$/, "");
}

/** What somebody has written, or published under the same name; a dependency that comes or goes follows from that. */
function isCause({ before, now }: Pair, scene: Scene): boolean {
  if (before && now) return before.digest !== now.digest || before.written !== now.written;
  return isAsked(scene.before, before) || isAsked(scene.now, now);
}

function tellPair({ before, now }: Pair, scene: Scene): Difference[] {
  const { places } = scene;
  if (!before) return now ? [tell(now, "is new", sourceOf(now, scene))] : [];
  if (!now) return [tellFeatureGone(before, scene)];
  if (before.written !== now.written) return [tell(before, `→ ${now.written}`, sourceOf(now, scene), "yours")];
  const moved = `${shortDigest(before.digest)}… → ${shortDigest(now.digest)}…`;
  if (scene.now.written.get(now.written)?.tree !== undefined)
    return [tell(now, "changed: its files are others now", sourceOf(now, scene), "yours")];
  if (isLockedOtherwise(now.written, scene))
    return [tell(now, moved, memberOf(places.locks, now.written) ?? places.lockfile, "yours")];
  return [tell(now, moved, sourceOf(now, scene), "upstream")];
}

function isLockedOtherwise(id: string, { before, now }: Scene): boolean {
  return before.written.get(id)?.locked !== now.written.get(id)?.locked;
}

/** Where it stood nobody can open any more: what is told is where features stand. */
function tellFeatureGone(feature: UpstreamFeature, scene: Scene): Difference {
  const { places } = scene;
  const what = "is no longer installed";
  if (!isAsked(scene.before, feature)) return tell(feature, what, undefined);
  const known = memberOf(places.features, feature.written);
  if (known) return tell(feature, what, known, "yours");
  const { note, at } = tellGone(places.origins, `feature ${feature.written}`, places);
  const isOfFile = note === "" || at !== undefined;
  const place = isOfFile ? featuresPlace(places).at : undefined;
  return tell(feature, isOfFile ? what : `${what}${note}`, place, "yours");
}

function sourceOf({ written }: UpstreamFeature, { places }: Scene): Source | undefined {
  return memberOf(places.features, written);
}

function tell(
  { written }: UpstreamFeature,
  what: string,
  source: Source | undefined,
  part: Difference["part"] = source === undefined ? "upstream" : "yours",
): Difference {
  const text = `feature ${written} ${what}${inBrackets([noteOf(source)])}`;
  return { part, ingredient: "feature", text, ...placeOf(source) };
}

/** Those that somebody has set otherwise; what a version has as its default moves with it. */
function compareOptions({ before, now }: Pair, scene: Scene): Difference[] {
  if (!before || !now) return [];
  const { places } = scene;
  const [old, current] = [new Map(before.options), new Map(now.options)];
  const changed = [...new Set([...old.keys(), ...current.keys()])].filter(
    (name) => old.get(name) !== current.get(name),
  );
  const [was, is] = [scene.before.written.get(before.written), scene.now.written.get(now.written)];
  const isMoved = before.digest !== now.digest;
  const set = isMoved ? changedMembers(asObject(was?.options), asObject(is?.options)) : [];
  const isSet = (name: string): boolean => !isMoved || set.includes(name);
  return changed.filter(isSet).map((name) => {
    const note = tellVariables(places, `features.${now.written}.${name}`);
    const source = memberOf(memberOf(places.featureOptions, now.written) ?? {}, name) ?? sourceOf(now, scene);
    const text = `feature ${now.written} option ${name} changed${inBrackets([note, noteOf(source)])}`;
    return { part: source === undefined ? "upstream" : "yours", ingredient: "feature", text, ...placeOf(source) };
  });
}

/** A text in the place of options is the one that every feature has. */
function asObject(options: WrittenFeature["options"]): NonNullable<WrittenFeature["options"]> {
  return typeof options === "string" ? { version: options } : (options ?? {});
}

function isReordered({ before, now }: Scene): boolean {
  const common = (names: Side["installed"], others: Side["installed"]) =>
    [...names.keys()].filter((name) => others.has(name));
  const [was, is] = [before.installed, now.installed];
  return canonicalJson(common(was, is)) !== canonicalJson(common(is, was));
}
