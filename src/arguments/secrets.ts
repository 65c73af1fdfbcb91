import { joinFields, splitFields } from "../buildx/csv.ts";
import { ActionError, type Place, tellSlip } from "../errors.ts";
import { secretFormIn } from "./like-secret.ts";
import { type Checkout, locate, type Named, refusePath, tellWho } from "./locate.ts";

/** A secret of the build as it is written: where it is, never what it is. `at`: the place of one that the configuration names. */
export type Secret = {
  readonly id: string;
  readonly at?: Place;
  readonly source: Variable | { readonly kind: "file"; readonly written: string };
};

/** A secret that is there; `path` is absolute. */
export type FoundSecret = {
  readonly id: string;
  readonly source: Variable | { readonly kind: "file"; readonly path: string };
};

type Variable = { readonly kind: "env"; readonly name: string };

const INPUT = "build-secrets";

/**
 * Reads the input build-secrets, one secret a line:
 *
 * - `id=npm,env=NPM_TOKEN` and `id=npm,src=path/of/file`, as `docker buildx build --secret` takes them (also `type`, `source`, and
 *   quotation marks around a field with a comma);
 * - `npm=NPM_TOKEN`, the short form of the first, as in docker/build-push-action's secret-envs;
 * - `id=NPM_TOKEN`: the variable has the secret's own name.
 *
 * @throws E_INPUT naming the line. No message repeats one: who mistakes the input for docker/build-push-action's `secrets` has written
 * the secret itself into it.
 * @see https://github.com/docker/buildx/blob/v0.36.1/util/buildflags/secrets.go
 */
export function parseSecrets(text: string): readonly Secret[] {
  const secrets = text.split("\n").flatMap((written, index) => {
    const line = written.trim();
    if (line === "") return [];
    const secret = parseSecret(line);
    if (!("wrong" in secret)) return [secret];
    throw new ActionError("E_INPUT", {
      what: `Line ${index + 1} of the input ${INPUT} is no secret: ${secret.wrong}.`,
      fix: "Write id=npm,env=NPM_TOKEN, short npm=NPM_TOKEN, or id=npm,src=path/of/file. The value itself goes into a variable of the step (env:).",
    });
  });
  const first = new Map(secrets.toReversed().map((secret) => [secret.id, secret]));
  const repeated = secrets.find((secret) => first.get(secret.id) !== secret);
  if (repeated)
    throw new ActionError("E_INPUT", {
      what: `The input ${INPUT} holds the secret ${repeated.id} twice.`,
      fix: "Leave one of the two out.",
    });
  return secrets;
}

const KEYS: ReadonlySet<string> = new Set(["id", "env", "src", "type"]);

function parseSecret(line: string): Secret | { readonly wrong: string } {
  const fields = splitFields(line)?.map(splitField);
  if (!fields) return { wrong: "a quotation mark stands alone" };
  const [first] = fields;
  if (first && fields.length === 1 && !KEYS.has(first.key)) return shortSecret(first);
  const keys = new Map(fields.map(({ key, value }) => [key, value]));
  if (fields.some(({ key, value }) => !KEYS.has(key) || !value))
    return { wrong: "each part has to be id=…, env=…, src=… or type=…" };
  if (keys.size < fields.length) return { wrong: "a part is there twice" };
  return longSecret(keys);
}

/** `key` as docker means it: in lower case, and `src` for `source`. */
type Field = { readonly key: string; readonly written: string; readonly value: string | undefined };

function splitField(field: string): Field {
  const end = field.indexOf("=");
  const written = (end < 0 ? field : field.slice(0, end)).trim();
  const key = written.toLowerCase() === "source" ? "src" : written.toLowerCase();
  return { key, written, value: end < 0 ? undefined : field.slice(end + 1).trim() };
}

/** What stands behind the `=` may be the secret itself: it has to look like a variable's name here, and be one later. */
function shortSecret({ written, value }: Field): Secret | { readonly wrong: string } {
  if (value === undefined) return { wrong: "it has no =" };
  if (!isId(written)) return { wrong: WRONG_ID };
  return fromVariable(written, value);
}

