import { type Digest, digestOf, hexOf } from "../oci/digest.ts";
import { type Platform, platformSlug } from "../oci/platform.ts";
import { canonicalJson, type Json } from "./canonical.ts";
import type { ContextEntry, PlatformPlan, Yours } from "./ingredients.ts";

/** sha256 over the four parts of one platform's plan. What only led to what *upstream* says is left out: two ways to it are one image. */
export function platformKey(plan: PlatformPlan): Digest {
  return digestOf(canonicalJson({ ...plan, yours: decisive(plan.yours) }));
}

function decisive({ pins: _pins, installOrder: _order, features, ...yours }: Yours): Json {
  const others = features.filter(({ options, tree }) => options !== undefined || tree !== undefined);
  const { target, ...configuration } = yours.configuration;
  const isNamed = yours.dockerfile === undefined || yours.dockerfile.named === true;
  return {
    ...yours,
    configuration: { ...configuration, ...(target !== undefined && isNamed ? { target } : {}) },
    features: others.map(({ locked: _locked, ...feature }) => feature),
  };
}

/** sha256 over the sorted keys of a set's platforms. */
export function setKey(platformKeys: readonly Digest[]): Digest {
  return digestOf(canonicalJson([...platformKeys].sort()));
}

/** sha256 over *yours* of all platforms of a set, whatever their order. */
export function sourceKey(yours: readonly Yours[]): Digest {
  return digestOf(canonicalJson(yours.map((part) => digestOf(canonicalJson(part))).sort()));
}

/** sha256 over everything but upstream: two sets with the same one differ at most in what others published. */
export function ownKey(plans: readonly Omit<PlatformPlan, "upstream">[]): Digest {
  const own = plans.map(({ schema, yours, label, recipe }) =>
    digestOf(canonicalJson({ schema, yours, label, recipe })),
  );
  return digestOf(canonicalJson(own.sort()));
}

/** sha256 over everything but the label: images of two sets with the same one have the same layers, and differ in nothing but the label. */
export function unlabelledKey(plans: readonly PlatformPlan[]): Digest {
  const parts = plans.map(({ schema, yours, upstream, label, recipe }) =>
    digestOf(canonicalJson({ schema, yours: decisive(yours), upstream, recipe, ...decidingLabel(yours, label) })),
  );
  return digestOf(canonicalJson(parts.sort()));
}

/** Where a uid is asked for, this property decides against the base's label whether the remote user gets it. */
function decidingLabel({ options }: Yours, label: Json): { readonly [name: string]: Json | undefined } {
  if (
    options.remoteUserUid === undefined ||
    typeof label !== "object" ||
    label === null ||
    !("updateRemoteUserUID" in label)
  )
    return {};
  return { updateRemoteUserUID: label.updateRemoteUserUID };
}

/** sha256 of a context's entries, whatever the order in which they were read. */
export function treeDigest(entries: readonly ContextEntry[]): Digest {
  return digestOf(canonicalJson(compactTree(entries)));
}

/** A context's entries as short lists, sorted by path: `[path, mode, sha256]`, `[path, "link", target]`, `[path, "directory"]`. */
export function compactTree(entries: readonly ContextEntry[]): Json[][] {
  return entries
    .map((entry) => {
      if (entry.kind === "file") return [entry.path, entry.mode, entry.content];
      return entry.kind === "link" ? [entry.path, "link", entry.target] : [entry.path, "directory"];
    })
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

/** `k1-<64 hex>`: the set's index. */
export function setTag(key: Digest): string {
  return `k1-${hexOf(key)}`;
}

/** `k1-<64 hex>-<os>-<arch>[-<variant>]`: one platform's small index. */
export function platformTag(key: Digest, platform: Platform): string {
  return `k1-${hexOf(key)}-${platformSlug(platform)}`;
}

/** `y1-<64 hex>`: the newest set for the same sources. */
export function sourceTag(key: Digest): string {
  return `y1-${hexOf(key)}`;
}

const SLUG_LENGTH = 60;

/**
 * `branch-<slug>-<8 hex of branch and configuration path>`: the newest set of a branch. The slug is for people, the digits keep names apart.
 * @param variant joins into the digits where the inputs ask for a variant of the configuration.
 */
export function branchTag(branch: string, configuration: string, variant?: Json): string {
  const slug = branch
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .slice(0, SLUG_LENGTH);
  const named = [branch, configuration, ...(variant === undefined ? [] : [variant])];
  return `branch-${slug}-${hexOf(digestOf(canonicalJson(named))).slice(0, 8)}`;
}
