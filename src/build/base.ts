import { parseDockerfile } from "../dockerfile/parse.ts";
import { canReach, onbuildReads } from "../dockerfile/reads.ts";
import { finalBase, imageUses, remoteAdds } from "../dockerfile/stages.ts";
import { ActionError } from "../errors.ts";
import { type ImageConfig, readImageConfig } from "../oci/config.ts";
import { imageFor, type Served } from "../oci/manifest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Sources } from "../plan/plan.ts";
import type { Binding, ImageSource } from "../plan/upstream.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import { scopeOf } from "../sources/sources.ts";
import type { Answer, Registry } from "../world.ts";

/** `bindings` is empty where there is no plan: then tags are all there is. */
type Task = {
  readonly sources: Sources;
  readonly platforms: readonly Platform[];
  readonly bindings: readonly Binding[];
};

/**
 * Reads the configs of the images that stages are built on: the label that the new image continues, and ONBUILD triggers. This is only
 * needed for a build: a config is a function of the digest that is in the key.
 * @returns the base of the target stage, by platform; nothing for a stage that starts from scratch.
 * @throws ActionError E_REGISTRY when one cannot be read; E_CONTEXT when a trigger would read what was left out of the context.
 */
export async function readBaseImages(
  { sources, platforms, bindings }: Task,
  registry: Registry,
): Promise<ReadonlyMap<string, ImageConfig>> {
  const bound = new Map(bindings.map((binding) => [binding.reference, binding]));
  const bases = new Map<string, ImageConfig>();
  const readFor = async (platform: Platform): Promise<void> => {
    const wanted = sources.wanted.platforms.find((one) => one.platform === platform);
    const scope = scopeOf(sources.build, platform);
    const final = finalBase(sources.build.dockerfile, sources.build.definition.target?.value, scope);
    const read = async (source: ImageSource): Promise<void> => {
      // One image may stand in several FROMs, for platforms of their own.
      const isOnItsLine = sources.build.file === undefined || source.at.line === final?.line;
      // What the probe has read, or by the digest that the key names: the tag may have moved meanwhile.
      const binding = bound.get(nameForBuildKit(source.reference));
      const reference = binding === undefined ? source.reference : { ...source.reference, digest: binding.digest };
      const base = await readBase({ ...source, reference }, binding?.served, platform, registry);
      refuseTriggers(source, base, sources);
      if (source.written === final?.written && isOnItsLine) bases.set(formatPlatform(platform), base);
    };
    await Promise.all((wanted?.images ?? []).filter(({ by }) => by === "base").map(read));
  };
  await Promise.all(platforms.map(readFor));
  return bases;
}

async function readBase(
  source: ImageSource,
  known: Served | undefined,
  platform: Platform,
  registry: Registry,
): Promise<ImageConfig> {
  const served = known ?? expectFound(source, await registry.manifest(source.reference));
  const wanted = source.of.kind === "platform" ? source.of.platform : platform;
  // A stage for the builder's own platform may have no image for the target's: then any of its images says the same.
  const child = served.body.kind === "index" ? (imageFor(served.body, wanted) ?? served.body.manifests[0]) : undefined;
  const manifest = child
    ? expectFound(source, await registry.manifest({ ...source.reference, digest: child.digest }))
    : served;
  if (manifest.body.kind !== "manifest") return readImageConfig("");
  const bytes = expectFound(source, await registry.blob(source.reference, manifest.body.config));
  return readImageConfig(new TextDecoder().decode(bytes));
}

function expectFound<T>(source: ImageSource, answer: Answer<T>): T {
  if (answer.kind === "found") return answer.value;
  throw new ActionError("E_REGISTRY", {
    what: `The base image ${source.written} cannot be read: ${answer.words} (${answer.request}).`,
    fix: answer.fix ?? "Check its name, and log in to its registry before this action.",
    at: source.at,
    cause: answer,
  });
}

/** The key of such a build would have to name `.git`, and it does not: so it is never built. */
function refuseTriggers(source: ImageSource, base: ImageConfig, sources: Sources): void {
  if (base.triggers.length === 0) return;
  refuseUnseen(source, base.triggers, sources);
  const reads = onbuildReads(base.triggers);
  const reached = sources.build.leftOut.find((path) => reads.some((read) => canReach(read, path)));
  if (reached === undefined) return;
  throw new ActionError("E_CONTEXT", {
    what: `The base image ${source.written} has an ONBUILD trigger that copies ${reached} into the image, which would be another image in every clone.`,
    fix: `Add ${reached} to .dockerignore.`,
    at: source.at,
  });
}

/** What a trigger takes from elsewhere stands in no plan: an image or an address behind it could change, and the key would not. */
function refuseUnseen(source: ImageSource, triggers: readonly string[], sources: Sources): void {
  const stage = parseDockerfile(`FROM base\n${triggers.join("\n")}\n`, source.written);
  const scope = { args: new Map(Object.entries(sources.build.arguments.args)), platform: undefined };
  const image = imageUses(stage, scope).find(({ by }) => by !== "FROM")?.written;
  const unseen = image ?? remoteAdds(stage, scope).find(({ checksum }) => checksum === undefined)?.source;
  if (unseen === undefined) return;
  throw new ActionError("E_CONTEXT", {
    what: `The base image ${source.written} has an ONBUILD trigger that takes ${unseen} into the image, which can change without anything of yours changing.`,
    fix: "Use a base without that trigger: an image built here would not be found again for certain.",
    at: source.at,
  });
}
