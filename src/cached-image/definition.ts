import { lastSegment, pathWithin, resolvePath } from "../devcontainer/paths.ts";
import type { Options } from "../envbuilder/options.ts";
import { parseSpecification, type Specification } from "../envbuilder/specification.ts";
import { ActionError } from "../errors.ts";
import type { Files } from "../world.ts";

/** What envbuilder would build of a checkout, before it asked anybody. */
export type Definition = {
  /** How messages name what decides: devcontainer.json, or the Dockerfile. */
  readonly file: string;
  readonly specification: Specification | undefined;
  /** The text of devcontainer.json, where there is one. */
  readonly written?: string;
  readonly dockerfile: { readonly text: string; readonly file: string };
  /** Absolute; `undefined` where the context is envbuilder's own folder. */
  readonly context: string | undefined;
  /** The folder of devcontainer.json, absolute. */
  readonly folder: string;
  /** The context's folder as the builder sees it. */
  readonly root: string;
  readonly ignore: { readonly text: string; readonly file: string } | undefined;
  /** The workspace folder as the builder is told it, or would choose it. */
  readonly workspaceFolder: string;
};

/** Envbuilder's own folder in its container. */
const SCRATCH = "/.envbuilder";

/**
 * The folder that envbuilder puts the workspace in.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/options/defaults.go (DefaultWorkspaceFolder)
 */
