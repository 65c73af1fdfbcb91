import { credentialsIn, isAddress, isWord, passwordsIn, SHORTEST } from "../arguments/credentials.ts";
import { dockerFolder, readJson } from "../buildx/docker-folder.ts";
import { proxiesThatCount } from "../buildx/proxies.ts";
import { resolvePath } from "../devcontainer/paths.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { readJson as parseText } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";
import type { Files, Host, World } from "../world.ts";

/** Variables that are tokens on every host that has them, or that the programs of a build take for a login of theirs. */
const TOKENS: ReadonlySet<string> = new Set([
  ...["GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN"],
  ...["DOCKER_AUTH_CONFIG", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_ACCOUNT_KEY"],
]);

/** Whether a variable is a token by its name. What the runner gives its actions is all for them alone. */
export function isToken(name: string): boolean {
  return TOKENS.has(name) || name.startsWith("ACTIONS_");
}

/**
 * What every host of these actions shows to whoever sees a run, its pages, its images' labels.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/variables#default-environment-variables
 */
const SHOWN: readonly string[] = [
  ...["GITHUB_SHA", "GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_TYPE", "GITHUB_HEAD_REF", "GITHUB_BASE_REF"],
  ...["GITHUB_REPOSITORY", "GITHUB_REPOSITORY_ID", "GITHUB_REPOSITORY_OWNER", "GITHUB_REPOSITORY_OWNER_ID"],
  ...["GITHUB_ACTOR", "GITHUB_ACTOR_ID", "GITHUB_TRIGGERING_ACTOR", "GITHUB_EVENT_NAME", "GITHUB_JOB"],
  ...["GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "GITHUB_RUN_ATTEMPT", "GITHUB_WORKFLOW", "GITHUB_WORKFLOW_REF"],
  ...["GITHUB_WORKFLOW_SHA", "GITHUB_SERVER_URL", "GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "RUNNER_OS", "RUNNER_ARCH"],
];

/** Tells whether a value is one that the host shows: whoever hands the commit to a build as a secret keeps nothing secret by that. */
export function openShown(env: Host["env"]): (value: string) => boolean {
  const shown = new Set(SHOWN.flatMap((name) => env[name]?.trim() || []));
  return (value) => shown.has(value.trim());
}

/** A secret of the run, and how messages call it: where it comes from, never what it is. */
export type KnownSecret = { readonly name: string; readonly value: string };

/** Tells whether a text is one of the run's secrets, or holds one, as it is or encoded. */
export type HoldsSecret = (text: string) => boolean;

type Reading = { readonly inputs: Inputs; readonly workspace: string };
type Ports = { readonly files: Files; readonly host: Pick<Host, "env"> };

/**
 * Gathers everything that the run knows to be secret: tokens of the host, what the inputs hold or name, and the logins that
 * docker has on this machine.
 * Files that cannot be read are passed over here: who needs them says so.
 */
export async function knownSecrets(
  { inputs, workspace }: Reading,
  { files, host }: Ports,
): Promise<readonly KnownSecret[]> {
  const { secretTexts, dockerConfiguration, build, git } = inputs;
  const tokens = Object.entries(host.env).flatMap(([name, value]) =>
    isSecretToken(name) ? [{ name: `the variable ${name}`, value }] : [],
  );
  const named = build.secrets.flatMap(({ id, source }) =>
    source.kind === "env"
      ? [{ name: `the secret ${id} of the input build-secrets`, value: host.env[source.name] ?? "" }]
      : [],
  );
  const paths = [
    ...build.secrets.flatMap(({ id, source }) =>
      source.kind === "file" ? [{ name: `the secret ${id} of the input build-secrets`, path: source.written }] : [],
    ),
    ...build.ssh.flatMap(({ id, written }) =>
      written.map((path) => ({ name: `the key ${id} of the input ssh`, path })),
    ),
    ...(git?.key?.kind === "file" ? [{ name: "the key of git-ssh-private-key-path", path: git.key.value }] : []),
  ];
  const read = await Promise.all(
    paths.map(async ({ name, path }) => ({ name, value: await readQuietly(files, resolvePath(workspace, path)) })),
  );
  const own = await readJson(files, `${dockerFolder(host.env)}/config.json`).catch(() => undefined);
  const logins = [
    ...loginsOf(dockerConfiguration, "the input docker-config-base64"),
    ...loginsOf(own, "Docker's configuration on this machine"),
    ...tokens.flatMap(({ name, value }) => loginsOf(jsonOf(value), name)),
  ];
  const isShown = openShown(host.env);
  const ofBuilds = [...named, ...read].filter(({ value }) => !isShown(value));
  const inputTexts = secretTexts.map(({ input, value }) => ({ name: `the input ${input}`, value }));
  return [...tokens, ...inputTexts, ...logins, ...ofBuilds].filter(({ value }) => value !== "");
}

/** The passwords of the machine's proxies: whoever builds behind one may read its variable, and nobody publishes what stands in it. */
export async function proxyPasswords({ files, host }: Ports): Promise<readonly KnownSecret[]> {
  const variables = Object.entries(host.env).filter(([name]) => /^(?:https?|ftp|all)_proxy$/i.test(name));
  const configured = Object.values(await proxiesThatCount(files, host.env).catch(() => ({})));
  const proxies = [
    ...variables.map(([name, value]) => ({ name: `the variable ${name}`, value })),
    ...configured.map((value) => ({ name: "a proxy of Docker's configuration on this machine", value })),
  ];
  return proxies.flatMap(({ name, value }) =>
    passwordsIn(value.includes("://") ? value : `http://${value}`).map((password) => ({ name, value: password })),
  );
}

/** The tokens that a host or a workflow gives by variables. */
export function hostTokens(env: Host["env"]): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) => (isSecretToken(name) ? [value] : []));
}

