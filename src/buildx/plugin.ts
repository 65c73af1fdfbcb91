import type { Files } from "../world.ts";
import { dockerFolder, readJson } from "./docker-folder.ts";

/** Where docker looks for plugins after its own configuration: https://docs.docker.com/reference/cli/docker/ (cli-plugins/manager) */
const SYSTEM_FOLDERS = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/** In bytes: docker's client is far larger, and a script that runs it far smaller. */
const LARGEST_SCRIPT = 1024 * 1024;

/**
 * Finds buildx where docker would: in the folders that its configuration names, beside the configuration, then in the system's. Run without
 * docker, which starts a plugin twice for each call, it answers in half the time.
 * @returns the path of the program; `undefined` where docker has to run it: it keeps its plugins elsewhere (a snap), is a script that runs
 * the real one otherwise (sudo, another host, a container), or speaks TLS to its engine, which buildx does not by itself before 0.23.
 */
export async function findPlugin(
  files: Pick<Files, "readText" | "stat" | "realPath">,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (env.DOCKER_TLS || env.DOCKER_TLS_VERIFY || !(await isDockerItself(files, env.PATH ?? ""))) return undefined;
  const own = dockerFolder(env);
  for (const folder of [...(await extraFolders(files, own)), `${own}/cli-plugins`, ...SYSTEM_FOLDERS]) {
    const path = `${folder}/docker-buildx`;
    // Not where a link leads: some programs go by the name that they are called by.
    if (await sizeOf(files, path)) return path;
  }
  return undefined;
}

async function isDockerItself(files: Pick<Files, "stat" | "realPath">, path: string): Promise<boolean> {
  for (const folder of path.split(":").filter((one) => one !== "")) {
    const size = await sizeOf(files, `${folder}/docker`);
    if (size !== undefined) return size > LARGEST_SCRIPT;
  }
  return false;
}

/** In bytes, of the file that a path leads to; `undefined` where there is none, or none that may be looked at. */
async function sizeOf({ stat, realPath }: Pick<Files, "stat" | "realPath">, path: string): Promise<number | undefined> {
  try {
    const real = await realPath(path);
    const entry = real === undefined ? undefined : await stat(real);
    return entry?.kind === "file" ? entry.size : undefined;
  } catch {
    return undefined;
  }
}

/** Of a configuration that may not be read docker says so itself. */
async function extraFolders(files: Pick<Files, "readText">, own: string): Promise<readonly string[]> {
  const json = await readJson(files, `${own}/config.json`).catch(() => undefined);
  const folders: unknown = json?.cliPluginsExtraDirs;
  return Array.isArray(folders) ? folders.filter((folder) => typeof folder === "string") : [];
}
