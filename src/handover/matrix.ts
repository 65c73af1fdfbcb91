import type { Runner } from "../inputs/runners.ts";
import { formatPlatform, platformSlug } from "../oci/platform.ts";

/** A leg of a matrix; `slug` is the platform as it may stand in a file's or an artifact's name. */
type Leg = { readonly platform: string; readonly runner: string | readonly string[]; readonly slug: string };

/**
 * The value for `strategy.matrix`. GitHub refuses a matrix without legs, unless the job's `if`, which it looks at first, says not to run.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix
 */
export function makeMatrix(runners: readonly Runner[]): { readonly include: readonly Leg[] } {
  return {
    include: runners.map(({ platform, labels: [first, ...more] }) => ({
      platform: formatPlatform(platform),
      runner: more.length === 0 ? first : [first, ...more],
      slug: platformSlug(platform),
    })),
  };
}
