import { isJsonObject, type JsonObject, type JsonPath } from "../devcontainer/json.ts";
import { formatOption } from "../devcontainer/options.ts";
import { placeOf } from "../devcontainer/parse.ts";
import { declaredNames } from "../dockerfile/stages.ts";
import type { Place } from "../errors.ts";
import { memberOf, type Places, type Source } from "../key/difference.ts";
import type { Hidden } from "../key/stored.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { NamedContext } from "../sources/definition-shape.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import { installationOf } from "../sources/installation.ts";
import { stagesOf } from "../sources/scopes.ts";
import type { Gathered } from "../sources/sources.ts";
import { globalArgsTold } from "./counting.ts";
import { openIgnorable, openTakers } from "./ignorable.ts";
import { namesOf } from "./images.ts";
import type { ImageSource, ReadFromElsewhere } from "./upstream.ts";

/** Where a person finds each ingredient of the plan. */
export function tellPlaces(
  gathered: Gathered,
  { images, addresses }: ReadFromElsewhere,
  platforms: readonly Platform[],
): Places {
  const { file, definition } = gathered;
  return {
    configuration: gathered.relative,
    dockerfile: file,
    composeFiles: definition.composeFiles ?? new Set(),
    image: definition.source.kind === "image" ? sourceOf(definition.source.image) : undefined,
    asked: askedPlaces(definition),
    frontend: frontendPlace(gathered),
    secrets: gathered.arguments.secretPlaces,
    ignored: {
      arguments: gathered.arguments.ignored,
      labels: new Set(
        definition.uncounted.flatMap(({ name, value }) => (name === "label" ? [value?.split("=", 1)[0] ?? ""] : [])),
      ),
    },
    target: definition.target && sourceOf(definition.target),
    stages: new Set(gathered.dockerfile.stages.flatMap(({ name }) => name ?? [])),
    properties: propertyPlaces(gathered),
    variables: variablesRead(gathered),
    instructions: Object.fromEntries(platforms.map((one) => [formatPlatform(one), instructionLines(gathered, one)])),
    arguments: gathered.arguments.places,
    bases: basePlaces(gathered, images),
    // Of several lines that name one address the first counts.
    addresses: Object.fromEntries([...addresses].reverse().map(({ address, ...told }) => [address, told])),
    context: gathered.contextFolder,
    contexts: Object.fromEntries(
      [...definition.contexts].map(([name, context]) => {
        const folder = gathered.namedContexts.get(name)?.seen;
        return [name, { source: sourceOf(context), ...(folder === undefined ? {} : { folder }) }];
      }),
    ),
    ignorable: openIgnorable(gathered, platforms),
    takers: openTakers(gathered, platforms),
    ignoring: { file: gathered.ignoreFile, ...gathered.ignoring },
    options: Object.fromEntries(
      definition.counted.map((option) => {
        return [formatOption(option), sourceOf(option)] as const;
      }),
    ),
    ...featurePlaces(gathered),
  };
}

function askedPlaces({ source }: Gathered["definition"]): Places["asked"] {
  if (source.kind !== "dockerfile") return {};
  const { dockerfile, context } = source;
  return { context: sourceOf(context), dockerfile: "value" in dockerfile ? sourceOf(dockerfile) : dockerfile.at };
}

function frontendPlace({ file, dockerfile, arguments: { places } }: Gathered): Source | undefined {
  const line = dockerfile.syntax?.line;
  return memberOf(places, "BUILDKIT_SYNTAX") ?? (file === undefined || line === undefined ? undefined : { file, line });
}

function featurePlaces({ features, configuration }: Gathered) {
  const { features: written } = configuration.raw;
  const options = Object.entries(isJsonObject(written) ? written : {}).flatMap(([id, given]) =>
    isJsonObject(given) ? [[id, placesOf(configuration, ["features", id], given)] as const] : [],
  );
  return {
    features: features?.places ?? {},
    featureOptions: Object.fromEntries(options),
    lockfile: features?.lockfile,
    locks: features?.locks ?? {},
  };
}

/** Of each member of an object in the configuration. */
function placesOf(
  configuration: Gathered["configuration"],
  path: JsonPath,
  members: JsonObject,
): Readonly<Record<string, Place>> {
  return Object.fromEntries(Object.keys(members).map((name) => [name, placeOf(configuration, [...path, name])]));
}

function sourceOf({ input, at }: { readonly input?: string; readonly at: Place }): Source {
  return input === undefined ? at : { input };
}

function propertyPlaces({ configuration, definition: { user } }: Gathered): Places["properties"] {
  const { containerEnv } = configuration.raw;
  const variables = isJsonObject(containerEnv) ? Object.keys(containerEnv) : [];
  return Object.fromEntries([
    ...Object.keys(configuration.raw).map((name) => [name, placeOf(configuration, [name])] as const),
    ...(user ? [["serviceUser", user.at] as const] : []),
    ...variables.map((name) => [`containerEnv.${name}`, placeOf(configuration, ["containerEnv", name])] as const),
  ]);
}

