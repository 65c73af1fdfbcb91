import { containerOptions } from "../devcontainer/container-options.ts";
import { isJsonObject, type Json } from "../devcontainer/json.ts";
import { baseEntries, METADATA_LABEL } from "../devcontainer/label.ts";
import { type MergedMetadata, mergeMetadata, metadataJson } from "../devcontainer/merge.ts";
import { tellsOfNode } from "../devcontainer/node.ts";
import { type RunArg, readRunArgs, userOfRunArgs } from "../devcontainer/run-args.ts";
import { runtimeEnvironment, runtimeUser, variablesRead } from "../devcontainer/runtime.ts";
import type { WorkspaceFolders } from "../devcontainer/substitute.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { type ImageConfig, readImageConfig } from "../oci/config.ts";
import { samePlatform } from "../oci/platform.ts";
import type { Sources } from "../plan/plan.ts";
import { readFoundConfig } from "../probe/verify.ts";
import type { Outcome } from "../publish/outcome.ts";
import type { Handover } from "../report/report.ts";
import { type Renumbering, readUidLabel, renumberingOf } from "../sources/image-users.ts";
import { type Readable, tellWithheld } from "../sources/readable.ts";
import { toldWorkspace } from "../sources/workspace.ts";
import type { Capabilities, Exec, World } from "../world.ts";

/** Under which an image is handed over, by the configuration that asked for it. */
type Circumstances = {
  /** Whether a fork's code made the image. */
  readonly isForeign: boolean;
  /** What metadata may read of the step's environment: the configuration's own, and that of bases and features. */
  readonly readable: Pick<Readable, "env" | "withheld" | "holdsSecret">;
  readonly folders: WorkspaceFolders;
  readonly runArgs: readonly RunArg[];
  /** Who works in a compose service where the metadata names nobody: compose says it only when it starts the container. */
  readonly serviceUser?: string | undefined;
  /** What became of the input `remote-user-uid`. */
  readonly renumbering?: Renumbering | undefined;
};

/**
 * Reads from an image's config how it is to be run, and writes the environment down for later steps.
 * @returns what the outputs `container`, `env`, `env-map`, `env-file`, `env-map-file`, `metadata` and `remote-user` say.
 */
export async function makeHandover(
  config: ImageConfig,
  { isForeign, readable, folders, runArgs, serviceUser, renumbering }: Circumstances,
  { files, host, log }: Pick<World, "files" | "host" | "log">,
): Promise<Handover> {
  const entries = baseEntries(config.labels[METADATA_LABEL]);
  const merged = mergeMetadata(entries);
  const variables = {
    localEnv: readable.env,
    containerEnv: config.env,
    localWorkspaceFolder: folders.local,
    containerWorkspaceFolder: folders.container,
  };
  // Whatever way a secret came into the image: in an output it would be shown, or take all the others with it.
  const env = new Map(
    [...runtimeEnvironment(merged, variables)].map(([name, { value, isPrivate }]) => [
      name,
      { value, isPrivate: isPrivate || readable.holdsSecret(value) },
    ]),
  );
  const user = workingUser(
    [
      runtimeUser(merged.remoteUser, variables),
      userOfRunArgs(runArgs)?.name,
      runtimeUser(merged.containerUser, variables),
      serviceUser,
    ],
    readable,
    log,
  );
  for (const found of variablesRead(merged).flatMap((name) => readable.withheld(name) ?? []))
    log.warning(
      `The environment that the image's metadata asks for reads ${tellWithheld(found)}, or set it in the job that runs the container.`,
    );
  tellKeptBack(env, log);
  const folder = await files.temporaryFolder("env", { keep: true });
  const { folderOwner } = host.capabilities;
  const options = containerOptions(merged, {
    isForeign,
    user,
    imageUser: config.user,
    folderOwner,
    runArgs,
    renumbered: readUidLabel(config),
  });
  if (renumbering?.kind === "as it is") log.info(`The input remote-user-uid changes nothing: ${renumbering.why}.`);
  if (options.insteadOfUser !== undefined)
    log.info(
      `The container's options say --user root and not ${options.insteadOfUser}: the folders of a job are the user ${folderOwner}'s on this host, and no other user but root can write there.${canRenumber(options.insteadOfUser, folderOwner, merged) ? " The input remote-user-uid gives that user another uid." : ""}`,
    );
  if (!host.capabilities.bringsNode && !tellsOfNode(config.env, entries))
    log.info(
      "Steps with uses: in a job's container are started with the image's own Node on this host, and nothing in the image's config tells of one. If it has none: additional-features, for example ghcr.io/devcontainers/features/node:1.",
    );
  tellDropped(options.names, host.capabilities, log);
  for (const what of options.notHere) log.info(`Not in the outputs container and container-options: ${what}.`);
  for (const what of options.leftOut)
    log.warning(`The outputs container and container-options leave out what the image's metadata asks for, ${what}.`);
  const handover = {
    options: options.text,
    remoteUser: user ?? (config.user || "root"),
    metadata: withoutSecrets(metadataJson(merged), readable.holdsSecret),
    env,
    envFile: `${folder}/container.env`,
    envMapFile: `${folder}/container-env.json`,
  };
  const plain = Object.fromEntries([...env].map(([name, { value }]) => [name, value]));
  await files.write(handover.envFile, environmentLines(plain), 0o600);
  await files.write(handover.envMapFile, `${JSON.stringify(plain)}\n`, 0o600);
  return handover;
}

