import { ActionError } from "../errors.ts";
import { replaceBraced } from "./braces.ts";
import {
  formatPath,
  isJsonObject,
  type Json,
  type JsonObject,
  type JsonPath,
  openPathMap,
  type PathMap,
  putAt,
} from "./json.ts";
import { type Configuration, placeOf } from "./parse.ts";
import { lastSegment, resolvePath } from "./paths.ts";

/** A text in which at least one variable was replaced. */
export type Substitution = {
  readonly path: JsonPath;
  /** A `${localEnv:…}` took part, set or not: such a value may be secret. */
  readonly fromEnvironment: boolean;
  /** The absolute path of the workspace took part: such a value differs from one machine to the next. */
  readonly fromHostPath: boolean;
  /** The name of the workspace's folder took part: such a value differs from one clone to the next. */
  readonly fromFolderName: boolean;
  /** Variables of the environment that it names. */
  readonly reads: readonly string[];
  /** Those of them that are not set and have no default: nothing took their place. */
  readonly unset: readonly string[];
};

/** A configuration whose build inputs are final; `raw` still is what the label carries. */
export type Substituted = Configuration & {
  readonly json: JsonObject;
  readonly substitutions: readonly Substitution[];
  /** The same by where they stand. */
  readonly substituted: PathMap<Substitution>;
  readonly folders: WorkspaceFolders;
};

/** Where the workspace is, on this machine and in the container. `isPrivate`: this machine's environment says so. */
export type WorkspaceFolders = {
  readonly local: string;
  readonly container: { readonly value: string; readonly isPrivate: boolean };
};

/** Where a workspace is that no configuration was read of: in the container, where its name puts it. */
export function usualFolders(local: string): WorkspaceFolders {
  return { local, container: { value: usualContainerFolder(local), isPrivate: false } };
}

/** https://containers.dev/implementors/json_reference/#image-specific (workspaceFolder) */
function usualContainerFolder(local: string): string {
  return resolvePath("/workspaces", lastSegment(local));
}

export type Variables = {
  readonly localEnv: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the workspace. */
  readonly localWorkspaceFolder: string;
};

type Replaced = {
  readonly text: string;
  readonly replaced: boolean;
  readonly fromEnvironment: boolean;
  readonly fromHostPath: boolean;
  readonly fromFolderName: boolean;
  readonly reads: readonly string[];
  readonly unset: readonly string[];
};
type Resolve = (name: string, rest: readonly string[], path: JsonPath) => Replaced | undefined;

/**
 * Replaces variables in every text value, nested ones too, in one pass: never in names, and never again in what was put in. Unknown
 * variables, `${containerEnv:…}` and `${devcontainerId}` stay as they are: the reference CLI's `build` leaves them so.
 * @throws E_CONFIG for `${localEnv}` without a name, with its line.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-common/variableSubstitution.ts
 */
export function substitute(configuration: Configuration, variables: Variables): Substituted {
  const folder = writtenContainerFolder(configuration.raw, variables);
  const own = limited(resolver(configuration, variables, folder), configuration);
  const written = replaceVariables(folder.text, ["workspaceFolder"], own);
  const container = { ...written, fromFolderName: written.fromFolderName || folder.fromFolderName };
  const resolve = limited(resolver(configuration, variables, container), configuration);
  const substitutions: Substitution[] = [];
  const replaceText = (written: string, path: JsonPath): string => {
    const { text, replaced, ...taken } = replaceVariables(written, path, resolve);
    if (replaced) substitutions.push({ path, ...taken });
    return text;
  };
  const replaceValue = (value: Json, path: JsonPath): Json => {
    if (typeof value === "string") return replaceText(value, path);
    if (Array.isArray(value)) return value.map((item: Json, at) => replaceValue(item, [...path, at]));
    return isJsonObject(value) ? replaceProperties(value, path) : value;
  };
  const replaceProperties = (value: JsonObject, path: JsonPath): JsonObject =>
    Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replaceValue(item, [...path, name])]));
  const folders = {
    local: variables.localWorkspaceFolder,
    container: { value: container.text, isPrivate: container.fromEnvironment },
  };
  const json = replaceProperties(configuration.raw, []);
  const substituted = openPathMap<Substitution>();
  for (const substitution of substitutions) putAt(substituted, substitution.path, substitution);
  return { ...configuration, json, substitutions, substituted, folders };
}

