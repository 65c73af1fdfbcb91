import {
  DEFAULT_CONFIGURATION,
  type FoundConfiguration,
  findAnyConfiguration,
  findConfiguration,
} from "../devcontainer/find.ts";
import { isJsonObject, type JsonObject } from "../devcontainer/json.ts";
import { parseConfiguration } from "../devcontainer/parse.ts";
import { pathWithin, resolvePath, type Workspace } from "../devcontainer/paths.ts";
import { type Substituted, substitute } from "../devcontainer/substitute.ts";
import { refuseUnknownInstructions } from "../dockerfile/instructions.ts";
import { nameContexts } from "../dockerfile/named-contexts.ts";
import { type Dockerfile, parseDockerfile, type Stage } from "../dockerfile/parse.ts";
import { reachableStages } from "../dockerfile/reach.ts";
import type { Scope } from "../dockerfile/scope.ts";
import { targetStage } from "../dockerfile/stages.ts";
import { ActionError, type Warning, withNoticed } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Effort, Files, World } from "../world.ts";
import { type BuildArguments, readBuildArguments } from "./build-arguments.ts";
import { readDefinition } from "./definition.ts";
import { dockerfileDefinition, imageDefinition, withBuildInputs } from "./definition-inputs.ts";
import type { CountedOption, Definition } from "./definition-shape.ts";
import type { FeatureSources, FeatureSourcesRequest } from "./feature-sources.ts";
import { refuseGitLogins } from "./git-logins.ts";
import { readImageName } from "./image-name.ts";
import { type Readable, readableEnvironment } from "./readable.ts";
import { refusedRights, rightsIn } from "./rights.ts";
import { gitWarnings, substitutionWarnings } from "./source-warnings.ts";
import { readNamedContext, readUsedContext } from "./used-context.ts";
import { findContext, insideWorkspace, refuseOutside } from "./workspace.ts";

/** A folder that a build reads, with what of it counts. */
export type ContextFolder = { readonly root: string; readonly entries: readonly ContextEntry[] };

/** The build context, with what each platform's build can take of it. */
export type BuildContext = {
  readonly root: string;
  readonly entries: ReadonlyMap<string, readonly ContextEntry[]>;
};

/** By platform, the ONBUILD triggers of the images that stages are built on. */
export type Triggers = ReadonlyMap<string, readonly string[]>;

/** Everything that was read from the checkout, before any of it became a plan. */
export type Gathered = {
  readonly configuration: Substituted;
  /** devcontainer.json as seen from the checkout. */
  readonly relative: string;
  readonly definition: Definition;
  /** Of its options those that a fork's configuration does not get; nothing in a run about the repository's own code. */
  readonly refused: readonly CountedOption[];
  readonly readable: Readable;
  /** The Dockerfile's text as it was hashed; for an image, the one that we write. */
  readonly dockerfileText: string;
  readonly dockerfile: Dockerfile;
  /** How messages name the Dockerfile; nothing where it is ours. */
  readonly file: string | undefined;
  readonly context: BuildContext | undefined;
  readonly namedContexts: ReadonlyMap<string, ContextFolder>;
  /** The context's folder as seen from the checkout. */
  readonly contextFolder: string;
  /** Of the images that are built on, where they were known when this was read. */
  readonly triggers: Triggers;
  readonly arguments: BuildArguments;
  /** Nothing where no feature is asked for. */
  readonly features: FeatureSources | undefined;
  /** What reading all this may cost; nothing is counted any more once it has been read. */
  readonly effort: Effort;
  readonly warnings: readonly Warning[];
};

/**
 * Reads configuration, Dockerfile and build contexts of the workspace.
 * @param triggers where they are known: what they take from the context counts too.
 * @throws ActionError for everything that is wrong with them, before any request.
 */
export async function gatherSources(
  inputs: Inputs,
  workspace: Workspace,
  { files, host, effort }: Ports,
  triggers: Triggers,
): Promise<Gathered> {
  const { found, instead } = await findWhatCounts(inputs, workspace, files);
  const readable = await readableEnvironment({ inputs, workspace: workspace.folder }, { files, host });
  const configuration = substitute(parseConfiguration(found.text, found.relative), {
    localEnv: readable.env,
    localWorkspaceFolder: workspace.folder,
  });
  try {
    return await gatherAround({ configuration, found, instead, readable, triggers }, inputs, workspace, {
      files,
      host,
      effort,
    });
  } catch (error) {
    // A syntax error that was read over may be why something else is missing.
    throw withNoticed(error, configuration.warnings);
  }
}

type Configured = Counting & {
  readonly configuration: Substituted;
  readonly readable: Readable;
  readonly triggers: Triggers;
};