/** Whoever has built the image has published it: this run does not tell it once more. */
function withoutSecrets(json: Json, holdsSecret: Readable["holdsSecret"]): Json {
  if (typeof json === "string") return holdsSecret(json) ? "***" : json;
  if (Array.isArray(json)) return json.map((item: Json) => withoutSecrets(item, holdsSecret));
  if (!isJsonObject(json)) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [holdsSecret(name) ? "***" : name, withoutSecrets(value, holdsSecret)]),
  );
}

/**
 * Who works in the container: the first that is named, as under the reference CLI's `up`, where the container is of the last `--user`.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/singleContainer.ts (openDockerfileDevContainer, spawnDevContainer)
 */
function workingUser(
  named: readonly (string | undefined)[],
  { holdsSecret }: Pick<Readable, "holdsSecret">,
  log: World["log"],
): string | undefined {
  const users = named.filter((name): name is string => name !== undefined && name !== "");
  const at = users.findIndex((name) => !name.includes("${") && !holdsSecret(name));
  const [first] = at === 0 ? [] : users;
  if (first !== undefined)
    log.warning(
      `Who works in the dev container is passed over in the outputs remote-user and container-options: ${holdsSecret(first) ? "the name holds a secret" : `${first} holds a variable that has no value here`}.`,
    );
  return users[at];
}

/** What is handed out is what the dev container wants; what becomes of it is the runner's. */
function tellDropped(names: readonly string[], { takesOptions }: Capabilities, log: World["log"]): void {
  const dropped = takesOptions === undefined ? [] : names.filter((name) => !takesOptions.includes(name));
  if (dropped.length === 0) return;
  const user = dropped.includes("--user") ? ": the image's own user (USER in its Dockerfile) works there" : "";
  log.info(`Of container-options this host's runner drops ${dropped.join(", ")} without a word${user}.`);
}

/** Nobody is given root's uid, a user that is a number keeps it, and so does one of whom the configuration wants that. */
function canRenumber(user: string, folderOwner: number | "anyone", { others }: MergedMetadata): boolean {
  return folderOwner !== 0 && !/^\d+(:|$)/.test(user) && others.updateRemoteUserUID !== false;
}

/** What stands in the files alone, and what a runner takes from nobody. */
function tellKeptBack(env: Handover["env"], log: World["log"]): void {
  const hidden = [...env].flatMap(([name, { isPrivate }]) => (isPrivate ? [name] : []));
  if (hidden.length > 0)
    log.info(
      `${hidden.join(", ")}: read of this machine's environment, or secret, so the values stand in the files of the outputs env-file and env-map-file and in no output.`,
    );
  const { leftOut } = runnerEnvironment(publicEnvironment({ env }));
  if (leftOut.length > 0)
    log.warning(`The output github-env leaves out ${leftOut.join(", ")}: a runner takes no variables of such names.`);
}