/**
 * Hides everything that the run knows to be secret, before anything can repeat it. A plain word stays: it would be hidden in half the log.
 * @returns what tells of a text whether it holds one.
 */
export async function maskKnown(inputs: Inputs, world: Pick<World, "files" | "host" | "log">): Promise<HoldsSecret> {
  const workspace = resolvePath(world.host.workspace, inputs.workspaceFolder ?? ".");
  const known = await Promise.all([knownSecrets({ inputs, workspace }, world), proxyPasswords(world)]);
  const parts = known.flat().flatMap(({ value }) => credentialsIn(value));
  for (const part of new Set(parts)) if (!isWord(part) && !isAddress(part)) world.log.mask(part);
  return openSecrets(known.flat().map(({ value }) => value));
}

/** What stands in the runner's other variables, like its version, stands in many a harmless text. */
function isSecretToken(name: string): boolean {
  return TOKENS.has(name) || /^ACTIONS_.*TOKEN$/.test(name);
}

async function readQuietly(files: Files, path: string): Promise<string> {
  try {
    const real = await files.realPath(path);
    const isFile = real !== undefined && (await files.stat(real))?.kind === "file";
    return isFile ? ((await files.readText(real)) ?? "") : "";
  } catch {
    return "";
  }
}

function jsonOf(text: string): unknown {
  return text.startsWith("{") ? parseText(text) : undefined;
}

/** @see https://github.com/docker/cli/blob/v28.5.2/cli/config/types/authconfig.go */
function loginsOf(configuration: unknown, name: string): readonly KnownSecret[] {
  const auths = isRecord(configuration) && isRecord(configuration.auths) ? configuration.auths : {};
  return Object.values(auths).flatMap((login) => {
    if (!isRecord(login)) return [];
    const texts = [login.auth, login.password, login.identitytoken, login.registrytoken].flatMap((value) =>
      typeof value === "string" ? [value] : [],
    );
    const decoded = typeof login.auth === "string" ? passwordIn(login.auth) : [];
    return [...texts, ...decoded].map((value) => ({ name: `a login of ${name}`, value }));
  });
}

