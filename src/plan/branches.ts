import type { Event } from "../world.ts";

/** The branch whose alias this run moves: never for a pull request or a fork, else a pull request could change what a branch is compared with. */
export function branchToMove(alias: "auto" | "true" | "false", event: Event): string | undefined {
  if (alias === "false" || event.isPullRequest || event.isFork) return undefined;
  return event.branch;
}
