import { layerTag } from "../buildx/cache.ts";
import type { Platform } from "../oci/platform.ts";
import type { Sources } from "../plan/plan.ts";
import type { Registry } from "../world.ts";

/**
 * Lets the layers that a variant has exported stand under the name that all variants share as well: one whose args are others in every
 * run would else never find any. It is a manifest that is in the repository already; where that does not work, a build is slower.
 */
export async function shareLayers(
  { branches, wanted }: Sources,
  platforms: readonly Platform[],
  registry: Registry,
): Promise<void> {
  const [own, shared] = branches.moved;
  if (own === undefined || shared === undefined) return;
  const copies = platforms.map(async (platform) => {
    const there = await registry.manifest({ ...wanted.repository, tag: layerTag(own, platform) });
    if (there.kind !== "found") return;
    const { bytes, descriptor } = there.value;
    await registry.putManifest(wanted.repository, bytes, descriptor.mediaType, layerTag(shared, platform));
  });
  await Promise.all(copies);
}
