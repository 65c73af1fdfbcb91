import { cannotTell } from "../probe/decide.ts";
import type { Report } from "./report.ts";

/**
 * The one thing to do now, where something is left to do. What a failure advises stands beside its words, and goes first.
 */
export function nextStep({ result, failure, notPushed, verdict, isFallback }: Report): string | undefined {
  if (failure) return failure.fix;
  if (notPushed) return notPushed.fix;
  if (result === "unknown" || result === "stale") {
    const doubt = verdict?.kind === "unknown" || verdict?.kind === "stale" ? verdict.doubt : undefined;
    if (doubt) return cannotTell(doubt).fix;
    return result === "stale" ? "Let a run with on-drift: build make a new image." : undefined;
  }
  if (result !== "miss" && result !== "partial") return undefined;
  const until = isFallback ? " Until then this one stands in for it." : "";
  return `Let a run with on-miss: build make what is missing: a push to a branch of this repository, or the scheduled warm-up.${until}`;
}
