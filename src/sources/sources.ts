import {
  DEFAULT_CONFIGURATION,
  type FoundConfiguration,
  findAnyConfiguration,
  findConfiguration,
} from "../devcontainer/find.ts";
import { isJsonObject, type JsonObject } from "../devcontainer/json.ts";
import { type Configuration, parseConfiguration, placeOf } from "../devcontainer/parse.ts";
import { passedOverWarnings } from "../devcontainer/passed-over.ts";
import { pathWithin, resolvePath, type Workspace } from "../devcontainer/paths.ts";
import { propertyNameWarnings } from "../devcontainer/property-names.ts";
import { type Substituted, substitute } from "../devcontainer/substitute.ts";
import { type Warning, withNoticed } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Effort, Files } from "../world.ts";
import {
  type BuildSource,
  type ContextFolder,
  readNamedContexts,
  readSource,
  type SourcePorts,
  type Triggers,
} from "./build-source.ts";
import { readDefinition } from "./definition.ts";
import { dockerfileDefinition, imageDefinition, withBuildInputs } from "./definition-inputs.ts";
import type { CountedOption, Definition } from "./definition-shape.ts";
import type { FeatureSources, FeatureSourcesRequest } from "./feature-sources.ts";
import { refuseGitLogins } from "./git-logins.ts";
import { pointerWarnings, refusePointer } from "./lfs-pointers.ts";
import { propertyTypeWarnings } from "./property-types.ts";
import { type Readable, readableEnvironment } from "./readable.ts";
import { refusedRights, rightsIn } from "./rights.ts";
import { scopeOf } from "./scopes.ts";
import { gitWarnings, substitutionWarnings } from "./source-warnings.ts";
import { insideCheckout } from "./workspace.ts";

/** Everything that was read from the checkout, before any of it became a plan. */
export type Gathered = BuildSource & {
  readonly configuration: Substituted;
  /** devcontainer.json as seen from the checkout. */
  readonly relative: string;
  readonly definition: Definition;
  /** Of its options those that a fork's configuration does not get; nothing in a run about the repository's own code. */
  readonly refused: readonly CountedOption[];
  readonly readable: Readable;
  readonly namedContexts: ReadonlyMap<string, ContextFolder>;
  /** Of the images that are built on, where they were known when this was read. */
  readonly triggers: Triggers;
  /** Nothing where no feature is asked for. */
  readonly features: FeatureSources | undefined;
  /** What reading all this may cost; nothing is counted any more once it has been read. */
  readonly effort: Effort;
  /** The uid that the remote user of the image gets; nothing where it keeps its own. */
  readonly remoteUserUid: number | undefined;
};

/**
 * Reads configuration, Dockerfile and build contexts of the workspace.
 * @param triggers where they are known: what they take from the context counts too.
 * @throws ActionError for everything that is wrong with them, before any request.
 */
export async function gatherSources(
  inputs: Inputs,
  workspace: Workspace,
  { files, host, effort }: SourcePorts,
  triggers: Triggers,
): Promise<Gathered> {
  const { found, instead } = await findWhatCounts(inputs, workspace, files);
  refusePointer("E_CONFIG", { text: found.text, file: found.relative }, host.clone);
  const readable = await readableEnvironment({ inputs, workspace: workspace.folder }, { files, host });
  const configuration = substitute(noticeOddities(parseConfiguration(found.text, found.relative)), {
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
    // A syntax error that was read over, a mistyped name or a variable that is not set may be why something else is missing.
    const { told } = variablesTold(configuration, inputs, readable);
    throw withNoticed(error, [...configuration.warnings, ...told]);
  }
}

function noticeOddities(read: Configuration): Configuration {
  return { ...read, warnings: [...read.warnings, ...propertyNameWarnings(read), ...passedOverWarnings(read)] };
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
  { files, host, effort }: SourcePorts,
): Promise<Gathered> {
  const configured = instead ?? (await readDefinition({ configuration, found, workspace, readable, effort }, files));
  const definition = withBuildInputs(configured, inputs.build, { workspace, at: { file: found.relative } });
  const read = await readSource({ inputs, definition, workspace, readable, triggers }, { files, host, effort });
  const scoped = { arguments: read.arguments, definition, effort };
  const reader = {
    checkout: workspace.checkout,
    dockerfile: read.dockerfile,
    target: definition.target?.value,
    scopes: inputs.platforms.map((platform) => scopeOf(scoped, platform)),
  };
  const namedContexts = await readNamedContexts(files, reader, definition, effort);
  const { root = "", entries = new Map() } = read.context ?? {};
  const taken = [...entries.values()].map((paths) => ({ root, entries: paths }));
  const all = [...taken, ...namedContexts.values()];
  await refuseGitLogins(all, files, readable.holdsSecret);
  const { additionalFeatures: additional, lockfile } = inputs;
  const { uid, told: variables } = variablesTold(configuration, inputs, readable);
  const refused = host.event.isFork ? rightsIn(configured.counted) : [];
  const told = [
    ...refusedRights(refused),
    ...variables,
    ...propertyTypeWarnings(configuration),
    ...gitWarnings(namedContexts, definition),
    ...(await pointerWarnings(all, { clone: host.clone, checkout: workspace.checkout }, files)),
    ...uid.warnings,
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
    remoteUserUid: uid.asked,
    ...read,
    warnings: [...told, ...read.warnings],
  };
}

/** What is to be said of the variables that decide about the image. */
function variablesTold(configuration: Substituted, inputs: Inputs, readable: Readable) {
  const uid = askedUid(inputs, configuration);
  const hasFeatures = mayHaveFeatures(configuration, inputs.additionalFeatures);
  return {
    uid,
    told: substitutionWarnings(configuration, { hasFeatures, renumbers: uid.asked !== undefined, readable }),
  };
}

/** The configuration has the last word, as under the reference CLI. */
function askedUid(
  { remoteUserUid }: Inputs,
  configuration: Substituted,
): { readonly asked: number | undefined; readonly warnings: readonly Warning[] } {
  if (remoteUserUid === undefined || configuration.json.updateRemoteUserUID !== false)
    return { asked: remoteUserUid, warnings: [] };
  const at = placeOf(configuration, ["updateRemoteUserUID"]);
  const text = "The input remote-user-uid changes nothing: the configuration says updateRemoteUserUID: false.";
  return { asked: undefined, warnings: [{ text, at }] };
}

type Counting = { readonly found: FoundConfiguration; readonly instead?: Definition | undefined };

/** The configuration, or what the inputs say in its place: a Dockerfile, or an image where there is no configuration. */
async function findWhatCounts(inputs: Inputs, workspace: Workspace, files: Files): Promise<Counting> {
  const { dockerfilePath, buildContextPath, fallbackImage, devcontainerJsonPath, devcontainerDir } = inputs;
  if (dockerfilePath !== undefined) {
    const dockerfile = insideCheckout(workspace, "dockerfile-path", dockerfilePath);
    const context = insideCheckout(workspace, "build-context-path", buildContextPath ?? ".");
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