function variablesRead({ configuration, definition, arguments: { variables } }: Gathered): Places["variables"] {
  const written = configuration.substitutions.filter(({ reads }) => reads.length > 0);
  const { source, target, args, contexts, user } = definition;
  const inline = source.kind === "dockerfile" && "text" in source.dockerfile ? source.dockerfile : undefined;
  const named = [
    ...(source.kind === "image" ? [["image", source.image] as const] : []),
    ...(inline ? [["build.dockerfile_inline", inline] as const] : []),
    ...(target ? [["build.target", target] as const] : []),
    ...(user ? [["serviceUser", user] as const] : []),
    ...[...args].map(([name, arg]) => [`build.args.${name}`, arg] as const),
    ...definition.counted.map((option) => [`build.options.${formatOption(option)}`, option] as const),
    ...[...contexts].map(([name, context]) => [`build.contexts.${name}`, context] as const),
  ];
  const readings = named.flatMap(([name, { fromEnvironment, reads = [] }]) =>
    fromEnvironment ? [[name, reads] as const] : [],
  );
  return Object.fromEntries([
    ...readings,
    ...[...variables].map((name) => [`build.args.${name}`, [{ name }]] as const),
    ...written.map(({ path, reads }) => [path.join("."), [...new Set(reads)].map((name) => ({ name }))] as const),
  ]);
}

/**
 * An image is told as it is written, without a digest. A name with variables in it is told as what they stand for, where all of that is
 * written in the checkout, and the same on all platforms.
 */
function basePlaces(gathered: Gathered, images: readonly ImageSource[]): Places["bases"] {
  const names = new Map<string, Set<string>>();
  const bases = images.filter(({ by }) => by === "base");
  const isPrivate = openPrivacy(gathered);
  for (const { counted } of bases)
    names.set(counted.name, (names.get(counted.name) ?? new Set()).add(counted.reference));
  return Object.fromEntries(
    // Of several lines that name one image the first counts.
    [...bases].reverse().map(({ written, counted, at }) => {
      const [reference, ...others] = names.get(counted.name) ?? [];
      const isTold = others.length === 0 && !isPrivate(written);
      const name = written.includes("$") ? (isTold ? reference : undefined) : written.replace(/@.*$/s, "");
      const { source: of } = gathered.definition;
      const source = of.kind === "image" ? sourceOf(of.image) : at;
      return [counted.name, { source, ...(name === undefined ? {} : { name }) }];
    }),
  );
}

/** Tells of a name whether an arg takes part in it that no file of the checkout gives a value, by way of other args too. */
function openPrivacy({ definition, dockerfile, arguments: args }: Gathered): (written: string) => boolean {
  if (definition.source.kind !== "dockerfile" || isInlinePrivate(definition) || definition.contexts.size > 0)
    return () => true;
  const names = new Set(args.private);
  // A default can only name args that stand before it.
  for (const instruction of dockerfile.globalArgs)
    if (wordsOf(instruction.rest).some((word) => names.has(word)))
      for (const name of declaredNames(instruction)) names.add(name);
  return (written) => wordsOf(written).some((word) => names.has(word));
}

function wordsOf(text: string): readonly string[] {
  return text.match(/\w+/g) ?? [];
}

function instructionLines(gathered: Gathered, platform: Platform): number[][] {
  const { dockerfile } = gathered;
  const directive = dockerfile.syntax ? [dockerfile.syntax.line] : [];
  const before = [
    ...directive,
    ...globalArgsTold(gathered, platform, namesOf(gathered, platform)).map(({ line }) => line),
  ];
  const stages = stagesOf(gathered, platform);
  return [before, ...stages.map((stage) => [stage.from.line, ...stage.instructions.map(({ line }) => line)])];
}

/** A reference may be private where a build arg is part of it, or a variable of the environment. */
export function findHidden(
  { definition, arguments: { args }, configuration, features, remoteUserUid }: Gathered,
  images: readonly ImageSource[],
): Hidden {
  const { source, target, contexts, counted } = definition;
  const image = source.kind === "image" && source.image.fromEnvironment;
  const hiddenContexts = [...contexts].filter(([, { fromEnvironment }]) => fromEnvironment);
  // An instruction names the context, and the plan the image that stands in its place.
  const hiddenImages = new Set(hiddenContexts.flatMap(([, context]) => imageOf(context)));
  const references = images.filter(
    ({ by, counted, reference }) =>
      image ||
      isInlinePrivate(definition) ||
      counted.name.includes("$") ||
      hiddenImages.has(nameForBuildKit(reference)) ||
      (by === "frontend" && args.BUILDKIT_SYNTAX !== undefined),
  );
  return {
    image,
    target: target?.fromEnvironment ?? false,
    dockerfile: isInlinePrivate(definition),
    references: new Set(references.map(({ counted }) => counted.reference)),
    contexts: new Set(hiddenContexts.map(([name]) => name)),
    features: features?.hidden ?? new Set(),
    installOrder: configuration.substitutions.some(
      ({ path, fromEnvironment }) => fromEnvironment && path[0] === "overrideFeatureInstallOrder",
    ),
    installation: new Set(
      features || remoteUserUid !== undefined
        ? installationOf(configuration, definition.user, {
            hasFeatures: features !== undefined,
            renumbers: remoteUserUid !== undefined,
          }).hidden
        : [],
    ),
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
