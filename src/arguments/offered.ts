/** What git says about the checkout. `source` holds no login. */
export type Provenance = {
  readonly source: string | undefined;
  /** The commit's full hash. */
  readonly revision: string | undefined;
  readonly goPackageVersion: string | undefined;
  /** Files differ from the commit. */
  readonly isDirty: boolean;
};

/** The build arg for which git has to look for tags. */
export const GO_VERSION_ARGUMENT = "GOPKGVERSION";

/**
 * The build args that linuxkit gives every package, under its names. A dirty tree is not what a commit names, so nothing is said about
 * one.
 * @see https://github.com/linuxkit/linuxkit/pull/3932
 */
export function offeredArguments(provenance: Provenance): ReadonlyMap<string, string> {
  const { source, revision, goPackageVersion, isDirty } = provenance;
  const values = [
    ["SOURCE", source],
    ["REVISION", isDirty ? undefined : revision],
    [GO_VERSION_ARGUMENT, isDirty ? undefined : goPackageVersion],
  ] as const;
  return new Map(values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

export type Commit = {
  /** The newest tag like `v1.2.3` among its ancestors and itself. */
  readonly lastTag: string | undefined;
  readonly isTagged: boolean;
  /** Seconds since 1970. */
  readonly committed: number;
  /** The full hash. */
  readonly revision: string;
};

/**
 * The version that Go gives a commit: its tag, or a pseudo-version of tag, time and hash.
 * @see https://go.dev/ref/mod#pseudo-versions
 */
export function goPackageVersion({ lastTag, isTagged, committed, revision }: Commit): string {
  const tag = /^v(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?$/.exec(lastTag ?? "");
  if (tag && isTagged) return tag[0];
  const time = new Date(committed * 1000).toISOString().replace(/[-:T]|\..*$/g, "");
  const suffix = `${time}-${revision.slice(0, 12)}`;
  if (!tag) return `v0.0.0-${suffix}`;
  const [whole, major, minor, patch, prerelease] = tag;
  return prerelease === undefined
    ? `v${major}.${minor}.${BigInt(patch ?? 0) + 1n}-0.${suffix}`
    : `${whole}.0.${suffix}`;
}
