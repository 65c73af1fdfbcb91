import { isImmovable } from "../build/claim.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { formatRepository, type Repository } from "../oci/reference.ts";
import type { RegistryError, World } from "../world.ts";

/** Tags that are moved with every new set: conveniences, without which the image is found by its key all the same. */
export type Pointers = {
  /** Never fails: what the registry says is kept. */
  readonly move: (tag: string, to: { readonly bytes: Uint8Array; readonly descriptor: Descriptor }) => Promise<void>;
  /** Says once, of all of them, what was not moved and what to do about it. */
  readonly tell: () => void;
};

/** Opens the pointers of a repository. */
export function openPointers(repository: Repository, { registry, log }: Pick<World, "registry" | "log">): Pointers {
  const refused = new Map<string, RegistryError>();
  return {
    move: async (tag, { bytes, descriptor }) => {
      const answer = await registry.putManifest(repository, bytes, descriptor.mediaType, tag);
      if (answer.kind !== "found") refused.set(tag, answer);
    },
    tell: () => {
      const [first] = refused.values();
      if (first) log.warning(describeRefusal([...refused.keys()], first, repository));
    },
  };
}

/** One warning with its way out. */
export function describeRefusal(tags: readonly string[], error: RegistryError, repository: Repository): string {
  const fix = isImmovable(error)
    ? `Let the tags y1-*, branch-*, c1-* and layers-* of ${formatRepository(repository)} move (ECR: an exclusion filter of the repository's tag mutability; Harbor, GitLab: a rule that leaves them out).`
    : (error.fix ?? "The next run that pushes moves them.");
  return `The image is there and is found by its key; ${tags.join(" and ")} could not be moved: ${error.words} (${error.request}). That only costs explanations of a miss and the last good image after a base has moved. ${fix}`;
}
