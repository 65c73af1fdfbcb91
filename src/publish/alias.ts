import type { Descriptor, Served } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import type { Sources } from "../plan/plan.ts";
import type { Answer, Registry, World } from "../world.ts";

/** What a branch's alias names: asked beside the probe, so that moving it after a hit costs no round trip of its own. */
export type Alias = { readonly tag: string; readonly answer: Promise<Answer<Descriptor>> };

/** A hit moves the alias of its own variant: the one that all share is the newest build's. */
export function lookAtAlias(
  moved: Sources["branches"]["moved"],
  repository: Repository,
  registry: Registry,
): Alias | undefined {
  const [tag] = moved;
  if (tag === undefined) return undefined;
  return { tag, answer: registry.describe({ ...repository, tag }) };
}

/**
 * Makes a hit the newest set of its branch, so that the next miss is compared with it. The alias only serves explanations: that it
 * cannot be moved, with a token that may only read, is no failure and nothing to be told on every hit.
 */
export async function moveAlias(
  { tag, answer }: Alias,
  repository: Repository,
  served: Served,
  { registry, log }: Pick<World, "registry" | "log">,
): Promise<void> {
  const there = await answer;
  if (there.kind === "found" && there.value.digest === served.descriptor.digest) return;
  const moved = await registry.putManifest(repository, served.bytes, served.descriptor.mediaType, tag);
  if (moved.kind === "found") return;
  // That is seldom: few who find an image may push, and few tags may not move.
  const [{ isImmovable }, { describeRefusal }] = await Promise.all([
    import("../build/claim.ts"),
    import("./pointers.ts"),
  ]);
  if (isImmovable(moved)) log.warning(describeRefusal([tag], moved, repository));
}
