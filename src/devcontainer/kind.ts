import { ActionError, tellSome } from "../errors.ts";
import { formatPath, isJsonObject, type Json, type JsonObject, type JsonPath } from "./json.ts";
import { placeOf } from "./parse.ts";
import { folderOf, pathWithin, resolvePath } from "./paths.ts";
import type { Substituted } from "./substitute.ts";

/** What has to be built: an image as it is, a Dockerfile, or a service of compose. Paths are absolute and inside the checkout. */
export type BuildKind =
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "compose" }
  | {
      readonly kind: "dockerfile";
      readonly dockerfile: string;
      readonly context: string;
      readonly target?: string;
      /** In the order of the file. */
      readonly args: ReadonlyMap<string, BuildArg>;
      readonly cacheFrom: readonly string[];
      readonly options: readonly { readonly text: string; readonly path: JsonPath }[];
      /** Where the two paths are written, by the new way or the old one. */
      readonly written: { readonly dockerfile: JsonPath; readonly context: JsonPath };
    };

export type BuildArg = { readonly value: string; readonly path: JsonPath };

/**
 * Tells what a configuration builds, by the rules of the reference CLI's `build`: a Dockerfile wins over compose, compose over an image.
 * @param configFile absolute path of devcontainer.json: paths in it count from its folder.
 * @param checkout absolute path that Dockerfile and context must not leave. Links are not looked at here.
 * @throws E_CONFIG where nothing or nothing valid is named, with the line.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/singleContainer.ts (buildAndExtendImage)
 */
export function buildKind(configuration: Substituted, configFile: string, checkout: string): BuildKind {
  const { json } = configuration;
  const build = objectAt(configuration, ["build"]);
  const written: JsonPath | undefined =
    "dockerFile" in json ? ["dockerFile"] : "dockerfile" in build ? ["build", "dockerfile"] : undefined;
  if (written) return dockerfileKind(configuration, { written, build, folder: folderOf(configFile), checkout });
  if ("dockerComposeFile" in json) return { kind: "compose" };
  const image = textAt(configuration, ["image"]);
  if (image === undefined) throw nothingToBuild(configuration);
  return { kind: "image", image };
}

type Sources = {
  readonly written: JsonPath;
  readonly build: JsonObject;
  readonly folder: string;
  readonly checkout: string;
};

function dockerfileKind(configuration: Substituted, sources: Sources): BuildKind {
  const { written, build, folder, checkout } = sources;
  const name = textAt(configuration, written);
  if (name === undefined) {
    throw new ActionError("E_CONFIG", {
      what: `${formatPath(written)} is empty.`,
      fix: "Name the Dockerfile, as seen from the folder of devcontainer.json.",
      at: placeOf(configuration, written),
    });
  }
  const inside = (path: JsonPath, value: string): string => {
    const full = resolvePath(folder, value);
    if (pathWithin(checkout, full) !== undefined) return full;
    throw new ActionError("E_CONFIG", {
      what: `${formatPath(path)} is "${value}", which leaves the checkout.`,
      fix: "Keep what the image is built from inside the repository: nothing else is in the commit.",
      at: placeOf(configuration, path),
    });
  };
  const dockerfile = inside(written, name);
  // The reference CLI looks at the context that belongs to the way the Dockerfile is named, and at no other.
  const contextPath: JsonPath = written[0] === "dockerFile" ? ["context"] : ["build", "context"];
  const context = textAt(configuration, contextPath);
  const target = textAt(configuration, ["build", "target"]);
  return {
    kind: "dockerfile",
    dockerfile,
    context: context === undefined ? folderOf(dockerfile) : inside(contextPath, context),
    ...(target === undefined ? {} : { target }),
    args: buildArgs(configuration),
    cacheFrom: texts(configuration, ["build", "cacheFrom"], build.cacheFrom).map(({ text }) => text),
    options: texts(configuration, ["build", "options"], build.options),
    written: { dockerfile: written, context: contextPath },
  };
}

/** Values become text as JavaScript writes them: `true`, `3`, `null`. */
function buildArgs(configuration: Substituted): ReadonlyMap<string, BuildArg> {
  const args = objectAt(configuration, ["build", "args"]);
  return new Map(
    Object.entries(args).map(([name, value]) => {
      const path = ["build", "args", name];
      if (typeof value === "object" && value !== null) throw wrongType(configuration, path, "a text");
      return [name, { value: String(value), path }];
    }),
  );
}

/** A text, or a list of texts, each with the path under which it stands. */
function texts(
  configuration: Substituted,
  path: JsonPath,
  value: Json | undefined,
): readonly { readonly text: string; readonly path: JsonPath }[] {
  if (!value) return [];
  const list: readonly Json[] = Array.isArray(value) ? value : [value];
  return list.map((item, at) => {
    const place = Array.isArray(value) ? [...path, at] : path;
    if (typeof item === "string") return { text: item, path: place };
    throw wrongType(configuration, place, "a text");
  });
}

function nothingToBuild(configuration: Substituted): ActionError {
  const { file, raw, json } = configuration;
  if (raw.image) {
    return new ActionError("E_CONFIG", {
      what: `image is "${raw.image}", which is empty once its variables are replaced.`,
      fix: `Set the variable for this step, or give a default: \${localEnv:NAME:default}.`,
      at: placeOf(configuration, ["image"]),
    });
  }
  return new ActionError("E_CONFIG", {
    what: `${file} names no image and no Dockerfile.`,
    fix:
      "dockerfile" in json
        ? 'Write "build": { "dockerfile": … } instead of a "dockerfile" at the top.'
        : `Add "image": "…" or "build": { "dockerfile": "…" }.${tellHeld(json)}`,
    at: placeOf(configuration, ["dockerfile" in json ? "dockerfile" : "build" in json ? "build" : "image"]),
  });
}

/** Whoever has mistyped a name sees it there. */
function tellHeld(json: JsonObject): string {
  const names = Object.entries(json).flatMap(([name, value]) =>
    name === "build" && isJsonObject(value) ? Object.keys(value).map((own) => `build.${own}`) : [name],
  );
  const held = names.filter((name) => name !== "image");
  return held.length === 0 ? "" : ` What it holds: ${tellSome(held)}; upper and lower case count.`;
}

/** The object at a path; an empty one where there is nothing. */
function objectAt(configuration: Substituted, path: JsonPath): JsonObject {
  const value = valueAt(configuration.json, path);
  if (value === undefined || value === null) return {};
  if (isJsonObject(value)) return value;
  throw wrongType(configuration, path, "an object");
}

/** The text at a path; `undefined` where there is nothing, or what counts as nothing to the reference CLI. */
function textAt(configuration: Substituted, path: JsonPath): string | undefined {
  const value = valueAt(configuration.json, path);
  if (!value) return undefined;
  if (typeof value === "string") return value;
  throw wrongType(configuration, path, "a text");
}

function valueAt(json: JsonObject, path: JsonPath): Json | undefined {
  return path.reduce<Json | undefined>((value, step) => {
    if (typeof step === "number") return Array.isArray(value) ? value[step] : undefined;
    return isJsonObject(value) ? value[step] : undefined;
  }, json);
}

function wrongType(configuration: Substituted, path: JsonPath, wanted: string): ActionError {
  const value = valueAt(configuration.json, path);
  return new ActionError("E_CONFIG", {
    what: `${formatPath(path)} is ${formatValue(value)}, which is not ${wanted}.`,
    fix: `Correct it in ${configuration.file}.`,
    at: placeOf(configuration, path),
  });
}

function formatValue(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
