import { type Platform, samePlatform } from "../oci/platform.ts";
import { licensesOf } from "./license.ts";
import { parsePurl } from "./purl.ts";
import type { PlatformSbom } from "./read.ts";
import type { Package } from "./spdx.ts";

/** Words and how often each is there, most first, then in order. */
export type Tally = readonly (readonly [word: string, count: number])[];

/** How many packages there are of each type: `[["deb", 152], ["pypi", 5]]` */
export function countByType(packages: readonly Package[]): Tally {
  return tally(packages.map(({ type }) => type));
}

/** What packages without a licence are counted under. */
export const NO_LICENSE = "none stated";

/** How many packages state each licence: one that states several counts for each of them. */
export function countByLicense(packages: readonly Package[]): Tally {
  return tally(packages.flatMap(({ license }) => (license === undefined ? [NO_LICENSE] : licensesOf(license))));
}

function tally(words: readonly string[]): Tally {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, more]) => more - many || inOrder(a, b));
}

/** A package may be there in several versions at once: `from` and `to` hold all that there were and are, sorted. */
export type PackageChange = { readonly type: string; readonly name: string } & (
  | { readonly kind: "added"; readonly to: readonly string[] }
  | { readonly kind: "removed"; readonly from: readonly string[] }
  | { readonly kind: "changed"; readonly from: readonly string[]; readonly to: readonly string[] }
);

/**
 * Tells what differs between two images of one platform, by type and name. A package is the same one when type, name and architecture
 * are; how often it is there does not count, and neither does where.
 */
export function comparePackages(previous: readonly Package[], current: readonly Package[]): readonly PackageChange[] {
  const [before, after] = [groupByIdentity(previous), groupByIdentity(current)];
  const removed = [...before].flatMap(([identity, { type, name, versions }]): PackageChange[] =>
    after.has(identity) ? [] : [{ kind: "removed", type, name, from: [...versions].sort() }],
  );
  const others = [...after].flatMap(([identity, { type, name, versions }]): PackageChange[] => {
    const to = [...versions].sort();
    const was = before.get(identity)?.versions;
    if (!was) return [{ kind: "added", type, name, to }];
    const isSame = was.size === versions.size && to.every((version) => was.has(version));
    return isSame ? [] : [{ kind: "changed", type, name, from: [...was].sort(), to }];
  });
  return [...removed, ...others].sort((a, b) => inOrder(a.type, b.type) || inOrder(a.name, b.name));
}

/** What differs between the images of one platform. */
export type PlatformChanges = { readonly platform: Platform; readonly changes: readonly PackageChange[] };

/** Compares platform by platform, where both sides have an SBOM. */
export function comparePlatforms(
  previous: readonly PlatformSbom[],
  current: readonly PlatformSbom[],
): readonly PlatformChanges[] {
  const before = previous.filter((sbom) => sbom.kind === "sbom");
  const after = current.filter((sbom) => sbom.kind === "sbom");
  return after.flatMap(({ platform, packages }) => {
    const old = before.find((one) => samePlatform(one.platform, platform));
    return old ? [{ platform, changes: comparePackages(old.packages, packages) }] : [];
  });
}

type Group = { readonly type: string; readonly name: string; readonly versions: Set<string> };

function groupByIdentity(packages: readonly Package[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const one of packages) {
    const identity = identityOf(one);
    const group = groups.get(identity) ?? { type: one.type, name: one.name, versions: new Set() };
    group.versions.add(one.version ?? "");
    groups.set(identity, group);
  }
  return groups;
}

/** Of the package URL only what a new version leaves as it is: others of its qualifiers name the source's version or the distribution's. */
function identityOf({ type, name, purl }: Package): string {
  const parsed = purl === undefined ? undefined : parsePurl(purl);
  return JSON.stringify([type, parsed?.path ?? name, parsed?.arch ?? ""]);
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