export function workspaceFolderOf(options: Options): string {
  if (options.ENVBUILDER_WORKSPACE_FOLDER) return options.ENVBUILDER_WORKSPACE_FOLDER;
  const base = options.ENVBUILDER_WORKSPACE_BASE_DIR || "/workspaces";
  const url = options.ENVBUILDER_GIT_URL ?? "";
  const path = url.includes("://") ? url.replace(/^[^:]+:\/\/[^/]*/, "") : url.replace(/^[^/]*:/, "");
  const name = lastSegment(path.replace(/[#?].*$/, "")).replace(/\.git$/, "");
  return url === "" || name === "" ? `${base}/empty` : `${base}/${name}`;
}

type Reading = { readonly checkout: string; readonly options: Options; readonly files: Files };

/**
 * Finds and reads what envbuilder would build.
 * @throws ActionError E_INPUT for a path that leaves the checkout, E_CONFIG and E_DOCKERFILE for what is not there or cannot be read.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/envbuilder.go (RunCacheProbe, findDevcontainerJSON)
 */
export async function readDefinition({ checkout, options, files }: Reading): Promise<Definition> {
  const reading = { checkout, options, files };
  const workspaceFolder = workspaceFolderOf(options);
  refuseWorkspaceFolder(workspaceFolder);
  if (options.ENVBUILDER_DOCKERFILE_PATH) return readDockerfileAlone(options.ENVBUILDER_DOCKERFILE_PATH, reading);
  const found = await findConfiguration(reading);
  const fallback = options.ENVBUILDER_FALLBACK_IMAGE;
  if (found === undefined) {
    if (!fallback) throw missing("There is no devcontainer.json where envbuilder looks for one");
    return { ...ofImage(fallback, "fallback-image"), specification: undefined, folder: checkout, workspaceFolder };
  }
  const { path, folder } = found;
  const file = nameOf(checkout, path);
  const text = await files.readText(await realOf(path, reading));
  if (text === undefined) throw missing(`There is no ${file}`);
  const specification = parseSpecification(text, file);
  const own = { specification, written: text, folder, workspaceFolder };
  if (specification.image !== "") return { ...ofImage(specification.image, file), ...own };
  const context = inside(checkout, resolvePath(folder, specification.context || "."), "build.context", file);
  if (specification.dockerfile === "") {
    if (!fallback) throw missing(`${file} names neither an image nor a Dockerfile`);
    const { dockerfile } = ofImage(fallback, "fallback-image");
    return { file, dockerfile, ...own, ...(await ofContext(context, undefined, reading)) };
  }
  const dockerfilePath = inside(checkout, resolvePath(folder, specification.dockerfile), "build.dockerfile", file);
  const dockerfile = await readDockerfile(dockerfilePath, reading);
  return { file, dockerfile, ...own, ...(await ofContext(context, dockerfilePath, reading)) };
}

/** For a build the checkout is laid out below a folder of this machine as the builder's container is to have it: it must not leave that. */
function refuseWorkspaceFolder(folder: string): void {
  if (/^\/./.test(folder) && !folder.split("/").includes("..")) return;
  throw new ActionError("E_INPUT", {
    what: `The workspace folder would be "${folder}", which is no absolute path of the builder's container, or leaves it.`,
    fix: "Set workspace-folder, and ENVBUILDER_WORKSPACE_BASE_DIR in extra-env, to a path like /workspaces/app, without .. in it.",
  });
}

function missing(what: string): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${what}, and there is no fallback-image.`,
    fix: "It looks in .devcontainer, in the checkout itself (devcontainer.json) and in the folders of .devcontainer; devcontainer-dir, devcontainer-json-path and dockerfile-path say where else. Or set fallback-image.",
  });
}

function nameOf(checkout: string, path: string): string {
  return pathWithin(checkout, path) ?? path;
}

function ofImage(image: string, file: string): Pick<Definition, "file" | "dockerfile" | "context" | "root" | "ignore"> {
  return { file, dockerfile: { text: `FROM ${image}`, file }, context: undefined, root: SCRATCH, ignore: undefined };
}

async function readDockerfileAlone(written: string, reading: Reading): Promise<Definition> {
  const { checkout, options } = reading;
  const path = inside(checkout, resolvePath(checkout, `./${written}`), "dockerfile-path", "inputs");
  const context = options.ENVBUILDER_BUILD_CONTEXT_PATH ?? ".";
  const folder = inside(checkout, resolvePath(checkout, `./${context}`), "build-context-path", "inputs");
  const dockerfile = await readDockerfile(path, reading);
  const own = { specification: undefined, folder: checkout, workspaceFolder: workspaceFolderOf(options) };
  return { file: dockerfile.file, dockerfile, ...own, ...(await ofContext(folder, path, reading)) };
}

async function readDockerfile(path: string, reading: Reading): Promise<Definition["dockerfile"]> {
  const file = nameOf(reading.checkout, path);
  const text = await reading.files.readText(await realOf(path, reading)).catch(() => undefined);
  if (text !== undefined && !text.includes("\uFFFD")) return { text, file };
  throw new ActionError("E_DOCKERFILE", {
    what: text === undefined ? `There is no Dockerfile ${file}.` : `${file} is no text in UTF-8.`,
    fix: "Check the path: it counts from the folder of devcontainer.json, or, as dockerfile-path, from the checkout.",
    at: { file },
  });
}

/** @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/util/fs_util.go (GetExcludedFiles) */
async function ofContext(
  context: string,
  dockerfile: string | undefined,
  reading: Reading,
): Promise<Pick<Definition, "context" | "root" | "ignore">> {
  const { checkout, files, options } = reading;
  const real = await realOf(context, reading);
  if ((await files.stat(real))?.kind !== "directory")
    throw new ActionError("E_CONFIG", {
      what: `There is no folder ${nameOf(checkout, context)}, which is the build context.`,
      fix: "Check build.context, or build-context-path.",
    });
  const paths = [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), `${real}/.dockerignore`];
  const workspace = isRemote(options) ? `${SCRATCH}/repo` : workspaceFolderOf(options);
  const root = resolvePath(workspace, nameOf(checkout, context));
  for (const path of paths) {
    const text = await files.readText(await realOf(path, reading));
    if (text !== undefined) return { context: real, root, ignore: { text, file: nameOf(checkout, path) } };
  }
  return { context: real, root, ignore: undefined };
}

/** Whether the builder builds from a clone of its own. */
function isRemote({ ENVBUILDER_REMOTE_REPO_BUILD_MODE: mode, ENVBUILDER_GIT_URL: url }: Options): boolean {
  return mode === true && Boolean(url);
}

type Configuration = { readonly path: string; readonly folder: string };

/** The `.devcontainer.json` that other tools know is none for envbuilder. */
async function findConfiguration(reading: Reading): Promise<Configuration | undefined> {
  const { checkout, options, files } = reading;
  const { ENVBUILDER_DEVCONTAINER_DIR: dir, ENVBUILDER_DEVCONTAINER_JSON_PATH: json } = options;
  if (dir || json) {
    const folder = inContainer(dir || ".devcontainer", checkout, "devcontainer-dir", reading);
    return { folder, path: inContainer(json || "devcontainer.json", folder, "devcontainer-json-path", reading) };
  }
  const home = `${checkout}/.devcontainer`;
  for (const folder of [home, checkout]) {
    const path = `${folder}/devcontainer.json`;
    if ((await files.realPath(path)) !== undefined) return { path, folder };
  }
  for (const name of (await files.list(home)) ?? []) {
    const folder = `${home}/${name}`;
    // A link to a folder is none.
    if ((await files.stat(folder))?.kind !== "directory") continue;
    const path = `${folder}/devcontainer.json`;
    if ((await files.realPath(path)) !== undefined) return { path, folder };
  }
  return undefined;
}

/** An absolute path is one of the builder's container, where the checkout is the workspace folder. */
function inContainer(written: string, folder: string, input: string, { checkout, options }: Reading): string {
  if (!written.startsWith("/")) return inside(checkout, resolvePath(folder, written), input, "inputs");
  const relative = pathWithin(workspaceFolderOf(options), written);
  if (relative !== undefined) return resolvePath(checkout, relative);
  throw new ActionError("E_INPUT", {
    what: `The input ${input} is "${written}", which is a path of the builder's container outside of the workspace folder.`,
    fix: "Name it relative to the workspace folder.",
  });
}

function inside(checkout: string, path: string, name: string, file: string): string {
  if (pathWithin(checkout, path) !== undefined) return path;
  throw new ActionError(file === "inputs" ? "E_INPUT" : "E_CONFIG", {
    what: `${file === "inputs" ? `The input ${name}` : `${name} in ${file}`} leaves the checkout, in which the builder would find nothing.`,
    fix: "Name a path inside the repository.",
  });
}

/** @throws ActionError E_CONFIG for a link that leads out of the checkout: the builder's clone has nothing there. */
async function realOf(path: string, { checkout, files }: Reading): Promise<string> {
  const real = await files.realPath(path);
  if (real === undefined || pathWithin(checkout, real) !== undefined) return real ?? path;
  throw new ActionError("E_CONFIG", {
    what: `${nameOf(checkout, path)} is a link that leads out of the checkout.`,
    fix: "Put the file itself into the repository.",
  });
}