function longSecret(keys: ReadonlyMap<string, string | undefined>): Secret | { readonly wrong: string } {
  const [id, type, env, src] = [keys.get("id"), keys.get("type"), keys.get("env"), keys.get("src")];
  if (id === undefined) return { wrong: "it has no id" };
  if (!isId(id)) return { wrong: WRONG_ID };
  if (type !== undefined && type !== "env" && type !== "file") return { wrong: "its type is neither env nor file" };
  if (env !== undefined && src !== undefined) return { wrong: "it names both a variable and a file" };
  if (type === "file" && src === undefined) return { wrong: "its type is file, and it names none" };
  if (src === undefined || type === "env") return fromVariable(id, env ?? src ?? id);
  return { id, source: { kind: "file", written: src } };
}

const WRONG_ID = "an id is made of letters, digits and _ . @ : / -";

function isId(text: string): boolean {
  return /^[\w.@:/-]+$/.test(text);
}

function fromVariable(id: string, name: string): Secret | { readonly wrong: string } {
  if (!/^[A-Za-z_]\w*$/.test(name)) return { wrong: "it does not name a variable where one has to stand" };
  // Some tokens could be names, and what is no variable would be told by its name.
  const form = secretFormIn(name);
  if (form !== undefined) return { wrong: `what looks like ${form} stands where a variable's name has to` };
  return { id, source: { kind: "env", name } };
}

/** BuildKit takes no more: session/secrets/secretsprovider/secretsprovider.go (MaxSecretSize) */
const LARGEST_SECRET = 500 * 1024;

/**
 * Makes sure that every secret is there: buildx takes an unset variable for an empty secret, and says nothing.
 * @throws E_INPUT for a variable that is not set or empty, and for a file that is missing, too large, or outside the workspace.
 */
export async function findSecrets(
  secrets: readonly Secret[],
  { environment, ...checkout }: Checkout & { readonly environment: Readonly<Record<string, string>> },
): Promise<readonly FoundSecret[]> {
  const find = async ({ id, source, at }: Secret): Promise<FoundSecret> => {
    const who = { input: INPUT, ...(at ? { at } : {}) };
    if (source.kind === "file")
      return { id, source: { kind: "file", path: await findFile({ ...who, path: source.written }, checkout) } };
    const value = Object.hasOwn(environment, source.name) ? environment[source.name] : undefined;
    if (!value)
      throw new ActionError("E_INPUT", {
        what: `${tellWho(who)} takes the secret ${id} from the variable ${source.name}, which is ${value === undefined ? "not set" : "empty"} in this step.`,
        fix: "Set that variable under env: of this step. What a run may not read is empty: a fork's pull request gets no secrets.",
        ...(at ? { at } : {}),
      });
    return { id, source };
  };
  return Promise.all(secrets.map(find));
}

async function findFile(named: Named, checkout: Checkout): Promise<string> {
  const { path, at } = named;
  const found = await locate(named, checkout);
  if (!found)
    throw refusePath(
      named,
      `and there is no such file${tellSlip(path)}`,
      at === undefined
        ? "Check the path: it counts from the workspace."
        : "Check the path, or make the file in a step before this action.",
    );
  if (found.kind !== "file") throw refusePath(named, "which is not a file", "Name the file itself.");
  if (found.size > LARGEST_SECRET)
    throw refusePath(named, "which is larger than BuildKit takes: 500 KiB", "Pass less, or pack it.");
  return found.path;
}

/**
 * What the log has to hide, and what no build arg may be: the values themselves.
 * @throws E_INPUT for a file that cannot be read.
 */
export async function readSecretValues(
  secrets: readonly FoundSecret[],
  { environment, files }: Pick<Checkout, "files"> & { readonly environment: Readonly<Record<string, string>> },
): Promise<readonly string[]> {
  const read = async ({ source }: FoundSecret): Promise<string | undefined> => {
    if (source.kind === "env") return environment[source.name];
    return files.readText(source.path).catch((cause: unknown) => {
      const named = { input: INPUT, path: source.path };
      throw refusePath(named, "which cannot be read", "Check the file's permissions.", cause);
    });
  };
  const values = await Promise.all(secrets.map(read));
  return values.flatMap((value) => value || []);
}

/** How buildx is told of a secret: where it is. Variables have to be in its environment. */
export function secretArguments(secrets: readonly FoundSecret[]): string[] {
  return secrets.flatMap(({ id, source }) => [
    "--secret",
    joinFields([`id=${id}`, source.kind === "env" ? `env=${source.name}` : `src=${source.path}`]),
  ]);
}