function passwordIn(auth: string): string[] {
  try {
    const decoded = new TextDecoder().decode(Uint8Array.from(atob(auth), (char) => char.charCodeAt(0)));
    return decoded.includes(":") ? [decoded.slice(decoded.indexOf(":") + 1)] : [];
  } catch {
    return [];
  }
}

/** What a configuration must not read: it is withheld where there is any doubt. */
export function openSecrets(values: readonly string[]): HoldsSecret {
  const parts = values.flatMap(credentialsIn).filter((part) => !isTrivial(part));
  const whole = new Set(parts);
  const forms = [...whole].filter(({ length }) => length >= SHORTEST).flatMap(formsOf);
  return (text) => whole.has(text.trim()) || forms.some((form) => text.includes(form));
}

/** `true`, `1`, `main`: whoever has that for a secret has none. */
function isTrivial(text: string): boolean {
  return text.length < SHORTEST && isWord(text);
}

/** Names the secret that a text holds, or that one of the values in it is. */
export type FindSecret = (text: string, values: readonly string[]) => string | undefined;

export type Search = {
  /** Whether a word stands in the names that the configuration itself makes public. */
  readonly isPublic: (word: string) => boolean;
  /** Everything that will be asked about: what is nowhere in it is not looked for text by text. */
  readonly all?: string;
};

/**
 * What must not be published: only what can be nothing but the secret. A single plain word, which may well be meant otherwise, has to be a
 * value as a whole, and so has what is short; an address without a login is no secret.
 */
export function openFinder(secrets: readonly KnownSecret[], { isPublic, all }: Search): FindSecret {
  const parts = new Map(
    secrets.flatMap(({ name, value }) => credentialsIn(value).map((part) => [part, name] as const)).reverse(),
  );
  const counted = [...parts].filter(([part]) => !isTrivial(part) && !isAddress(part));
  const isLong = (part: string): boolean => part.length >= SHORTEST && !isWord(part);
  const whole = new Map(counted.filter(([part]) => isLong(part) || !(isWord(part) && isPublic(part))));
  const forms = counted
    .filter(([part]) => isLong(part))
    .flatMap(([part, name]) => formsOf(part).map((form) => [form, name] as const))
    .filter(([form]) => all === undefined || all.includes(form));
  return (text, values) => {
    const [, within] = forms.find(([form]) => text.includes(form)) ?? [];
    return within ?? values.map((value) => whole.get(value.trim())).find((name) => name !== undefined);
  };
}

/** Characters. Nobody writes out a whole keystore in another form. */
const LONGEST_ENCODED = 16 * 1024;

/** By its digest, every file that would hold a secret and nothing else, the secret's own file among them. */
export function secretContents(secrets: readonly KnownSecret[]): ReadonlyMap<Digest, string> {
  const counted = secrets.filter(({ value }) =>
    credentialsIn(value).some((part) => part.length >= SHORTEST && !isWord(part)),
  );
  return new Map(
    counted.flatMap(({ name, value }) =>
      [value, value.trim(), `${value.trim()}\n`].map((content) => [digestOf(content), name] as const),
    ),
  );
}

/** A text as it stands in an address, in JSON, and anywhere in what is encoded in base64, as in the header of a basic login. */
function formsOf(secret: string): string[] {
  if (secret.length > LONGEST_ENCODED) return [secret];
  const bytes = new TextEncoder().encode(secret);
  const encoded = [0, 1, 2].map((shift) => {
    const shifted = String.fromCharCode(...new Uint8Array(shift), ...bytes);
    // The first and the last characters depend on the neighbours too.
    return btoa(shifted).slice([0, 2, 3][shift], Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const escaped = encodeURIComponent(secret.replaceAll(/\p{Cs}/gu, "\uFFFD"));
  // Some libraries escape in small letters.
  const small = escaped.replaceAll(/%[\dA-F]{2}/g, (one) => one.toLowerCase());
  return [
    ...[secret, escaped, small, JSON.stringify(secret).slice(1, -1)],
    ...encoded.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]),
  ];
}
