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

/** Tells whether two would be one and the same install. */
export function isSameInstall(a: Candidate, b: Candidate): boolean {
  return a.reference.kind === b.reference.kind && compareCandidates(a, b) === 0;
}

/**
 * Tells whether a feature is the one that is meant in `installsAfter` or `overrideFeatureInstallOrder`: tags and digests do not count,
 * and one that was renamed is still meant by its old names.
 */
export function isMeantBy(node: Candidate, target: SoftTarget): boolean {
  const [one, other] = [node.reference, target.reference];
  if (one.kind === "local") return other.kind === "local" && one.folder === other.folder;
  if (one.kind === "tarball") return other.kind === "tarball" && one.url === other.url;
  if (one.kind !== "oci" || other.kind !== "oci") return false;
  return (
    one.resource === other.resource || target.aliases.some((alias) => `${other.namespace}/${alias}` === one.resource)
  );
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
    const byName = compareTexts(name, others[at] ?? "");
    if (name !== others[at]) return byName;
    const byValue = compareValues(a[name], b[name]);
    if (byValue !== 0) return byValue;
  }
  return 0;
}

/** Numbers, and values of different types, count as equal to the reference CLI. */
function compareValues(a: Json | undefined, b: Json | undefined): number {
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  return typeof a === "boolean" && typeof b === "boolean" ? Number(a) - Number(b) : 0;
}