async function gatherAround(
  { configuration, found, instead, readable, triggers }: Configured,
  inputs: Inputs,
  workspace: Workspace,
  { files, host, effort }: Ports,
): Promise<Gathered> {
  const configured = instead ?? (await readDefinition({ configuration, found, workspace, readable, effort }, files));
  const definition = withBuildInputs(configured, inputs.build, { workspace, at: { file: found.relative } });
  const read = await readSource({ inputs, definition, workspace, readable, triggers }, { files, host, effort });
  const namedContexts = await readNamedContexts(files, workspace.checkout, definition, effort);
  const { root = "", entries = new Map() } = read.context ?? {};
  const taken = [...entries.values()].map((paths) => ({ root, entries: paths }));
  await refuseGitLogins([...taken, ...namedContexts.values()], files, readable.holdsSecret);
  const { additionalFeatures: additional, lockfile } = inputs;
  const refused = host.event.isFork ? rightsIn(configured.counted) : [];
  const told = [
    ...refusedRights(refused),
    ...substitutionWarnings(configuration, { hasFeatures: mayHaveFeatures(configuration, additional), readable }),
    ...gitWarnings(namedContexts, definition),
  ];
  const request = { configuration, found, workspace, additional, lockfile };
  const features = mayHaveFeatures(configuration, additional)
    ? await gatherAllowedFeatures(request, inputs, files)
    : undefined;
  return {
    configuration,
    relative: found.relative,
    definition,
    refused,
    readable,
    namedContexts,
    features,
    triggers,
    effort,
    ...read,
    warnings: [...told, ...read.warnings],
  };
}

type Counting = { readonly found: FoundConfiguration; readonly instead?: Definition | undefined };

/** The configuration, or what the inputs say in its place: a Dockerfile, or an image where there is no configuration. */
async function findWhatCounts(inputs: Inputs, workspace: Workspace, files: Files): Promise<Counting> {
  const { dockerfilePath, buildContextPath, fallbackImage, devcontainerJsonPath, devcontainerDir } = inputs;
  if (dockerfilePath !== undefined) {
    const dockerfile = insideWorkspace(workspace.folder, "dockerfile-path", dockerfilePath);
    const context = insideWorkspace(workspace.folder, "build-context-path", buildContextPath ?? ".");
    return withoutConfiguration(workspace, dockerfile, dockerfileDefinition({ dockerfile, context }, workspace));
  }
  const chosen = { path: devcontainerJsonPath, folder: devcontainerDir };
  if (fallbackImage === undefined) return { found: await findConfiguration(files, workspace, chosen) };
  const found = await findAnyConfiguration(files, workspace, chosen);
  if (found) return { found };
  return withoutConfiguration(
    workspace,
    resolvePath(workspace.folder, DEFAULT_CONFIGURATION),
    imageDefinition(fallbackImage),
  );
}

/** An empty configuration: it has no users, no features and no label, and messages and the branch's tag name `file`. */
function withoutConfiguration({ checkout }: Workspace, file: string, instead: Definition): Counting {
  return { found: { file, relative: pathWithin(checkout, file) ?? file, text: "{}" }, instead };
}

function mayHaveFeatures({ json }: Substituted, additional: JsonObject): boolean {
  const isEmpty = isJsonObject(json.features) && Object.keys(json.features).length === 0;
  return Boolean(json.features && !isEmpty) || Object.keys(additional).length > 0;
}

/** Who has no features does not wait until all that is known about them is loaded. */
async function gatherAllowedFeatures(
  request: FeatureSourcesRequest,
  { allowedImages }: Inputs,
  files: Files,
): Promise<FeatureSources | undefined> {
  const { gatherFeatures, refuseForeignFeatures } = await import("./feature-sources.ts");
  const features = await gatherFeatures(request, files);
  if (features) refuseForeignFeatures(features.request, allowedImages);
  return features;
}

type Reading = {
  readonly inputs: Inputs;
  readonly definition: Definition;
  readonly workspace: Workspace;
  readonly readable: Readable;
  readonly triggers: Triggers;
};
type Ports = Pick<World, "files" | "host"> & { readonly effort: Effort };

async function readSource(reading: Reading, ports: Ports): Promise<Read> {
  const { source } = reading.definition;
  switch (source.kind) {
    case "image":
      readImageName(source.image.value, source.image.value, source.image.at);
      return withoutDockerfile(`FROM ${source.image.value}\n`, reading, ports);
    case "dockerfile":
      return dockerfileSources(source, reading, ports);
    case "unreadable":
      return withoutDockerfile("FROM scratch\n", reading, ports);
  }
}

type Read = Omit<
  Gathered,
  | "configuration"
  | "relative"
  | "definition"
  | "refused"
  | "readable"
  | "namedContexts"
  | "features"
  | "triggers"
  | "effort"
>;

/** An image as it is still gets the metadata label, so that it says what the configuration says. */
async function withoutDockerfile(
  dockerfileText: string,
  { inputs, definition, workspace, readable }: Reading,
  { files, host }: Ports,
): Promise<Read> {
  const dockerfile = parseDockerfile(dockerfileText, "Dockerfile");
  const ours = { dockerfile, file: undefined };
  const told = await readBuildArguments(inputs, definition, ours, {
    files,
    host,
    workspace: workspace.folder,
    readable,
  });
  return {
    dockerfileText,
    dockerfile,
    file: undefined,
    context: undefined,
    contextFolder: ".",
    arguments: told,
    warnings: told.warnings,
  };
}

