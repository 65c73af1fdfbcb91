import { isImmovable } from "../build/claim.ts";
import { ActionError } from "../errors.ts";
import { shortDigest } from "../oci/digest.ts";
import type { Served } from "../oci/manifest.ts";
import { formatReference, type Repository } from "../oci/reference.ts";
import { adviseOn } from "../probe/advice.ts";
import type { Registry } from "../world.ts";

export type Retagged = {
  /** A line for each tag that was put or moved. */
  readonly lines: readonly string[];
  /** Those that the registry did not take, each with an error E_PUSH that names it. */
  readonly refused: readonly { readonly tag: string; readonly error: ActionError }[];
};

/** Puts an index that the registry serves under further tags. One that names it already is left alone. */
export async function retag(
  served: Served,
  repository: Repository,
  tags: readonly string[],
  registry: Registry,
): Promise<Retagged> {
  const moved = await Promise.all(tags.map((tag) => retagOnce(served, { ...repository, tag }, registry)));
  return {
    lines: moved.flatMap((line) => (typeof line === "string" ? line : [])),
    refused: moved.flatMap((error, at) => (error instanceof ActionError ? { tag: tags[at] ?? "", error } : [])),
  };
}

async function retagOnce(
  { bytes, descriptor }: Served,
  reference: Repository & { readonly tag: string },
  registry: Registry,
): Promise<string | ActionError | undefined> {
  const before = await registry.describe(reference);
  if (before.kind === "found" && before.value.digest === descriptor.digest) return undefined;
  const answer = await registry.putManifest(reference, bytes, descriptor.mediaType, reference.tag);
  if (answer.kind === "found") {
    const was = before.kind === "found" ? `, before ${shortDigest(before.value.digest)}…` : "";
    return `${formatReference(reference)} names ${shortDigest(descriptor.digest)}… now${was}`;
  }
  return new ActionError("E_PUSH", {
    what: `The image is there, and the tag ${reference.tag} could not be pushed: ${answer.words} (${answer.request}).`,
    fix: isImmovable(answer)
      ? `This registry's tags may not move, and ${formatReference(reference)} names something else: choose a tag that is not there yet, or let it move.`
      : adviseOn(
          answer,
          "Give the login the right to push (on GitHub: permissions: packages: write), or leave tags and release out.",
        ),
    cause: answer,
  });
}