/** The values that may stand in an output. */
export function publicEnvironment({ env }: Pick<Handover, "env">): Readonly<Record<string, string>> {
  return Object.fromEntries([...env].flatMap(([name, { value, isPrivate }]) => (isPrivate ? [] : [[name, value]])));
}

/** The variables that a runner keeps to itself: it refuses them, or later steps of the job would be told something else. */
const RUNNERS_OWN = /^(?:GITHUB|RUNNER|ACTIONS|INPUT)_|^NODE_OPTIONS$/i;

/**
 * Variables in the form of the file that `GITHUB_ENV` names: as they are, and several lines between two of a delimiter that is none of them.
 * @returns the text, and the names that no such file can hold.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-environment-variable
 */
export function runnerEnvironment(env: Readonly<Record<string, string>>): {
  readonly text: string;
  readonly leftOut: readonly string[];
} {
  // In front of the first `=`, `<<` begins a text of several lines.
  const isWritable = (name: string): boolean => !name.includes("<<") && !RUNNERS_OWN.test(name);
  const entries = Object.entries(env);
  const lines = new Set(entries.flatMap(([, value]) => value.split(/\r\n|[\n\r]/)));
  let delimiter = "END_OF_VALUE";
  while (lines.has(delimiter)) delimiter += "_";
  const written = entries
    .filter(([name]) => isWritable(name))
    .map(([name, value]) =>
      /[\r\n]/.test(value) ? `${name}<<${delimiter}\n${value}\n${delimiter}` : `${name}=${value}`,
    );
  return { text: written.join("\n"), leftOut: entries.flatMap(([name]) => (isWritable(name) ? [] : [name])) };
}

/** A dotenv file: one variable a line; a value that would not survive that stands in double quotes, its line breaks as `\n`. */
export function environmentLines(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => {
    const isPlain = !/[\r\n"'#\\]|^\s|\s$/.test(value);
    const quoted = value.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
    return `${name}=${isPlain ? value : `"${quoted}"`}\n`;
  });
  return lines.join("");
}

/** The config of an image that was only loaded into the local engine, as the engine tells it. */
export async function readLoadedConfig(exec: Exec, name: string): Promise<ImageConfig | undefined> {
  const finished = await exec("docker", ["image", "inspect", "--format", "{{json .Config}}", name]);
  if (finished?.code !== 0) return undefined;
  return readImageConfig(`{"config":${finished.stdout}}`);
}

/** What later jobs need to run the image; that it cannot be read makes no failure of an image that is there. */
export async function handOver(
  { image: pinned, localImage, found, isFallback }: Outcome,
  { inputs, sources: { wanted, build } }: { readonly inputs: Inputs; readonly sources: Sources },
  world: World,
): Promise<Handover | undefined> {
  const image = pinned ?? localImage;
  if (image === undefined || isFallback) return undefined;
  const own = found?.find(({ platform }) => samePlatform(platform, wanted.handOver));
  const config = own
    ? await readFoundConfig(own, wanted.repository, world.registry)
    : localImage === undefined
      ? undefined
      : await readLoadedConfig(world.exec, localImage);
  // What the registry serves, a run with the right to push has made.
  const isForeign = world.host.event.isFork && localImage !== undefined;
  const { configuration } = build;
  const { user } = build.definition;
  const local = world.host.clone ? toldWorkspace(inputs, world.host) : configuration.folders.local;
  const circumstances = {
    isForeign,
    folders: { ...configuration.folders, local },
    runArgs: readRunArgs(configuration),
    serviceUser: user?.value,
  };
  if (config)
    return makeHandover(
      config,
      { ...circumstances, readable: untold(build), renumbering: renumberingOf(build, config) },
      world,
    );
  world.log.warning("The image's config could not be read: the outputs container, env and metadata are empty.");
  return undefined;
}

/** What the configuration itself reads has been told with its place. */
function untold({ readable, configuration }: Sources["build"]): Circumstances["readable"] {
  const told = new Set(configuration.substitutions.flatMap(({ reads }) => reads));
  return {
    env: readable.env,
    holdsSecret: readable.holdsSecret,
    withheld: (name) => {
      const found = readable.withheld(name);
      return found?.why === "token" && told.has(name) ? undefined : found;
    },
  };
}
