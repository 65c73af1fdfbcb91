import { ActionError } from "../errors.ts";
import { isRecord } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import type { Exec, Files, StoredLogin } from "../world.ts";

type FindLogin = (name: Repository) => Promise<StoredLogin | undefined>;

export type CredentialOptions = {
  readonly files: Files;
  readonly exec: Exec;
  readonly env: Readonly<Record<string, string>>;
  /** The inputs' own login, and the host that it is for. */
  readonly given: { readonly registry: string; readonly login: StoredLogin } | undefined;
  /** The input docker-config-base64, decoded to a Docker configuration. */
  readonly configuration: DockerConfiguration | undefined;
  readonly mask: (secret: string) => void;
  readonly warn: (line: string) => void;
};

/** What of Docker's config.json says how to log in. */
export type DockerConfiguration = {
  /** How messages name it. */
  readonly source: string;
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: string | undefined;
};

/** Docker Hub goes by many names; this is the one under which docker itself stores its login. */
const HUB_KEY = "https://index.docker.io/v1/";
const HUB_NAMES = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];
const HELPER_TIMEOUT = 10_000;

/**
 * Opens the logins of a run, asked in this order, the first that knows something counts: the inputs, the input docker-config-base64,
 * buildx's scoped folders, Docker's own configuration, and the job's token for ghcr.io and the job's own host. Each registry is looked
 * up once, and every secret is masked as soon as it is known.
 */
