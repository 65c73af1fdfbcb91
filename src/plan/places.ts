import { formatOption } from "../devcontainer/options.ts";
import type { Places } from "../key/difference.ts";
import type { Hidden } from "../key/stored.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { NamedContext } from "../sources/definition-shape.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import { installationOf } from "../sources/installation.ts";
import { stagesOf } from "../sources/scopes.ts";
import type { Gathered } from "../sources/sources.ts";
import { globalArgsThatCount } from "./counting.ts";
import type { ImageSource } from "./upstream.ts";

/** Where a person finds each ingredient of the plan. */
export function tellPlaces(gathered: Gathered, images: readonly ImageSource[], platforms: readonly Platform[]): Places {
  const { file } = gathered;
  return {
    configuration: gathered.relative,
    dockerfile: file,
    instructions: Object.fromEntries(platforms.map((one) => [formatPlatform(one), instructionLines(gathered, one)])),
    arguments: gathered.arguments.places,
    bases: Object.fromEntries(images.filter(({ by }) => by === "base").map(({ written, at }) => [written, at])),
    context: gathered.contextFolder,
    options: Object.fromEntries(
      gathered.definition.counted.map((option) => {
        const { input, at } = option;
        return [formatOption(option), input === undefined ? at : { input }] as const;
      }),
    ),
    features: gathered.features?.places ?? {},
  };
}

function instructionLines(gathered: Gathered, platform: Platform): number[][] {
  const { dockerfile } = gathered;
  const directive = dockerfile.syntax ? [dockerfile.syntax.line] : [];
  const before = [...directive, ...globalArgsThatCount(gathered, platform).map(({ line }) => line)];
  const stages = stagesOf(gathered, platform);
  return [before, ...stages.map((stage) => [stage.from.line, ...stage.instructions.map(({ line }) => line)])];
}

/** A reference may be private where a build arg is part of it, or a variable of the environment. */
export function findHidden(
  { definition, arguments: { args }, configuration, features }: Gathered,
  images: readonly ImageSource[],
): Hidden {
  const { source, target, contexts, counted } = definition;
  const image = source.kind === "image" && source.image.fromEnvironment;
  const hiddenContexts = [...contexts].filter(([, { fromEnvironment }]) => fromEnvironment);
  // An instruction names the context, and the plan the image that stands in its place.
  const hiddenImages = new Set(hiddenContexts.flatMap(([, context]) => imageOf(context)));
  const references = images.filter(
    ({ by, written, reference }) =>
      image ||
      written.includes("$") ||
      hiddenImages.has(nameForBuildKit(reference)) ||
      (by === "frontend" && args.BUILDKIT_SYNTAX !== undefined),
  );
  return {
    image,
    target: target?.fromEnvironment ?? false,
    dockerfile: isInlinePrivate(definition),
    references: new Set(references.map(({ reference }) => nameForBuildKit(reference))),
    contexts: new Set(hiddenContexts.map(([name]) => name)),
    features: features?.hidden ?? new Set(),
    installOrder: configuration.substitutions.some(
      ({ path, fromEnvironment }) => fromEnvironment && path[0] === "overrideFeatureInstallOrder",
    ),
    installation: new Set(features ? installationOf(configuration, definition.user).hidden : []),
    options: new Set(counted.flatMap((option) => (option.fromEnvironment ? [formatOption(option)] : []))),
  };
}

function imageOf({ kind, value }: NamedContext): string[] {
  const reference = kind === "image" ? parseReference(value) : undefined;
  return reference === undefined || "wrong" in reference ? [] : [nameForBuildKit(reference)];
}

function isInlinePrivate({ source }: Gathered["definition"]): boolean {
  return source.kind === "dockerfile" && "text" in source.dockerfile && source.dockerfile.fromEnvironment;
}
