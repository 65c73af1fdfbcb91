import { isRecord } from "../oci/manifest.ts";
import type { Files } from "../world.ts";

/** Where docker looks for plugins after its own configuration: https://docs.docker.com/reference/cli/docker/ (cli-plugins/manager) */
const SYSTEM_FOLDERS = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/**
 * Finds buildx where docker would: in the folders that its configuration names, beside the configuration, then in the system's. Run without
 * docker, which starts a plugin twice for each call, it answers in half the time.
 * @returns the path of the program; `undefined` where there is none, or docker keeps its plugins elsewhere (a snap, a container).
 */
export async function findPlugin(
  { readText, stat, realPath }: Pick<Files, "readText" | "stat" | "realPath">,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const own = env.DOCKER_CONFIG || `${env.HOME ?? ""}/.docker`;
  const folders = [...extraFolders(await readText(`${own}/config.json`)), `${own}/cli-plugins`, ...SYSTEM_FOLDERS];
  for (const folder of folders) {
    const path = await realPath(`${folder}/docker-buildx`);
    if (path !== undefined && (await stat(path))?.kind === "file") return path;
  }
  return undefined;
}

/** Of a configuration that cannot be read docker says so itself. */
function extraFolders(text: string | undefined): readonly string[] {
  let json: unknown;
  try {
    json = JSON.parse(text ?? "{}");
  } catch {
    return [];
  }
  const folders = isRecord(json) ? json.cliPluginsExtraDirs : undefined;
  return Array.isArray(folders) ? folders.filter((folder) => typeof folder === "string") : [];
}
