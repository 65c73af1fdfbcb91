import type { Repository } from "../oci/reference.ts";
import type { Files, StoredLogin } from "../world.ts";
import { readRecord } from "./builder-record.ts";
import { dockerFolder, readJson } from "./docker-folder.ts";
import { proxiesThatCount } from "./proxies.ts";

type Environment = Readonly<Record<string, string>>;

/** A repository of the build, and the login that our own client uses for it; `undefined` where it asks without one. */
export type KnownLogin = { readonly name: Repository; readonly login: StoredLogin | undefined };

/** The parts of the user's own configuration that a build needs and that hold no credentials. */
const KEPT = ["currentContext", "HttpHeaders", "features"] as const;

/**
 * What of the user's buildx folder names his builders. The rest (build records, activity) is written by buildx and starts empty; the logins
 * in `config` are among those that were looked up. His name for this machine (`.buildNodeID`) stays away: by that BuildKit knows what it was
 * sent before, and whoever was there before could have sent other content of the same look.
 */
const BUILDX_FOLDERS = ["instances", "defaults", "certs"] as const;

/** Docker's client looks for a helper program of its own accord where its file has no entry at all. The name can belong to nobody. */
const NOBODY = { "nobody.invalid": {} };

/**
 * Makes a Docker configuration that holds only what this run needs, in a folder of its own. The user's own is read and never written.
 * @param logins the first one of a registry counts for the whole of it, so what is pushed to comes first; where another repository of the
 * registry has another login or none, it gets a scoped folder as buildx 0.31 and newer read them. The helper programs that they came from are not
 * asked again.
 * @returns the variables that point docker and buildx to it.
 * @see https://docs.docker.com/build/building/registry-auth/
 */
export async function isolateDockerConfiguration(
  files: Files,
  env: Environment,
  folder: string,
  logins: readonly KnownLogin[],
): Promise<Environment> {
  const own = dockerFolder(env);
  const before = (await readJson(files, `${own}/config.json`)) ?? {};
  const kept = Object.fromEntries(KEPT.flatMap((name) => (before[name] === undefined ? [] : [[name, before[name]]])));
  const extra = Array.isArray(before.cliPluginsExtraDirs) ? before.cliPluginsExtraDirs : [];
  const { general, scoped } = sortLogins(logins);
  const proxies = await proxiesThatCount(files, env);
  const configuration = {
    ...kept,
    ...(Object.keys(proxies).length === 0 ? {} : { proxies: { default: proxies } }),
    auths: formatAuths(general),
    cliPluginsExtraDirs: [`${own}/cli-plugins`, ...extra],
  };
  await files.write(`${folder}/config.json`, JSON.stringify(configuration), 0o600);
  if ((await isOpen(files, own)) && (await files.stat(`${own}/contexts`)))
    await files.makeLink(`${folder}/contexts`, `${own}/contexts`, { mtime: 0 });
  await files.makeDirectory(`${folder}/buildx`, { mode: 0o700 });
  await copyBuildxFolder(files, buildxFolder(env), `${folder}/buildx`);
  for (const one of scoped) {
    const path = `${folder}/buildx/config/${hubHost(one.name.registry)}/${one.name.repository}/config.json`;
    await files.write(path, JSON.stringify({ auths: formatAuths([one]) }), 0o600);
  }
  return {
    DOCKER_CONFIG: folder,
    BUILDX_CONFIG: `${folder}/buildx`,
    // Logins in this variable would count before all others.
    DOCKER_AUTH_CONFIG: "",
    ...certificatePath(env, own),
  };
}

/** Docker looks for the certificates of a TLS engine beside its configuration, unless it is told where they are. */
function certificatePath(env: Environment, own: string): Environment {
  const speaksTls = Boolean(env.DOCKER_TLS_VERIFY || env.DOCKER_TLS);
  return speaksTls && !env.DOCKER_CERT_PATH ? { DOCKER_CERT_PATH: own } : {};
}

/**
 * Whether a builder that the build may use belongs to Docker's own cloud: it is opened with the login for Docker Hub, wherever the images
 * are.
 * @param names the builders that the inputs name; the current one is looked at as well.
 */
export async function needsHubLogin(files: Files, env: Environment, names: readonly string[]): Promise<boolean> {
  const records = { files, env: { ...env, BUILDX_CONFIG: buildxFolder(env) } };
  if (!(await isOpen(files, `${buildxFolder(env)}/instances`))) return false;
  const current = (await readJson(files, `${buildxFolder(env)}/current`))?.Name;
  for (const name of [...names, env.BUILDX_BUILDER, current])
    if (typeof name === "string" && (await readRecord(name, records))?.driver === "cloud") return true;
  return false;
}

function buildxFolder(env: Environment): string {
  return env.BUILDX_CONFIG || `${dockerFolder(env)}/buildx`;
}

/** The first login of each registry, and the repositories that are opened with another one, or with none. */
function sortLogins(logins: readonly KnownLogin[]): Readonly<Record<"general" | "scoped", readonly KnownLogin[]>> {
  const firstOf = ({ name }: KnownLogin): KnownLogin | undefined =>
    logins.find((one) => one.login !== undefined && one.name.registry === name.registry);
  const general = logins.filter((one) => firstOf(one) === one);
  const scoped = logins.filter((one) => JSON.stringify(firstOf(one)?.login) !== JSON.stringify(one.login));
  return { general, scoped };
}

/** Logins in the form of the member `auths` of a Docker configuration. */
export function formatAuths(logins: readonly KnownLogin[]): Readonly<Record<string, unknown>> {
  const auths = logins.flatMap(({ name, login }) => {
    const key = hubHost(name.registry) === "registry-1.docker.io" ? "https://index.docker.io/v1/" : name.registry;
    return login === undefined ? [] : [[key, asAuth(login)] as const];
  });
  return auths.length === 0 ? NOBODY : Object.fromEntries(auths);
}

/** Docker Hub's folders are named by the host of its API. */
function hubHost(registry: string): string {
  return registry === "docker.io" ? "registry-1.docker.io" : registry;
}

function asAuth(login: StoredLogin): Readonly<Record<string, string>> {
  if ("identityToken" in login) return { identitytoken: login.identityToken };
  if ("registryToken" in login) return { registrytoken: login.registryToken };
  const bytes = new TextEncoder().encode(`${login.username}:${login.password}`);
  return { auth: btoa(String.fromCharCode(...bytes)) };
}

/** One that another user has made, as `sudo docker` does, says nothing to this one: docker itself goes on without, too. */
async function isOpen(files: Pick<Files, "stat">, folder: string): Promise<boolean> {
  return files.stat(`${folder}/.`).then(
    () => true,
    () => false,
  );
}

async function copyBuildxFolder(files: Files, from: string, to: string): Promise<void> {
  if (!(await isOpen(files, from))) return;
  await copyFile(files, `${from}/current`, `${to}/current`);
  for (const name of BUILDX_FOLDERS)
    if (await isOpen(files, `${from}/${name}`)) await copyFolder(files, `${from}/${name}`, `${to}/${name}`);
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
