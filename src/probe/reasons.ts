import type { Difference } from "../key/difference.ts";
import type { Served } from "../oci/manifest.ts";
import type { Doubt } from "../sources/doubt.ts";
import { cannotTell } from "./decide.ts";
import type { Verdict } from "./verdict.ts";

/** The image that the wanted one is compared with. */
export type Previous = { readonly tag: string; readonly index: Served };

/** Why the wanted image is not there; without `previous` there is none to compare it with. */
export type Explanation = { readonly previous: Previous | undefined; readonly reasons: readonly Difference[] };

/** What speaks of the cache repository, and of nothing in the checkout. */
export function inCache(text: string): Difference {
  return { part: "cache", ingredient: "image", text };
}

/** A doubt in the words of the error that it would be. */
export function doubtReason(doubt: Doubt): Difference {
  const { message, at } = cannotTell(doubt);
  return { part: "cache", ingredient: "doubt", text: message, ...(at ? { at } : {}) };
}

/** All reasons of a verdict, each once: what is there and does not count, what cannot be told, and what differs from another image. */
export function withVerdict(verdict: Verdict, { previous, reasons }: Explanation): Explanation {
  if (verdict.kind === "unknown") return { previous, reasons: [doubtReason(verdict.doubt)] };
  if (verdict.kind === "stale" && verdict.doubt) return { previous, reasons: [doubtReason(verdict.doubt), ...reasons] };
  const known = new Set(reasons.map(({ text }) => text));
  const damaged = (verdict.damaged ?? []).filter((text) => !known.has(text)).map(inCache);
  // What is broken is reason enough: that nothing else differs explains nothing beside it.
  const others = damaged.length === 0 ? reasons : reasons.filter(({ part }) => part !== "cache");
  return { previous, reasons: [...damaged, ...others] };
}
