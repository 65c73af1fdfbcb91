import { isJsonObject, type Json, type JsonObject } from "../devcontainer/json.ts";
import type { Digest } from "../oci/digest.ts";
import type { FeatureReference } from "./identify.ts";

/** What decides where a feature stands in the order, and whether it is the same as another. */
export type Candidate = {
  /** As it is written. */
  readonly id: string;
  readonly reference: FeatureReference;
  readonly digest: Digest;
  /** As they are written: `{}` and `{"version": "latest"}` are two installs, whatever the defaults are. */
  readonly options: Json;
  /** The names under which the feature is or was published. */
  readonly aliases: readonly string[];
};

/** A feature that others come after, if it is installed at all. */
export type SoftTarget = { readonly reference: FeatureReference; readonly aliases: readonly string[] };

/** Fixed, so that the order does not follow the host's language: what the reference CLI's `localeCompare` does without one. */
const { compare: compareTexts } = new Intl.Collator("en-US");

/**
 * The order of features that could be installed at the same time.
 * @returns as `Array.sort` wants it; 0 for what is one and the same install.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/containerFeaturesOrder.ts (compareTo)
 */
export function compareCandidates(a: Candidate, b: Candidate): number {
  const [one, other] = [a.reference, b.reference];
  if (one.kind === "local" && other.kind === "local")
    return compareTexts(one.folder, other.folder) || compareOptions(a.options, b.options);
  if (one.kind === "tarball" && other.kind === "tarball")
    return compareTexts(one.url, other.url) || compareOptions(a.options, b.options);
  if (one.kind === "oci" && other.kind === "oci") return comparePublished(a, b, [one, other]);
  return compareTexts(a.id, b.id);
}

type Published = Extract<FeatureReference, { kind: "oci" }>;

function comparePublished(a: Candidate, b: Candidate, [one, other]: readonly [Published, Published]): number {
  const byOptions = compareOptions(a.options, b.options);
  if (a.digest === b.digest && byOptions === 0) return 0;
  const byNamespace = compareTexts(one.namespace, other.namespace);
  if (byNamespace !== 0) return byNamespace;
  const isSameFeature = a.aliases.some((alias) => b.aliases.includes(alias));
  const byName = isSameFeature ? 0 : compareTexts(one.name, other.name);
  if (byName !== 0) return byName;
  const byTag = one.tag === undefined || other.tag === undefined ? 0 : compareTexts(one.tag, other.tag);
  return byTag || byOptions || compareTexts(a.digest, b.digest);
}

/** Features that were gathered, to be looked up without going through all of them. */
export type Gathering<T extends Candidate> = {
  readonly add: (candidate: T) => void;
  /** Those that would be one and the same install, in the order in which they came. */
  readonly sameAs: (wanted: Candidate) => readonly T[];
  /**
   * Those that are meant in `installsAfter` or `overrideFeatureInstallOrder`, in the order in which they came: tags and digests do not
   * count, and one that was renamed is still meant by its old names.
   */
  readonly meantBy: (target: SoftTarget) => readonly T[];
};

export function gather<T extends Candidate>(candidates: readonly T[] = []): Gathering<T> {
  const byContent = new Map<string, T[]>();
  const byPlace = new Map<string, T[]>();
  const numbers = new Map<T, number>();
  const add = (candidate: T): void => {
    numbers.set(candidate, numbers.size);
    append(byContent, contentOf(candidate), candidate);
    append(byPlace, placeOf(candidate.reference), candidate);
  };
  for (const candidate of candidates) add(candidate);
  return {
    add,
    sameAs: (wanted) => (byContent.get(contentOf(wanted)) ?? []).filter((one) => compareCandidates(one, wanted) === 0),
    meantBy: ({ reference, aliases }) => {
      const places = [
        placeOf(reference),
        ...(reference.kind === "oci" ? aliases.map((alias) => `oci ${reference.namespace}/${alias}`) : []),
      ];
      const meant = new Set(places.flatMap((place) => byPlace.get(place) ?? []));
      return [...meant].sort((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
    },
  };
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  list.push(item);
}

/** What two have in common that are one install: published ones the digest, the others are compared with all of their kind. */
function contentOf({ reference, digest }: Candidate): string {
  return reference.kind === "oci" ? `oci ${digest}` : reference.kind;
}

function placeOf(reference: FeatureReference): string {
  switch (reference.kind) {
    case "oci":
      return `oci ${reference.resource}`;
    case "local":
      return `local ${reference.folder}`;
    case "tarball":
      return `tarball ${reference.url}`;
    case "release":
      // Nobody means one that cannot be installed.
      return "release";
  }
}

/** Fewest options first, then by name, then by value: https://github.com/devcontainers/cli/issues/1266 */
function compareOptions(a: Json, b: Json): number {
  if (isJsonObject(a) && isJsonObject(b)) return compareObjects(a, b);
  if (typeof a !== typeof b) return compareTexts(typeof a, typeof b);
  return compareValues(a, b);
}

function compareObjects(a: JsonObject, b: JsonObject): number {
  const [names, others] = [Object.keys(a).sort(), Object.keys(b).sort()];
  if (names.length !== others.length) return names.length - others.length;
  for (const [at, name] of names.entries()) {
    const other = others[at] ?? "";
    if (name !== other) return compareTexts(name, other);
    const byValue = compareValues(a[name], b[name]);
    if (byValue !== 0) return byValue;
  }
  return 0;
}

/** Numbers, and values of different types, count as equal to the reference CLI. */
function compareValues(a: Json | undefined, b: Json | undefined): number {
  if (typeof a === "string" && typeof b === "string") return a === b ? 0 : compareTexts(a, b);
  return typeof a === "boolean" && typeof b === "boolean" ? Number(a) - Number(b) : 0;
}
