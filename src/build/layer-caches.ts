import type { BuildEnd } from "../buildx/progress.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Log } from "../world.ts";
import { isImmovable } from "./claim.ts";

/** What became of the layer caches of one platform's build. */
export type LayerCaches = Pick<BuildEnd, "lostCache" | "refusedCaches">;

/** A layer cache only makes a build shorter: one warning for those that were not read, one for those that were not written, with the way out. */
export function tellLayerCaches(
  ended: readonly (LayerCaches & { readonly platform: Platform })[],
  { warning }: Pick<Log, "warning">,
): void {
  const refused = new Map(ended.flatMap(({ refusedCaches }) => refusedCaches.map(({ name, error }) => [name, error])));
  const [first] = refused;
  if (first) {
    const names = [...refused.keys()].join(", ");
    warning(
      `The layer cache ${names} could not be read, and what it may hold was built anew: ${first[1]}. ${adviceFor(first[1])}`,
    );
  }
  const lost = ended.filter(({ lostCache }) => lostCache !== undefined);
  const words = lost[0]?.lostCache;
  if (words === undefined) return;
  const fix = isImmovable({ words })
    ? "Let the tags layers-* of the cache repository move, or set cache-to to another place, or to false."
    : "Set cache-to to a place that takes it, or to false.";
  const platforms = lost.map(({ platform }) => formatPlatform(platform)).join(", ");
  warning(
    `The layer cache of ${platforms} could not be exported, and the next build takes longer for that: ${words}. ${fix}`,
  );
}

function adviceFor(words: string): string {
  return /\b40[13]\b|denied|unauthorized|authoriz/i.test(words)
    ? "Log in with docker/login-action before this action with a login that may read it, or set cache-from to what may be read, or to false."
    : "If it stays so, set cache-from to a place that can be read, or to false.";
}
