import { parseDockerfile } from "../dockerfile/parse.ts";
import { finalBase, sourceNames } from "../dockerfile/stages.ts";
import { ActionError } from "../errors.ts";
import type { ImageConfig } from "../oci/config.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { addsOfTriggers } from "../plan/addresses.ts";
import { namesDeclared } from "../plan/onbuild-args.ts";
import type { Sources } from "../plan/plan.ts";
import type { Binding, ImageSource } from "../plan/upstream.ts";
import { adviseOn } from "../probe/advice.ts";
import { type BaseConfigs, baseKey, readBase, takesMore } from "../probe/bases.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import { scopeOf } from "../sources/scopes.ts";
import type { Registry } from "../world.ts";

/** `bindings` is empty where there is no plan: then tags are all there is. */
type Task = {
  readonly sources: Sources;
  readonly platforms: readonly Platform[];
  readonly bindings: readonly Binding[];
  readonly bases: BaseConfigs;
};

/**
 * Reads the configs of the images that stages are built on, unless that is done: the label that the new image continues, and ONBUILD
 * triggers.
 * @returns the base of the target stage, by platform; nothing for a stage that starts from scratch.
 * @throws ActionError E_REGISTRY when one cannot be read; E_CONTEXT when a trigger takes something that no key knows.
 */
export async function readBaseImages(
  { sources, platforms, bindings, bases: known }: Task,
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
      const binding = bound.get(nameForBuildKit(source.reference));
      const base = known.get(baseKey(source, platform)) ?? (await configOf(source, binding, platform, registry));
      refuseTriggers(source, base, sources, platform);
      if (source.written === final?.written && isOnItsLine) bases.set(formatPlatform(platform), base);
    };
    await Promise.all((wanted?.images ?? []).filter(({ isBuiltOn }) => isBuiltOn).map(read));
  };
  await Promise.all(platforms.map(readFor));
  return bases;
}

async function configOf(
  source: ImageSource,
  binding: Binding | undefined,
  platform: Platform,
  registry: Registry,
): Promise<ImageConfig> {
  const answer = await readBase(source, binding, platform, registry);
  if (answer.kind === "found") return answer.value;
  throw new ActionError("E_REGISTRY", {
    what: `The base image ${source.written} cannot be read: ${answer.words} (${answer.request}).`,
    fix: adviseOn(answer, "Check its name, and log in to its registry before this action."),
    at: source.at,
    cause: answer,
  });
}

/** What a trigger takes and the plan does not know would be in the image, and the key would not tell. */
function refuseTriggers(source: ImageSource, base: ImageConfig, sources: Sources, platform: Platform): void {
  if (base.triggers.length === 0) return;
  refuseUnseen(source, base.triggers, sources);
  refuseProxies(source, base.triggers, sources);
  const known = sources.build.triggers.get(formatPlatform(platform)) ?? [];
  if (!takesMore(sources.build, base.triggers) || base.triggers.every((trigger) => known.includes(trigger))) return;
  throw new ActionError("E_CONTEXT", {
    what: `The base image ${source.written} has an ONBUILD trigger that takes files from the build context or from an address, an ARG before the first FROM or the name of a stage, and that was not known before the build.`,
    fix: "Run the job again, and log in to the registry of the base image before this action.",
    at: source.at,
  });
}

/** What a trigger takes from elsewhere stands in no plan: a stage, an image or an address behind it could change, and the key would not. */
function refuseUnseen(source: ImageSource, triggers: readonly string[], sources: Sources): void {
  const dockerfile = parseDockerfile(`FROM base\n${triggers.join("\n")}\n`, source.written);
  const taken = dockerfile.stages.flatMap(({ instructions }) => instructions).flatMap(sourceNames)[0]?.written;
  const adds = addsOfTriggers(sources.build, triggers);
  // What an address serves is in the key that knows of the trigger.
  const unseen = taken ?? adds.find(({ checksum, address }) => checksum === undefined && address === undefined)?.source;
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