type DockerfileSource = Extract<Definition["source"], { readonly kind: "dockerfile" }>;

async function dockerfileSources(
  source: DockerfileSource,
  { inputs, definition, workspace, readable, triggers }: Reading,
  { files, host, effort }: Ports,
): Promise<Read> {
  const { checkout } = workspace;
  const { text, file, path } = await readDockerfile(files, checkout, source.dockerfile);
  refuseLostText(text, file);
  const root = await findContext(files, checkout, source.context);
  const dockerfile = parseDockerfile(text, file);
  const target = definition.target?.value;
  targetStage(dockerfile, target);
  const told = await readBuildArguments(
    inputs,
    definition,
    { dockerfile, file },
    { files, host, workspace: workspace.folder, readable },
  );
  const platforms = inputs.platforms.map((platform) => {
    const name = formatPlatform(platform);
    return [
      name,
      { scope: scopeOf({ arguments: told, definition, effort }, platform), triggers: triggers.get(name) ?? [] },
    ] as const;
  });
  const user = { root, checkout, dockerfilePath: path, dockerfile, target, platforms: new Map(platforms) };
  if (!Object.hasOwn(told.args, "BUILDKIT_SYNTAX")) refuseUnknownInstructions(dockerfile);
  const context = await readUsedContext(files, user, effort);
  return {
    dockerfileText: text,
    dockerfile,
    file,
    context: { root, entries: context.entries },
    contextFolder: pathWithin(checkout, root) ?? ".",
    arguments: told,
    warnings: [...told.warnings, ...context.warnings],
  };
}

/** What is not UTF-8 has become U+FFFD on the way here: different files would be equal, and another one would be built. */
function refuseLostText(text: string, file: string): void {
  const at = text.indexOf("\uFFFD");
  if (at < 0) return;
  const line = text.slice(0, at).split("\n").length;
  throw new ActionError("E_DOCKERFILE", {
    what: `${file}:${line}: there is a character that is not UTF-8.`,
    fix: "Save the file as UTF-8.",
    at: { file, line },
  });
}

async function readDockerfile(
  files: Files,
  checkout: string,
  dockerfile: DockerfileSource["dockerfile"],
): Promise<{ readonly text: string; readonly file: string; readonly path: string | undefined }> {
  if ("text" in dockerfile) return { text: dockerfile.text, file: dockerfile.at.file, path: undefined };
  const file = pathWithin(checkout, dockerfile.value) ?? dockerfile.value;
  await refuseOutside(files, checkout, dockerfile);
  const real = await files.realPath(dockerfile.value);
  const isFile = real !== undefined && (await files.stat(real))?.kind === "file";
  const text = isFile ? await files.readText(dockerfile.value) : undefined;
  if (text !== undefined) return { text, file, path: dockerfile.value };
  if (dockerfile.at.file === file)
    throw new ActionError("E_INPUT", {
      what: `The input dockerfile-path names ${file}, and there is no such file.`,
      fix: "Check the path: it counts from the workspace; upper and lower case count.",
    });
  throw new ActionError("E_CONFIG", {
    what: `${dockerfile.at.file} names the Dockerfile ${file}, and there is no such file.`,
    fix: "Check the path: it counts from the folder of the file that names it.",
    at: dockerfile.at,
  });
}

async function readNamedContexts(
  files: Files,
  checkout: string,
  { contexts }: Definition,
  effort: Effort,
): Promise<ReadonlyMap<string, ContextFolder>> {
  const folders = [...contexts].filter(([, { kind }]) => kind === "folder");
  const read = folders.map(async ([name, context]) => {
    const root = await findContext(files, checkout, context);
    return [name, { root, entries: await readNamedContext(files, root, checkout, effort) }] as const;
  });
  return new Map(await Promise.all(read));
}

/** The stages that may take part in the build for one platform. */
export function stagesOf(gathered: Gathered, platform: Platform): readonly Stage[] {
  const { dockerfile, definition } = gathered;
  return reachableStages(dockerfile, definition.target?.value, scopeOf(gathered, platform));
}

/** What the Dockerfile's variables stand for, for one platform. */
export function scopeOf(
  { arguments: { args, uncounted }, definition, effort }: Pick<Gathered, "arguments" | "definition" | "effort">,
  platform: Platform,
): Scope {
  const contexts = [...definition.contexts].map(
    ([name, { kind, value }]) => [name, kind === "image" ? value : undefined] as const,
  );
  return {
    args: new Map(Object.entries({ ...uncounted, ...args })),
    platform,
    contexts: nameContexts(contexts),
    effort,
  };
}
