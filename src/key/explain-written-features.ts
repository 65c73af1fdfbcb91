import { canonicalJson } from "./canonical.ts";
import { type Difference, inBrackets, memberOf, type Places, placeOf, type Source, tellSource } from "./difference.ts";
import type { PlatformPlan, WrittenFeature } from "./ingredients.ts";

/** Where features stand, where that of one of them cannot be told. */
export function featuresPlace({ properties, configuration }: Places): { readonly at: NonNullable<Difference["at"]> } {
  return { at: properties.features ?? { file: configuration } };
}

/** An input is told in the text, for it is no file that anybody could open. */
export function noteOf(source: Source | undefined): string | undefined {
  return source && "input" in source ? tellSource(source) : undefined;
}

/** The order that is asked for makes another key even where it changes nothing. */
export function compareOrder(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const [was, is] = [before.yours.installOrder, now.yours.installOrder];
  const haveFeatures = before.upstream.features.length > 0 && now.upstream.features.length > 0;
  if (!haveFeatures || canonicalJson(was ?? null) === canonicalJson(is ?? null)) return [];
  const what = was === undefined ? "is new" : is === undefined ? "is gone" : "changed";
  const place = is && places.properties.overrideFeatureInstallOrder;
  const at = place ? { at: place } : featuresPlace(places);
  const text = `overrideFeatureInstallOrder ${what}, the order in which features are installed`;
  return [{ part: "yours", ingredient: "feature", text, ...at }];
}

const LOCKS_TOLD = 5;

type Written = readonly WrittenFeature[];

/** What the lockfile says otherwise, where it installs the same. */
export function compareLocks(
  before: Written,
  now: Written,
  told: ReadonlySet<string | undefined>,
  { locks, lockfile }: Places,
): Difference[] {
  const [was, is] = [before, now].map((all) => new Map(all.map(({ id, locked }) => [id, locked])));
  const ids = [...new Set([...(is?.keys() ?? []), ...(was?.keys() ?? [])])];
  const changed = ids.filter((id) => !told.has(id) && was?.get(id) !== is?.get(id));
  const [first] = changed;
  if (first === undefined) return [];
  const source = memberOf(locks, first) ?? lockfile;
  const more = changed.length > LOCKS_TOLD ? [`${changed.length - LOCKS_TOLD} more`] : [];
  const names = [...changed.slice(0, LOCKS_TOLD), ...more].join(", ");
  const text = `the lockfile says otherwise of ${names}${inBrackets([noteOf(source)])}`;
  return [{ part: "yours", ingredient: "feature", text, ...placeOf(source) }];
}

/**
 * What is written differently and installs the same today all the same makes another key.
 * @param isQuiet whether options are told: what is written differently are those.
 */
export function compareWritten(
  before: Written,
  now: Written,
  { told, isQuiet }: { readonly told: ReadonlySet<string | undefined>; readonly isQuiet: boolean },
  { features }: Places,
): Difference[] {
  const old = new Map(before.map((feature) => [feature.id, feature]));
  return now.flatMap((feature): Difference[] => {
    const { id, options, order } = feature;
    const was = old.get(id);
    if (was === undefined || options === undefined || told.has(id)) return [];
    const isSame = canonicalJson(was.options ?? null) === canonicalJson(options);
    const isOrdered = canonicalJson(was.order ?? null) === canonicalJson(order ?? null);
    if ((isSame || isQuiet) && (isOrdered || !isSame)) return [];
    const source = memberOf(features, id);
    const what = isSame ? "gets its options in another order" : "is written differently, and installs the same";
    const text = `feature ${id} ${what}${inBrackets([noteOf(source)])}`;
    return [{ part: "yours", ingredient: "feature", text, ...placeOf(source) }];
  });
}
