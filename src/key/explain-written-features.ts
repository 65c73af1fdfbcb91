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

/** Why features are installed in another order, where it is another one that is asked for. */
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

type Written = readonly WrittenFeature[];

/**
 * What is written differently, installs the same as far as is known before the build, and makes another key.
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
