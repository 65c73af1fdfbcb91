import { readPushedDigest } from "./buildx/metadata.ts";
import { PROVENANCE_TYPES, readUsedImages } from "./buildx/provenance.ts";
import { ActionError } from "./errors.ts";
import { emptyIndex } from "./key/record.ts";
import type { Digest } from "./oci/digest.ts";
import { attestationsOf } from "./oci/manifest.ts";
import { formatPlatform, type Platform } from "./oci/platform.ts";
import { formatRepository, type Repository } from "./oci/reference.ts";
import type { Sources } from "./plan.ts";
import { type Found, type Plan, verifyPlatform } from "./probe.ts";
import type { Binding } from "./upstream.ts";
import type { Registry, World } from "./world.ts";

/** What was pushed, and by whom. */
export type PushedTask = {
  readonly platform: Platform;
  readonly sources: Sources;
  readonly plan: Plan | undefined;
  readonly bindings: readonly Binding[];
  /** Its name. */
  readonly builder: string;
};

/**
 * Reads a pushed image back: only what the registry serves counts as pushed.
 * @param metadata text of the file that buildx wrote.
 * @throws ActionError E_PUSH where it is not whole there; E_DOCKER where it was built from something else than the plan says.
 */
export async function readBack(task: PushedTask, metadata: string, world: Pick<World, "registry">): Promise<Found> {
  const { platform, sources } = task;
  const title = formatPlatform(platform);
  const digest = readPushedDigest(metadata);
  if (digest === undefined)
    throw new ActionError("E_PUSH", {
      what: `docker buildx ended well for ${title} and did not tell what it pushed.`,
      fix: "Use a newer buildx: docker/setup-buildx-action installs one.",
    });
  const answer = await world.registry.manifest({ ...sources.wanted.repository, digest });
  const repository = formatRepository(sources.wanted.repository);
  if (answer.kind !== "found")
    throw new ActionError("E_PUSH", {
      what: `The image for ${title} was pushed to ${repository}, and the registry does not serve it: ${answer.words} (${answer.request}).`,
      fix: "Run the job again; if it stays so, ask whoever runs the registry.",
      cause: answer,
    });
  const look = await verifyPlatform({ ...sources.wanted, verify: "layers" }, platform, answer.value, world.registry);
  if (look.kind === "sound" && look.found[0]) {
    await checkBinding(task, look.found[0], world);
    return look.found[0];
  }
  const what = look.kind === "damaged" ? look.what : look.kind === "doubt" ? look.doubt.what : "nothing was found";
  throw new ActionError("E_PUSH", {
    what: `The image for ${title} was pushed to ${repository}, and is not whole there: ${what}.`,
    fix: "Run the job again; if it stays so, ask whoever runs the registry.",
  });
}

/**
 * What was probed is what must have been built: BuildKit's own record of the images that it used is compared with the digests in the
 * plan. An image that does not hold what its key says is taken out of the way before anyone finds it.
 */
async function checkBinding(task: PushedTask, found: Found, world: Pick<World, "registry">): Promise<void> {
  const { repository } = task.sources.wanted;
  const used = await readUsed(found, repository, world.registry);
  const bound = new Set(task.bindings.map(({ digest }) => digest));
  const foreign = used?.filter((digest) => !bound.has(digest));
  if (foreign?.length === 0) return;
  const tag = task.plan?.platforms.find(({ platform }) => platform === task.platform)?.tag;
  const nothing = emptyIndex();
  await world.registry.putManifest(repository, nothing.bytes, nothing.descriptor.mediaType, tag);
  throw new ActionError("E_DOCKER", {
    what: foreign
      ? `The builder ${task.builder} used ${foreign.join(", ")} for ${formatPlatform(task.platform)}, which is not what the key names.`
      : `The builder ${task.builder} did not record which images it used for ${formatPlatform(task.platform)}, so nothing shows that they are those of the key.`,
    fix: "Use a newer buildx and BuildKit: docker/setup-buildx-action installs them.",
  });
}

async function readUsed(
  found: Found,
  repository: Repository,
  registry: Registry,
): Promise<readonly Digest[] | undefined> {
  const attestations = found.index.body.kind === "index" ? attestationsOf(found.index.body, found.manifest) : [];
  for (const entry of attestations) {
    const manifest = await registry.manifest({ ...repository, digest: entry.digest });
    const layers =
      manifest.kind === "found" && manifest.value.body.kind === "manifest" ? manifest.value.body.layers : [];
    const layer = layers.find(({ annotations }) =>
      PROVENANCE_TYPES.includes(annotations?.["in-toto.io/predicate-type"] ?? ""),
    );
    const blob = layer ? await registry.blob(repository, layer) : undefined;
    if (blob?.kind === "found") return readUsedImages(new TextDecoder().decode(blob.value));
  }
  return undefined;
}
