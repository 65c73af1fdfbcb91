import { isRecord } from "../oci/manifest.ts";
import type { Files, StoredLogin } from "../world.ts";

/** The parts of the user's own configuration that a build needs and that hold no credentials. */
const KEPT = ["currentContext", "proxies", "HttpHeaders", "features", "cliPluginsExtraDirs"] as const;

/** What of the user's buildx folder names his builders; the rest (build records, activity) is written by buildx and starts empty. */
const BUILDX_FOLDERS = ["instances", "defaults", "certs", "config"] as const;

/**
 * Makes a Docker configuration that holds only what this run needs, in a folder of its own. The user's own is read and never written.
 * @param logins per registry host as our client names it; the helper programs that they came from are not asked again.
 * @returns the variables that point docker and buildx to it.
 */
export async function isolateDockerConfiguration(
  files: Files,
  env: Readonly<Record<string, string>>,
  folder: string,
  logins: ReadonlyMap<string, StoredLogin>,
): Promise<Readonly<Record<string, string>>> {
  const own = env.DOCKER_CONFIG || `${env.HOME ?? ""}/.docker`;
  const before = await readConfiguration(files, `${own}/config.json`);
  const kept = Object.fromEntries(KEPT.flatMap((name) => (before[name] === undefined ? [] : [[name, before[name]]])));
  const extra = Array.isArray(before.cliPluginsExtraDirs) ? before.cliPluginsExtraDirs : [];
  const configuration = {
    ...kept,
    auths: Object.fromEntries(
      [...logins].map(([registry, login]) => [
        registry === "docker.io" ? "https://index.docker.io/v1/" : registry,
        asAuth(login),
      ]),
    ),
    cliPluginsExtraDirs: [`${own}/cli-plugins`, ...extra],
  };
  await files.write(`${folder}/config.json`, JSON.stringify(configuration), 0o600);
  if (await files.stat(`${own}/contexts`)) await files.makeLink(`${folder}/contexts`, `${own}/contexts`, { mtime: 0 });
  const buildx = env.BUILDX_CONFIG || `${own}/buildx`;
  await files.makeDirectory(`${folder}/buildx`, { mode: 0o700 });
  await copyFile(files, `${buildx}/current`, `${folder}/buildx/current`);
  for (const name of BUILDX_FOLDERS) await copyFolder(files, `${buildx}/${name}`, `${folder}/buildx/${name}`);
  return { DOCKER_CONFIG: folder, BUILDX_CONFIG: `${folder}/buildx` };
}

async function readConfiguration(files: Files, path: string): Promise<Record<string, unknown>> {
  const text = await files.readText(path);
  if (text === undefined) return {};
  try {
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? json : {};
  } catch {
    // Docker itself warns about a file that it cannot read and goes on without.
    return {};
  }
}

function asAuth(login: StoredLogin): Readonly<Record<string, string>> {
  if ("identityToken" in login) return { identitytoken: login.identityToken };
  if ("registryToken" in login) return { registrytoken: login.registryToken };
  const bytes = new TextEncoder().encode(`${login.username}:${login.password}`);
  return { auth: btoa(String.fromCharCode(...bytes)) };
}

async function copyFolder(files: Files, from: string, to: string): Promise<void> {
  const names = await files.list(from);
  if (names === undefined) return;
  await files.makeDirectory(to, { mode: 0o700 });
  for (const name of names) {
    const entry = await files.stat(`${from}/${name}`);
    if (entry?.kind === "directory") await copyFolder(files, `${from}/${name}`, `${to}/${name}`);
    else await copyFile(files, `${from}/${name}`, `${to}/${name}`);
  }
}

async function copyFile(files: Files, from: string, to: string): Promise<void> {
  const entry = await files.stat(from);
  if (entry?.kind === "file") await files.copy(from, to, { mode: 0o600, mtime: 0 });
}
