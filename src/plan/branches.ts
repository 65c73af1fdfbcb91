import type { Json } from "../key/canonical.ts";
import { branchTag } from "../key/fingerprint.ts";
import type { Head } from "../sources/head.ts";
import type { Event } from "../world.ts";

/** The branch whose alias this run moves: never for a pull request or a fork, else a pull request could change what a branch is compared with. */
export function branchToMove(alias: "auto" | "true" | "false", event: Event): string | undefined {
  if (alias === "false" || event.isPullRequest || event.isFork) return undefined;
  return event.branch;
}

/** The names under which the newest sets of branches stand. */
export type BranchTags = {
  /** Those that this run moves: of its own variant first, then the one that all variants share. */
  readonly moved: readonly string[];
  /** Where an earlier image and its layers are looked for, the most alike first. */
  readonly known: readonly string[];
};

type Asked = {
  readonly alias: "auto" | "true" | "false";
  readonly event: Event;
  readonly head: Head;
  /** The commit that the event is about, where the host tells it. */
  readonly commit: string | undefined;
  /** devcontainer.json as seen from the workspace. */
  readonly configuration: string;
  /** What the inputs ask for that another leg on the same configuration may ask for in another way; nothing where they ask for nothing. */
  readonly variant: Json | undefined;
};

/**
 * Names what this run moves and what it is compared with. Variants have names of their own: two legs of one configuration that differ
 * would else overwrite each other, and each be told the other's difference. What they share is for a variant that is seen for the first time.
 */
export function branchTags({ alias, event, head, commit, configuration, variant }: Asked): BranchTags {
  const checkedOut = branchOf(event, head, commit);
  // A clone has a branch on somebody's own machine too.
  const own = event.name === "" ? undefined : branchToMove(alias, { ...event, branch: checkedOut });
  const all = [checkedOut, event.branch, event.baseBranch, event.defaultBranch].flatMap((branch) => branch ?? []);
  const variants = (branch: string): readonly string[] =>
    variant === undefined ? [] : [branchTag(branch, configuration, variant)];
  return {
    moved: own === undefined ? [] : [...variants(own), branchTag(own, configuration)],
    known: [...new Set([...all.flatMap(variants), ...all.map((branch) => branchTag(branch, configuration))])],
  };
}

/**
 * The branch that is built: a scheduled run may have checked out another one than the event's, whose alias it would else move. A commit that
 * is not the event's own belongs to no branch that is known. Without an event, on somebody's own machine, nothing is moved.
 */
function branchOf(event: Event, head: Head, commit: string | undefined): string | undefined {
  // The event of a run that follows another one names its branch, and the host the commit of the default branch.
  if (event.isPullRequest || event.name === "" || event.name === "workflow_run") return event.branch;
  // A merge queue makes one for each try, and nobody comes back to it.
  if (head.kind === "branch") return head.name.startsWith("gh-readonly-queue/") ? undefined : head.name;
  return head.kind === "commit" && commit !== undefined && commit !== head.revision ? undefined : event.branch;
}
