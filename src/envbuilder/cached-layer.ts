import { type GoDescriptor, readConfigFile, readGoManifest } from "./image-json.ts";

/** What is kept under a key. */
export type CachedLayer = { readonly kind: "layer"; readonly diffId: string; readonly descriptor: GoDescriptor };

export type CacheEntry =
  | CachedLayer
  /** The builder makes the layer again. */
  | { readonly kind: "expired"; readonly created: string }
  | { readonly kind: "malformed"; readonly what: string };

const DAY = 24 * 60 * 60 * 1000;

/**
 * Reads what was served under a key: an image of one layer, which counts for so many days.
 * @param now milliseconds since 1970.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/cache/cache.go (verifyImage)
 */
export function readCacheEntry(
  served: { readonly manifest: string; readonly config: string },
  { now, days }: { readonly now: number; readonly days: number },
): CacheEntry {
  const [manifest, config] = [readGoManifest(served.manifest), readConfigFile(served.config)];
  if (!manifest || !config) return { kind: "malformed", what: "it is no image that can be read" };
  const created = timeOf(config.created);
  if (created === undefined) return { kind: "malformed", what: `it was made at ${config.created}, which is no time` };
  if (created + days * DAY < now) return { kind: "expired", created: config.created };
  const [descriptor, ...more] = manifest.layers ?? [];
  const [diffId] = config.rootFs.diffIds ?? [];
  if (descriptor === undefined || more.length > 0 || diffId === undefined)
    return { kind: "malformed", what: "it has not one layer" };
  return { kind: "layer", diffId, descriptor };
}

/** JavaScript reads years from nought on as Go does, but no more than three digits of a second are of any use here. */
function timeOf(created: string): number | undefined {
  const time = Date.parse(created.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(time) ? undefined : time;
}