export function openCredentials(options: CredentialOptions): FindLogin {
  const { env, given, configuration } = options;
  const docker = once(() => readDockerConfiguration(`${dockerFolder(env)}/config.json`, options));
  const sources: readonly FindLogin[] = [
    async ({ registry }) => (given?.registry === registry ? given.login : undefined),
    async (name) => (configuration ? loginFrom(configuration, name, options) : undefined),
    (name) => scopedLogin(name, options),
    async (name) => {
      const found = await docker();
      return found ? loginFrom(found, name, options) : undefined;
    },
    async ({ registry }) => jobLogin(registry, env),
  ];
  const known = new Map<string, Promise<StoredLogin | undefined>>();
  const ask: FindLogin = async (name) => {
    for (const source of sources) {
      const login = await source(name);
      if (!login) continue;
      maskLogin(login, options.mask);
      return login;
    }
    return undefined;
  };
  return (name) => {
    const key = `${name.registry}/${name.repository}`;
    const login = known.get(key) ?? ask(name);
    known.set(key, login);
    return login;
  };
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

function dockerFolder(env: Readonly<Record<string, string>>): string {
  return env.DOCKER_CONFIG || `${env.HOME ?? ""}/.docker`;
}

/** The base64 form of a Basic login is as good as the login. */
function maskLogin(login: StoredLogin, mask: (secret: string) => void): void {
  if ("identityToken" in login) mask(login.identityToken);
  else if ("registryToken" in login) mask(login.registryToken);
  else for (const secret of [login.password, encodeBase64(`${login.username}:${login.password}`)]) mask(secret);
}

function encodeBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/**
 * Reads the input docker-config-base64.
 * @throws ActionError E_INPUT without a word of its content.
 */
export function decodeDockerConfiguration(base64: string): DockerConfiguration {
  const configuration = asConfiguration(decodeBase64(base64.replace(/\s+/g, "")), "docker-config-base64");
  if (configuration) return configuration;
  throw new ActionError("E_INPUT", {
    what: "The input docker-config-base64 is not the base64 form of a Docker configuration.",
    fix: "Make it with: base64 -w0 < ~/.docker/config.json",
  });
}

/** Padded or not: both are found in configurations. */
function decodeBase64(base64: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function asConfiguration(text: string | undefined, source: string): DockerConfiguration | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  if (!isRecord(json)) return undefined;
  return {
    source,
    auths: isRecord(json.auths) ? json.auths : {},
    credHelpers: isRecord(json.credHelpers) ? json.credHelpers : {},
    credsStore: typeof json.credsStore === "string" && json.credsStore !== "" ? json.credsStore : undefined,
  };
}

async function readDockerConfiguration(
  path: string,
  { files, warn }: CredentialOptions,
): Promise<DockerConfiguration | undefined> {
  const text = await files.readText(path);
  if (text === undefined) return undefined;
  const configuration = asConfiguration(text, path);
  if (!configuration) warn(`${path} is no JSON object: its logins are not used.`);
  return configuration;
}

/**
 * buildx's folders for one registry, one repository or one scope, made by docker/login-action's `scope`: the longest path counts.
 * @see https://docs.docker.com/build/building/registry-auth/
 */
async function scopedLogin(name: Repository, options: CredentialOptions): Promise<StoredLogin | undefined> {
  const root = `${options.env.BUILDX_CONFIG || `${dockerFolder(options.env)}/buildx`}/config`;
  const segments = [name.registry, ...name.repository.split("/")];
  for (let length = segments.length; length > 0; length--) {
    const parent = [root, ...segments.slice(0, length - 1)].join("/");
    const last = segments[length - 1] ?? "";
    const names = (await options.files.list(parent)) ?? [];
    for (const folder of names.filter((one) => one === last || one.startsWith(`${last}@`)).reverse()) {
      const configuration = await readDockerConfiguration(`${parent}/${folder}/config.json`, options);
      const login = configuration ? await loginFrom(configuration, name, options) : undefined;
      if (login) return login;
    }
  }
  return undefined;
}

/** As docker does: the registry's own helper, else the store, else the file; and the file where a helper knows nothing. */
async function loginFrom(
  configuration: DockerConfiguration,
  { registry }: Repository,
  options: CredentialOptions,
): Promise<StoredLogin | undefined> {
  const names = registry === "docker.io" ? [HUB_KEY, ...HUB_NAMES] : [registry];
  const own = names
    .map((name) => configuration.credHelpers[name])
    .find((helper) => typeof helper === "string" && helper !== "");
  const helper = typeof own === "string" ? own : configuration.credsStore;
  const stored =
    helper === undefined
      ? undefined
      : await askHelper(helper, registry === "docker.io" ? HUB_KEY : registry, configuration, options);
  return stored ?? loginOfFile(configuration, names, options.warn);
}

function loginOfFile(
  configuration: DockerConfiguration,
  names: readonly string[],
  warn: (line: string) => void,
): StoredLogin | undefined {
  const entries = Object.entries(configuration.auths);
  const [key, entry] =
    entries.find(([name]) => names.includes(name)) ?? entries.find(([name]) => names.includes(hostOf(name))) ?? [];
  // An empty entry says that the login is in the store, which has been asked.
  if (key === undefined || !isRecord(entry) || Object.keys(entry).length === 0) return undefined;
  if (isText(entry.identitytoken)) return { identityToken: entry.identitytoken };
  if (isText(entry.registrytoken)) return { registryToken: entry.registrytoken };
  const auth = isText(entry.auth) ? (decodeBase64(entry.auth) ?? "").replace(/\0+$/, "") : undefined;
  const colon = auth?.indexOf(":") ?? -1;
  if (auth !== undefined && colon > 0) return { username: auth.slice(0, colon), password: auth.slice(colon + 1) };
  if (isText(entry.username) && isText(entry.password)) return { username: entry.username, password: entry.password };
  warn(`${configuration.source}: the entry auths["${key}"] holds no login that can be read.`);
  return undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Keys are hosts, or addresses of older logins. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
}

/**
 * Asks a credential helper. That one is missing, hangs or talks nonsense is told and no reason to end: the registry may be public.
 * @see https://github.com/docker/docker-credential-helpers
 */
async function askHelper(
  helper: string,
  server: string,
  { source }: DockerConfiguration,
  { exec, warn }: CredentialOptions,
): Promise<StoredLogin | undefined> {
  const program = `docker-credential-${helper}`;
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) {
    warn(`${source} names a credential helper that is no program's name: it is not asked.`);
    return undefined;
  }
  const answer = await exec(program, ["get"], { input: server, timeout: HELPER_TIMEOUT });
  if (answer === undefined) warn(`${source} names the credential helper ${program}, which is not on PATH.`);
  // A helper says on standard output that it knows nothing, and nothing of what it says may be shown.
  else if (answer.code !== 0 && !/not found/i.test(answer.stdout))
    warn(`${program} (named by ${source}) failed for ${server}.`);
  if (answer?.code !== 0) return undefined;
  const login = readHelperAnswer(answer.stdout);
  if (!login) warn(`${program} (named by ${source}) gave an answer for ${server} that cannot be read.`);
  return login;
}

function readHelperAnswer(stdout: string): StoredLogin | undefined {
  let json: unknown;
  try {
    json = JSON.parse(stdout);
  } catch {
    return undefined;
  }
  if (!isRecord(json) || !isText(json.Secret) || typeof json.Username !== "string") return undefined;
  return json.Username === "<token>"
    ? { identityToken: json.Secret }
    : { username: json.Username, password: json.Secret };
}

/** The job's own token opens the registry of its own host. */
function jobLogin(registry: string, env: Readonly<Record<string, string>>): StoredLogin | undefined {
  const username = env.GITHUB_ACTOR || "token";
  const server =
    env.GITHUB_SERVER_URL !== undefined && URL.canParse(env.GITHUB_SERVER_URL)
      ? new URL(env.GITHUB_SERVER_URL).host
      : undefined;
  const isGitHub = server === undefined || server === "github.com";
  if (registry === "ghcr.io" && isGitHub && env.GITHUB_TOKEN) return { username, password: env.GITHUB_TOKEN };
  const token = env.GITEA_TOKEN || env.FORGEJO_TOKEN || env.GITHUB_TOKEN;
  return server !== undefined && !isGitHub && registry === server && token ? { username, password: token } : undefined;
}
