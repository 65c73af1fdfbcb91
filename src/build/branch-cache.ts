import type { CacheBeside } from "../buildx/cache.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { branchTag } from "../key/fingerprint.ts";
import { formatRepository } from "../oci/reference.ts";
import { branchToMove } from "../plan/branches.ts";
import type { Sources } from "../plan/plan.ts";
import type { Event } from "../world.ts";

/** Where layers are cached beside the image: under the branch's own alias, and read from those that it comes from. */
export function cacheBeside(sources: Sources, { alias }: Pick<Inputs, "alias">, event: Event): CacheBeside {
  const tagOf = (branch: string): string => branchTag(branch, sources.configuration);
  const own = branchToMove(alias, event);
  const others = [event.branch, event.baseBranch, event.defaultBranch].flatMap((branch) => branch ?? []);
  return {
    repository: formatRepository(sources.wanted.repository),
    own: own === undefined ? undefined : tagOf(own),
    others: [...new Set(others)].map(tagOf),
  };
}
