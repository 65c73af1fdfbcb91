import { formatAuths } from "../buildx/isolation.ts";
import { resolvePath } from "../devcontainer/paths.ts";
import type { Context, ContextEntry } from "../envbuilder/context.ts";
import { findOption } from "../envbuilder/options.ts";
import { ActionError } from "../errors.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference, type Reference, type Repository } from "../oci/reference.ts";
import { isLoopback } from "../registry/origins.ts";
import type { World } from "../world.ts";
import { workspaceFolderOf } from "./definition.ts";

export type BuildTask = {
  readonly inputs: EnvbuilderInputs;
  /** The image that is run. */
  readonly builder: Reference;
  readonly repository: Repository;
  /** The repositories that the builder reads and writes, the cache's first. */
  readonly repositories: readonly Repository[];
  /** The whole checkout, as the builder's clone would have it, and where it is on this machine. */
  readonly source: { readonly context: Context; readonly folder: string };
  readonly network: string | undefined;
  /** The job's own, by the names of their variables. */
  readonly proxies: ReadonlyMap<string, string>;
  /** Whether the cache repository is spoken to without TLS. */
  readonly isPlain: boolean;
};

type Ports = Pick<World, "exec" | "files" | "log" | "atEnd" | "salt" | "credentials">;

/** What a workspace's own options say of its start: nothing of that is run here, and the builder must build, and push what it has built. */
const OVERRIDES: Readonly<Record<string, string | undefined>> = {
  ENVBUILDER_PUSH_IMAGE: "true",
  ENVBUILDER_EXIT_ON_BUILD_FAILURE: "true",
  ENVBUILDER_EXIT_ON_PUSH_FAILURE: "true",
  ENVBUILDER_REMOTE_REPO_BUILD_MODE: undefined,
  ENVBUILDER_GET_CACHED_IMAGE: undefined,
  ENVBUILDER_SKIP_REBUILD: undefined,
  ENVBUILDER_SETUP_SCRIPT: undefined,
  ENVBUILDER_INIT_SCRIPT: undefined,
  ENVBUILDER_INIT_COMMAND: "/.envbuilder/bin/envbuilder",
  ENVBUILDER_INIT_ARGS: "--help",
  // A file below a file: the builder ends there, behind the push and before any command of the workspace's own.
  ENVBUILDER_EXPORT_ENV_FILE: "/.envbuilder/bin/envbuilder/none",
  ENVBUILDER_POST_START_SCRIPT_PATH: undefined,
  // The commit that was looked for is handed over: its branch may have moved on since.
  ENVBUILDER_GIT_URL: undefined,
  CODER_AGENT_URL: undefined,
  CODER_AGENT_TOKEN: undefined,
};

/** Nothing is cloned. What only looks like an option of git's (`GIT_AUTHOR_NAME`) is a variable that a build arg may read. */
function isOfGit(variable: string): boolean {
  const option = findOption(variable);
  return typeof option === "object" && option.name.startsWith("ENVBUILDER_GIT_");
}

/** What the builder says once all is in the repository. */
const PUSHED = /#\d+: 🏗️ Pushed image!/u;
/** What kaniko says of each image that it has put, the layers that it keeps before and the whole one last. */
const PUT = /^#\d+: \S*Pushed \S+@(sha256:[0-9a-f]{64})/;
const LAST_LINES = 15;

/**
 * Has the real builder build and push: in a container that is given the checkout and, in a file, the environment.
 * @returns the digest that it says it has pushed, where it says one.
 * @throws ActionError E_DOCKER where no container can be had, E_BUILD with the builder's last words where it pushed nothing.
 */
export async function runBuilder(task: BuildTask, ports: Ports): Promise<Digest | undefined> {
  const { files, log, atEnd } = ports;
  const folder = await files.temporaryFolder("builder");
  const docker = openDocker(ports);
  const name = `dev-container-cache-${ports.salt()}`;
  const remove = async (): Promise<void> => {
    await docker.quietly(["rm", "--force", "--volumes", name]);
  };
  atEnd(remove);
  const variables = await variablesOf(task, ports);
  const { inline, options } = await writeEnvironment(variables, `${folder}/env`, files);
  const workspace = workspaceFolderOf(task.inputs.environment.options);
  await copyTree(task.source, resolvePath(`${folder}/root`, `.${workspace}`), ports);
  const { written } = task.inputs.builderImage;
  const network = networkOf(task);
  // The builder builds for the platform that it runs on.
  const platform = ["--platform", formatPlatform(task.inputs.platform)];
  const on = network === undefined ? platform : [...platform, "--network", network];
  const create = ["create", "--name", name, ...on, ...options];
  await docker.must(
    [...create, "--env", `ENVBUILDER_WORKSPACE_FOLDER=${workspace}`, formatReference(task.builder)],
    inline,
    written,
  );
  await docker.must(["cp", `${folder}/root/.`, `${name}:/`], {}, written);
  const told: string[] = [];
  let isPushed = false;
  let put: string | undefined;
  const ended = await docker.follow(["start", "--attach", name], (line) => {
    if (isPushed) return;
    log.info(line);
    told.push(line);
    put = PUT.exec(line)?.[1] ?? put;
    isPushed = PUSHED.test(line);
    if (isPushed) void remove();
  });
  await remove();
  files.discard(folder);
  if (isPushed) return isDigest(put) ? put : undefined;
  throw new ActionError("E_BUILD", {
    what: `The builder ${written} ended with exit code ${ended.code} and has pushed nothing.`,
    details: { lines: told.slice(-LAST_LINES) },
    fix: "Read its last lines; a workspace of this commit would fail in the same way.",
  });
}

