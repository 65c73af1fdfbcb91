import { ActionError } from "../errors.ts";
import { isRecord } from "../oci/manifest.ts";
import type { Exec, StoredLogin } from "../world.ts";

/** What of Docker's config.json says how to log in. @see https://github.com/docker/cli/blob/v28.5.2/cli/config/configfile/file.go */
export type DockerConfiguration = {
  /** How messages name it. */
  readonly source: string;
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: string | undefined;
  /** What in it is of no use, by its key and without its content. */
  readonly wrong: readonly string[];
};

/** Docker Hub goes by many names; the first is the one under which docker itself stores its login. */
const HUB_KEY = "https://index.docker.io/v1/";
const HUB_NAMES = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];
const HELPER_TIMEOUT = 10_000;

/**
 * Reads the input docker-config-base64.
 * @throws ActionError E_INPUT without a word of its content.
 */
export function decodeDockerConfiguration(base64: string): DockerConfiguration {
  const configuration = readDockerConfiguration(decodeBase64(base64.replace(/\s+/g, "")), "docker-config-base64");
  if (configuration) return configuration;
  throw new ActionError("E_INPUT", {
    what: "The input docker-config-base64 is not the base64 form of a Docker configuration.",
    fix: "Make it with: base64 -w0 < ~/.docker/config.json",
  });
}

/** Reads the JSON of a configuration; `undefined` where it is no JSON object. */
export function readDockerConfiguration(text: string | undefined, source: string): DockerConfiguration | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  if (!isRecord(json)) return undefined;
  const { auths = {}, credHelpers = {}, credsStore = "" } = json;
  const wrong = [
    ...(isRecord(auths) ? [] : ["auths"]),
    ...(isRecord(credHelpers) ? [] : ["credHelpers"]),
    ...(typeof credsStore === "string" ? [] : ["credsStore"]),
  ];
  return {
    source,
    auths: isRecord(auths) ? auths : {},
    credHelpers: isRecord(credHelpers) ? credHelpers : {},
    credsStore: isText(credsStore) ? credsStore : undefined,
    wrong,
  };
}

/** Padded or not: both are found in configurations. */
function decodeBase64(base64: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

export type Asking = {
  readonly exec: Exec;
  readonly warn: (line: string) => void;
};

/**
 * Looks a registry's login up as docker does: the registry's own helper, else the store, else the file; and, unlike docker, in the file
 * too where a helper knows nothing.
 */
export async function loginFrom(
  configuration: DockerConfiguration,
  registry: string,
  { exec, warn }: Asking,
): Promise<StoredLogin | undefined> {
  const { source, credHelpers, credsStore } = configuration;
  for (const key of configuration.wrong) warn(`${source}: "${key}" is not what docker writes there, and is not used.`);
  // buildx takes the login of Docker Hub to the host of its API too: https://github.com/moby/buildkit/blob/v0.34.2/session/auth/authprovider
  const isHub = registry === "docker.io" || registry === "registry-1.docker.io";
  const names = isHub ? [HUB_KEY, ...HUB_NAMES] : [registry];
  const own = names.map((name) => credHelpers[name]).find(isText);
  const helper = own ?? credsStore;
  const server = isHub ? HUB_KEY : registry;
  const stored = helper === undefined ? undefined : await askHelper({ helper, server, source }, { exec, warn });
  return stored ?? loginOfFile(configuration, names, warn);
}

/** @see https://github.com/docker/cli/blob/v28.5.2/cli/config/credentials/file_store.go */
function loginOfFile(
  { auths, source }: DockerConfiguration,
  names: readonly string[],
  warn: (line: string) => void,
): StoredLogin | undefined {
  const entries = Object.entries(auths);
  const exact = names.flatMap((name) => entries.filter(([key]) => key === name));
  const [key, entry] = exact[0] ?? entries.find(([written]) => names.includes(hostOf(written))) ?? [];
  if (key === undefined) return undefined;
  // An empty entry says that the login is in the store, which has been asked.
  if (isRecord(entry) && Object.keys(entry).length === 0) return undefined;
  const login = isRecord(entry) ? readEntry(entry) : undefined;
  if (!login) warn(`${source}: the entry auths["${key}"] holds no login that can be read.`);
  return login;
}

function readEntry(entry: Readonly<Record<string, unknown>>): StoredLogin | undefined {
  if (isText(entry.identitytoken)) return { identityToken: entry.identitytoken };
  if (isText(entry.registrytoken)) return { registryToken: entry.registrytoken };
  const auth = isText(entry.auth) ? (decodeBase64(entry.auth.trim()) ?? "").replace(/\0+$/, "") : "";
  const colon = auth.indexOf(":");
  if (colon > 0) return { username: auth.slice(0, colon), password: auth.slice(colon + 1) };
  return isText(entry.username) && isText(entry.password)
    ? { username: entry.username, password: entry.password }
    : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Keys are hosts, or addresses of older logins. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
}

type Question = { readonly helper: string; readonly server: string; readonly source: string };

/**
 * Asks a credential helper. That one is missing, hangs or talks nonsense is told and no reason to end: the registry may be public.
 * @see https://github.com/docker/docker-credential-helpers/blob/v0.9.4/client/client.go
 */
async function askHelper(
  { helper, server, source }: Question,
  { exec, warn }: Asking,
): Promise<StoredLogin | undefined> {
  const program = `docker-credential-${helper}`;
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) {
    warn(`${source} names a credential helper that is no program's name: it is not asked.`);
    return undefined;
  }
  const failed = { code: 1, stdout: "", stderr: "" };
  const answer = await exec(program, ["get"], { input: server, timeout: HELPER_TIMEOUT }).catch(() => failed);
  if (answer === undefined) warn(`${source} names the credential helper ${program}, which is not on PATH.`);
  // A helper says on standard output that it knows nothing, and nothing of what it says may be shown.
  else if (answer.code !== 0 && !/not found/i.test(answer.stdout))
    warn(`${program} (named by ${source}) failed for ${server}, or took longer than ${HELPER_TIMEOUT / 1000} s.`);
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
