import { pushesByDigest } from "../buildx/args.ts";
import { formatReference, formatRepository, type Repository } from "../oci/reference.ts";
import type { World } from "../world.ts";
import type { PlatformTask } from "./task.ts";

/** Where a build pushes to: `name` for buildx, and what is to be done when nothing needs that name any more. */
export type PushName = { readonly name: string; readonly drop: () => void };

/** A clean-up that is only nice to have is waited for no longer than this many milliseconds. */
const DROP_TIME = 5000;

const DIGITS = 16;

/**
 * A name that no probe asks for, for an image that nobody has checked yet: none at all where the driver pushes by digest, else a tag of
 * this run alone. That one is deleted in the end, where the registry does that and however the run ends.
 */
export function namePush(task: Pick<PlatformTask, "builder" | "inputs" | "sources">, world: World): PushName {
  const { repository } = task.sources.wanted;
  if (pushesByDigest(task.builder.driver)) return { name: formatRepository(repository), drop: () => undefined };
  const reference = { ...repository, tag: `tmp-${world.salt().slice(0, DIGITS)}` };
  const name = formatReference(reference);
  const drop = once(() => dropTag(reference, world));
  world.atEnd(async () => {
    const dropped = new AbortController();
    await Promise.race([drop(), world.pause(DROP_TIME, dropped.signal)]);
    dropped.abort();
    if (task.inputs.load) await world.exec("docker", ["image", "rm", name], { timeout: DROP_TIME });
  });
  return { name, drop: () => void drop() };
}

/** Most registries delete no tags: then it stays, as one more name of the image. */
async function dropTag(
  reference: Repository & { readonly tag: string },
  { registry }: Pick<World, "registry">,
): Promise<void> {
  await registry.deleteManifest(reference);
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
