import type { CacheBeside } from "../buildx/cache.ts";
import { formatRepository } from "../oci/reference.ts";
import type { Sources } from "../plan/plan.ts";

/** Where layers are cached beside the image: under the branch's own alias, and read from those that it comes from. */
export function cacheBeside({ branches, wanted }: Sources): CacheBeside {
  const [own] = branches.moved;
  return { repository: formatRepository(wanted.repository), own, others: branches.known };
}
