import { type CacheEntry, parseCacheEntry } from "../buildx/cache.ts";
import type { Place } from "../errors.ts";

/** A layer cache in a registry that the configuration names. */
export type ConfiguredCache = { readonly entry: CacheEntry; readonly at: Place };

/**
 * Reads what a configuration says of layer caches. Only those in registries are imported: for all others buildx takes the job's own logins
 * (ACTIONS_RUNTIME_TOKEN, AWS_…) to an address that stands in the entry, or reads a folder of the machine.
 * @see https://github.com/docker/buildx/blob/v0.36.1/util/buildflags/cache.go (addGithubToken, addAwsCredentials)
 */
export function readCaches(written: readonly { readonly text: string; readonly at: Place }[]): {
  readonly caches: readonly ConfiguredCache[];
  readonly warnings: readonly { readonly text: string; readonly at: Place }[];
} {
  const read = written.map(({ text, at }) => ({ entry: parseCacheEntry(text), at }));
  const isUsed = (entry: (typeof read)[number]["entry"]): entry is CacheEntry =>
    !("wrong" in entry) && entry.type === "registry";
  return {
    caches: read.flatMap(({ entry, at }) => (isUsed(entry) ? [{ entry, at }] : [])),
    warnings: read.flatMap(({ entry, at }) => {
      if (isUsed(entry)) return [];
      const why = "wrong" in entry ? entry.wrong : "a configuration's is read from a registry only";
      return [
        { text: `A layer cache (cacheFrom) is left out: ${why}. The input cache-from takes all that buildx does`, at },
      ];
    }),
  };
}
