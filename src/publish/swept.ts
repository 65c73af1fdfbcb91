import { attestationsOf, isAttestation, type Served } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import type { Found } from "../probe/found.ts";
import type { Registry } from "../world.ts";

/**
 * An image that was found, without the attestations of it that a clean-up has swept away: manifests that nobody has named are untagged, and
 * many a clean-up takes them for leftovers. An index that names them is taken by no registry, and the image is as good without them.
 */
export async function withoutSwept(found: Found, repository: Repository, registry: Registry): Promise<Found> {
  const { body } = found.index;
  if (body.kind !== "index") return found;
  const gone = await goneOf(attestationsOf(body, found.manifest), repository, registry);
  if (gone.size === 0) return found;
  const manifests = body.manifests.filter(({ digest }) => !gone.has(digest));
  return { ...found, index: { ...found.index, body: { ...body, manifests } } };
}

/** Whether a clean-up has swept away some of the attestations that an index names, or the plan. */
export async function isSwept({ body }: Served, repository: Repository, registry: Registry): Promise<boolean> {
  const attestations = body.kind === "index" ? body.manifests.filter(isAttestation) : [];
  return (await goneOf(attestations, repository, registry)).size > 0;
}

/** Only what the registry itself says is not there. */
async function goneOf(
  entries: readonly Pick<Served["descriptor"], "digest">[],
  repository: Repository,
  registry: Registry,
): Promise<ReadonlySet<string>> {
  const looks = entries.map(async ({ digest }) => {
    const answer = await registry.describe({ ...repository, digest });
    return answer.kind === "absent" ? [digest] : [];
  });
  return new Set((await Promise.all(looks)).flat());
}