/** A registry on loopback is this machine's own, and not the container's. */
export function networkOf({ network, repository }: Pick<BuildTask, "network" | "repository">): string | undefined {
  return network ?? (isLoopback(new URL(`http://${repository.registry}`)) ? "host" : undefined);
}

/** The computed environment with what a build needs; the logins that this run uses, where none is among the inputs. */
async function variablesOf(
  { inputs, repositories, isPlain, proxies }: BuildTask,
  { credentials }: Ports,
): Promise<ReadonlyMap<string, string>> {
  const own = [...inputs.environment.variables].filter(([name]) => !isOfGit(name));
  const variables = new Map([...proxies, ...own]);
  for (const [name, value] of Object.entries(OVERRIDES))
    if (value === undefined) variables.delete(name);
    else variables.set(name, value);
  // The builder knows but one switch, for all registries.
  if (isPlain) variables.set("ENVBUILDER_INSECURE", "true");
  if (!variables.has("ENVBUILDER_DOCKER_CONFIG_BASE64")) {
    const logins = await Promise.all(repositories.map(async (name) => ({ name, login: await credentials(name) })));
    const known = logins.filter(({ login }) => login !== undefined);
    const config = JSON.stringify({ auths: formatAuths(known) });
    if (known.length > 0) variables.set("ENVBUILDER_DOCKER_CONFIG_BASE64", btoa(config));
  }
  return variables;
}

/** The client's own: what stands in its environment under such a name would be taken for its settings. */
const OF_DOCKER = /^(?:DOCKER_|BUILDX_|PATH$|HOME$|.*_PROXY$)/i;

/**
 * Everything goes through a file that only this user reads; it cannot hold several lines, and those go through the client's environment.
 * @throws ActionError E_INPUT for a value of several lines under a name that the client would read itself.
 */
async function writeEnvironment(
  variables: ReadonlyMap<string, string>,
  path: string,
  files: Ports["files"],
): Promise<{ readonly inline: Readonly<Record<string, string>>; readonly options: readonly string[] }> {
  const isLong = (text: string): boolean => /[\r\n]/.test(text);
  const long = [...variables].filter(([, value]) => isLong(value));
  const [own] = long.filter(([name]) => OF_DOCKER.test(name)).map(([name]) => name);
  if (own !== undefined)
    throw new ActionError("E_INPUT", {
      what: `The input extra-env sets ${own} to several lines, with which the builder cannot be run here.`,
      fix: "Give it one line, or leave it out.",
    });
  const lines = [...variables].filter(([, value]) => !isLong(value)).map(([name, value]) => `${name}=${value}\n`);
  await files.write(path, lines.join(""), 0o600);
  return {
    inline: Object.fromEntries(long),
    options: ["--env-file", path, ...long.flatMap(([name]) => ["--env", name])],
  };
}

function openDocker({ exec, log }: Ports) {
  const run = async (args: readonly string[], env = {}, onLine?: (line: string) => void) => {
    const finished = await exec("docker", args, { env, ...(onLine ? { onLine } : {}) });
    if (finished) return finished;
    throw new ActionError("E_DOCKER", {
      what: "The image is missing, on-miss is build, and there is no docker on this machine to run the builder with.",
      fix: "Run the job on a machine with Docker, or set on-miss to fail or continue.",
    });
  };
  return {
    follow: (args: readonly string[], onLine: (line: string) => void) => run(args, {}, onLine),
    quietly: async (args: readonly string[]): Promise<void> => {
      await exec("docker", args).catch((error) => log.debug(String(error)));
    },
    must: async (args: readonly string[], env: Readonly<Record<string, string>>, image: string): Promise<void> => {
      const { code, stderr } = await run(args, env);
      if (code === 0) return;
      throw new ActionError("E_DOCKER", {
        what: `docker could not make a container of ${image}: ${stderr.trim().split("\n").at(-1) ?? ""}`,
        fix: "Check that the engine runs, and that it can pull the builder image (docker/login-action).",
      });
    },
  };
}

/** The files that the builder's clone would have, with its modes; what git keeps of its history is none of them. */
async function copyTree(source: BuildTask["source"], to: string, { files }: Ports): Promise<void> {
  const { context } = source;
  const copy = async (path: string): Promise<void> => {
    const entry = await context.stat(path);
    if (entry?.kind !== "directory") return copyOne({ ...source, entry, path, to }, files);
    await files.makeDirectory(`${to}/${path}`, { mode: 0o755 });
    const names = (await context.list(path)).filter((name) => name !== ".git");
    for (const name of names) await copy(path === "." ? name : `${path}/${name}`);
  };
  await copy(".");
}

type Copied = {
  readonly folder: string;
  readonly entry: ContextEntry | undefined;
  readonly path: string;
  readonly to: string;
};

async function copyOne({ folder, entry, path, to }: Copied, files: Ports["files"]): Promise<void> {
  const [from, target] = [`${folder}/${path}`, `${to}/${path}`];
  if (entry?.kind === "link") await files.makeLink(target, await files.readLink(from), { mtime: 0 });
  if (entry?.kind === "file") await files.copy(from, target, { mode: entry.mode, mtime: 0 });
  // What may be another file in the builder's clone is the one of this checkout here.
  const isFile = entry?.kind === "unknown" && (await files.stat(from))?.kind === "file";
  if (isFile) await files.copy(from, target, { mode: 0o644, mtime: 0 });
}
