import { dockerFolder, readJson } from "../buildx/docker-folder.ts";
import { resolvePath } from "../devcontainer/paths.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { isRecord } from "../oci/manifest.ts";
import type { Files, Host } from "../world.ts";

/** Variables that are tokens on every host that has them, or that the programs of a build take for a login of theirs. */
const TOKENS: ReadonlySet<string> = new Set([
  ...["GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN"],
  ...["DOCKER_AUTH_CONFIG", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_ACCOUNT_KEY"],
]);

/** Whether a variable is a token by its name. What the runner gives its actions is all for them alone. */
export function isToken(name: string): boolean {
  return TOKENS.has(name) || name.startsWith("ACTIONS_");
}

/** Shorter ones are in too many harmless values. */
const SHORTEST = 8;

/** Tells whether a text is one of the run's secrets, or holds one, as it is or encoded. */
export type HoldsSecret = (text: string) => boolean;

type Reading = { readonly inputs: Inputs; readonly workspace: string };

/**
 * Gathers everything that the run knows to be secret: tokens of the host, what the inputs hold or name, and the logins that
 * docker has on this machine.
 * Files that cannot be read are passed over here: who needs them says so.
 */
export async function knownSecrets(
  { inputs, workspace }: Reading,
  { files, host }: { readonly files: Files; readonly host: Pick<Host, "env"> },
): Promise<HoldsSecret> {
  const { secretTexts, dockerConfiguration, build, git } = inputs;
  const named = build.secrets.flatMap(({ source }) => (source.kind === "env" ? [host.env[source.name] ?? ""] : []));
  const paths = [
    ...build.secrets.flatMap(({ source }) => (source.kind === "file" ? [source.written] : [])),
    ...build.ssh.flatMap(({ written }) => written),
    ...(git?.key?.kind === "file" ? [git.key.value] : []),
  ];
  const read = await Promise.all(paths.map((path) => readQuietly(files, resolvePath(workspace, path))));
  const tokens = Object.entries(host.env).flatMap(([name, value]) => (isSecretToken(name) ? [value] : []));
  const own = await readJson(files, `${dockerFolder(host.env)}/config.json`).catch(() => undefined);
  const auths = [dockerConfiguration?.auths, own?.auths].filter(isRecord);
  const logins = auths.flatMap(secretsOfLogins);
  return openSecrets([...tokens, ...secretTexts, ...logins, ...named, ...read.flatMap((text) => text ?? [])]);
}

/** What stands in the runner's other variables, like its version, stands in many a harmless text. */
function isSecretToken(name: string): boolean {
  return TOKENS.has(name) || /^ACTIONS_.*TOKEN$/.test(name);
}

async function readQuietly(files: Files, path: string): Promise<string | undefined> {
  try {
    const real = await files.realPath(path);
    const isFile = real !== undefined && (await files.stat(real))?.kind === "file";
    return isFile ? await files.readText(real) : undefined;
  } catch {
    return undefined;
  }
}

/** @see https://github.com/docker/cli/blob/v28.5.2/cli/config/types/authconfig.go */
function secretsOfLogins(auths: Readonly<Record<string, unknown>>): string[] {
  return Object.values(auths).flatMap((login) => {
    if (!isRecord(login)) return [];
    const texts = [login.auth, login.password, login.identitytoken, login.registrytoken].flatMap((value) =>
      typeof value === "string" ? [value] : [],
    );
    return typeof login.auth === "string" ? [...texts, ...passwordIn(login.auth)] : texts;
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

/** A secret of several lines counts line by line too: a variable may hold the one that matters. */
export function openSecrets(values: readonly string[]): HoldsSecret {
  const whole = new Set(values.map((value) => value.trim()).filter((value) => value !== ""));
  const parts = [...whole].flatMap((value) => [value, ...value.split(/\r?\n/).map((line) => line.trim())]);
  const forms = [...new Set(parts.filter(({ length }) => length >= SHORTEST))].flatMap(formsOf);
  return (text) => whole.has(text.trim()) || forms.some((form) => text.includes(form));
}

/** A text as it stands in an address, in JSON, and anywhere in what is encoded in base64, as in the header of a basic login. */
function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const encoded = [0, 1, 2].map((shift) => {
    const shifted = String.fromCharCode(...new Uint8Array(shift), ...bytes);
    // The first and the last characters depend on the neighbours too.
    return btoa(shifted).slice([0, 2, 3][shift], Math.floor(((shift + bytes.length) * 8) / 6));
  });
  return [
    ...[secret, encodeURIComponent(secret.replaceAll(/\p{Cs}/gu, "\uFFFD")), JSON.stringify(secret).slice(1, -1)],
    ...encoded.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]),
  ];
}
