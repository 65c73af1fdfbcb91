import { parseDockerfile } from "../dockerfile/parse.ts";
import { canReach, onbuildReads } from "../dockerfile/reads.ts";
import { finalBase, imageUses, remoteAdds } from "../dockerfile/stages.ts";
import { ActionError } from "../errors.ts";
import type { ImageConfig } from "../oci/config.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { readBaseConfig } from "../plan/base-config.ts";
import { namesDeclared } from "../plan/onbuild-args.ts";
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
      const read = await readBaseConfig({ ...source, reference }, binding?.served, platform, registry);
      const base = expectFound(source, read);
      refuseTriggers(source, base, sources);
      if (source.written === final?.written && isOnItsLine) bases.set(formatPlatform(platform), base);
    };
    await Promise.all((wanted?.images ?? []).filter(({ isBuiltOn }) => isBuiltOn).map(read));
  };
  await Promise.all(platforms.map(readFor));
  return bases;
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
  refuseProxies(source, base.triggers, sources);
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
  const { args, uncounted } = sources.build.arguments;
  const scope = { args: new Map(Object.entries({ ...uncounted, ...args })), platform: undefined };
  const image = imageUses(stage, scope).find(({ by }) => by !== "FROM")?.written;
  const unseen = image ?? remoteAdds(stage, scope).find(({ checksum }) => checksum === undefined)?.source;
  if (unseen === undefined) return;
  throw new ActionError("E_CONTEXT", {
    what: `The base image ${source.written} has an ONBUILD trigger that takes ${unseen} into the image, which can change without anything of yours changing.`,
    fix: "Use a base without that trigger: an image built here would not be found again for certain.",
    at: source.at,
  });
}

/** Who finds such an image may have another proxy, or none: the plan knows only of those that the Dockerfile declares. */
function refuseProxies(source: ImageSource, triggers: readonly string[], { build }: Sources): void {
  const { args, uncounted, toldByDocker } = build.arguments;
  const unseen = namesDeclared(triggers).find(
    (name) => toldByDocker.has(name) && args[name] === undefined && uncounted[name] === undefined,
  );
  if (unseen === undefined) return;
  throw new ActionError("E_CONTEXT", {
    what: `The base image ${source.written} declares ${unseen} with ONBUILD, and Docker's own configuration on this machine sets it: this machine's proxy would be in everybody's image.`,
    fix: `Say what the image is built with: give ${unseen} in the input build-args, empty for none, or declare it in the Dockerfile (ARG ${unseen}).`,
    at: source.at,
  });
}