/** What took part in the value at a path; `undefined` when it stands in the file as it is used. */
export function substitutionAt({ substituted }: Substituted, path: JsonPath): Substitution | undefined {
  let next: PathMap<Substitution> | undefined = substituted;
  for (const step of path) next = next?.below?.get(step);
  return next?.value;
}

/** Characters that variables put in, all values together. A long one that is named again and again reaches any size. */
const MOST_PUT_IN = 4 * 1024 * 1024;

function limited(resolve: Resolve, configuration: Configuration): Resolve {
  let putIn = 0;
  return (name, rest, path) => {
    const replaced = resolve(name, rest, path);
    putIn += replaced?.text.length ?? 0;
    if (putIn <= MOST_PUT_IN) return replaced;
    throw new ActionError("E_CONFIG", {
      what: `With their variables replaced the values up to ${formatPath(path)} have more than ${MOST_PUT_IN} characters.`,
      fix: "Look for a long variable that is used again and again.",
      at: placeOf(configuration, path),
    });
  };
}

function replaceVariables(written: string, path: JsonPath, resolve: Resolve): Replaced {
  const taken: Replaced[] = [];
  const text = replaceBraced(written, (expression) => {
    const [name = "", ...rest] = expression.split(":");
    const replaced = resolve(name, rest, path);
    if (replaced) taken.push(replaced);
    return replaced?.text;
  });
  return {
    text,
    replaced: taken.length > 0,
    fromEnvironment: taken.some(({ fromEnvironment }) => fromEnvironment),
    fromHostPath: taken.some(({ fromHostPath }) => fromHostPath),
    fromFolderName: taken.some(({ fromFolderName }) => fromFolderName),
    reads: taken.flatMap(({ reads }) => reads),
    unset: taken.flatMap(({ unset }) => unset),
  };
}

function resolver(configuration: Configuration, variables: Variables, container: Replaced): Resolve {
  const { localEnv, localWorkspaceFolder } = variables;
  return (name, rest, path) => {
    switch (name) {
      case "env":
      case "localEnv":
        return {
          ...plain(environmentValue(localEnv, rest) ?? unnamed(configuration, name, path)),
          fromEnvironment: true,
          reads: rest.slice(0, 1),
          unset: isUnset(localEnv, rest) ? rest : [],
        };
      case "localWorkspaceFolder":
        return { ...plain(localWorkspaceFolder), fromHostPath: true };
      case "localWorkspaceFolderBasename":
        return { ...plain(lastSegment(localWorkspaceFolder)), fromFolderName: true };
      case "containerWorkspaceFolder":
        return container;
      case "containerWorkspaceFolderBasename":
        return { ...container, text: lastSegment(container.text) };
      default:
        return undefined;
    }
  };
}

function plain(text: string): Replaced {
  return {
    text,
    replaced: true,
    fromEnvironment: false,
    fromHostPath: false,
    fromFolderName: false,
    reads: [],
    unset: [],
  };
}

function isUnset(localEnv: Variables["localEnv"], rest: readonly string[]): boolean {
  const [variable = "", ...fallback] = rest;
  return fallback.length === 0 && (!Object.hasOwn(localEnv, variable) || localEnv[variable] === undefined);
}

/** The default ends at the next colon, as in the reference CLI: `${localEnv:PROXY:http://proxy}` is `http`. */
function environmentValue(localEnv: Variables["localEnv"], rest: readonly string[]): string | undefined {
  const [variable, fallback = ""] = rest;
  if (variable === undefined) return undefined;
  return (Object.hasOwn(localEnv, variable) ? localEnv[variable] : undefined) ?? fallback;
}

function unnamed(configuration: Configuration, name: string, path: JsonPath): never {
  throw new ActionError("E_CONFIG", {
    what: `${formatPath(path)} uses \${${name}} without the name of a variable.`,
    fix: `Write \${${name}:NAME}, or \${${name}:NAME:default}.`,
    at: placeOf(configuration, path),
  });
}

/** Before its own variables are replaced: https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/utils.ts (getWorkspaceConfiguration) */
function writtenContainerFolder(raw: JsonObject, { localWorkspaceFolder }: Variables): Replaced {
  if (typeof raw.workspaceFolder === "string" && raw.workspaceFolder !== "") return plain(raw.workspaceFolder);
  if ("dockerComposeFile" in raw) return plain("/");
  return { ...plain(usualContainerFolder(localWorkspaceFolder)), fromFolderName: true };
}
