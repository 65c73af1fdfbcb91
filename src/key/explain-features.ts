import { shortDigest } from "../oci/digest.ts";
import { canonicalJson } from "./canonical.ts";
import {
  type Difference,
  inBrackets,
  memberOf,
  type Places,
  placeOf,
  tellSource,
  tellVariables,
} from "./difference.ts";
import type { PlatformPlan, UpstreamFeature, WrittenFeature } from "./ingredients.ts";

/** What differs between the features of two plans: which there are, their versions, options, the files of local ones, and the order. */
export function compareFeatures(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const [was, is] = [byName(before.upstream.features), byName(now.upstream.features)];
  const local = localFeatures(now.yours.features);
  const differences = [
    ...[...is].flatMap(([name, feature]) => compareFeature(was.get(name), feature, local, places)),
    ...[...was].flatMap(([name, feature]) =>
      is.has(name) ? [] : [tell(feature, "is no longer installed", local, places)],
    ),
  ];
  const common = (names: ReadonlyMap<string, unknown>, others: ReadonlyMap<string, unknown>) =>
    [...names.keys()].filter((name) => others.has(name));
  const isReordered = canonicalJson(common(was, is)) !== canonicalJson(common(is, was));
  return [
    ...differences,
    ...(isReordered ? [configured("features are installed in another order", places)] : []),
    ...(differences.length === 0 && !isReordered ? compareWritten(before, now, places) : []),
  ];
}

/** Two of one spelling are told apart by their place among them. */
function byName(list: readonly UpstreamFeature[]): ReadonlyMap<string, UpstreamFeature> {
  const named = list.map((feature, index) => {
    const earlier = list.slice(0, index).filter(({ written }) => written === feature.written).length;
    return [`${earlier} ${feature.written}`, feature] as const;
  });
  return new Map(named);
}

function localFeatures(written: readonly WrittenFeature[]): ReadonlySet<string> {
  return new Set(written.flatMap(({ id, tree }) => (tree === undefined ? [] : [id])));
}

function compareFeature(
  before: UpstreamFeature | undefined,
  now: UpstreamFeature,
  local: ReadonlySet<string>,
  places: Places,
): Difference[] {
  if (!before) return [tell(now, "is new", local, places)];
  const version =
    before.digest === now.digest
      ? []
      : local.has(now.written)
        ? ["changed: its files are others now"]
        : [`${shortDigest(before.digest)}… → ${shortDigest(now.digest)}…`];
  const [old, current] = [new Map(before.options), new Map(now.options)];
  const changed = [...new Set([...old.keys(), ...current.keys()])].filter(
    (name) => old.get(name) !== current.get(name),
  );
  const options = changed.map((name) => {
    const note = inBrackets([tellVariables(places, `features.${now.written}.${name}`)]);
    return `option ${name} changed${note}`;
  });
  return [...version, ...options].map((what) => tell(now, what, local, places));
}

function tell({ written }: UpstreamFeature, what: string, local: ReadonlySet<string>, places: Places): Difference {
  const source = memberOf(places.features, written);
  const note = source && "input" in source ? inBrackets([tellSource(source)]) : "";
  // What a feature depends on, and what a tag names, others decide.
  const part = source === undefined || (what.includes("→") && !local.has(written)) ? "upstream" : "yours";
  return { part, ingredient: "feature", text: `feature ${written} ${what}${note}`, ...placeOf(source) };
}

function configured(text: string, { configuration }: Places): Difference {
  return { part: "yours", ingredient: "feature", text, at: { file: configuration } };
}

/** What is written differently and installs the same today all the same makes another key. */
function compareWritten(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const [was, is] = [before.yours, now.yours].map(({ features, installOrder }) =>
    canonicalJson([features.map((one) => ({ ...one })), installOrder ?? null]),
  );
  return was === is ? [] : [configured("features or their lockfile are written differently", places)];
}
