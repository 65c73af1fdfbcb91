import { isJsonObject, type Json, type JsonObject } from "../devcontainer/json.ts";
import { moveOldProperties } from "../devcontainer/old-properties.ts";
import type { ActionError } from "../errors.ts";
import { type AskedFeature, featureError } from "./asked.ts";
import { parseJsonc } from "./jsonc.ts";

/** The file in a feature that describes it: https://containers.dev/implementors/features/#devcontainer-feature-json-properties */
export const METADATA_FILE = "devcontainer-feature.json";

/** What the build itself writes into a feature's folder, over whatever is there. */
const GENERATED: readonly string[] = ["devcontainer-features.env", "devcontainer-features-install.sh"];

/** Tells whether a path in a feature's folder is one that the build writes over. */
export function isGenerated(path: string): boolean {
  return GENERATED.some((name) => path === name || path.startsWith(`${name}/`));
}

/** Bytes. The largest that is published has some ten thousand. */
export const LARGEST_METADATA = 1024 * 1024;

/** Names by which one feature was published before, each of which it is compared by. */
const MOST_NAMES = 100;

export type FeatureMetadata = {
  /** All of it, as it was written: another source's properties can be merged with it. */
  readonly raw: JsonObject;
  readonly id: string | undefined;
  /** For a feature that was renamed and is fetched by an old name, the new one. */
  readonly currentId: string | undefined;
  readonly legacyIds: readonly string[];
  readonly version: string | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly documentation: string | undefined;
  readonly isDeprecated: boolean;
  /** In the order of the file. */
  readonly options: ReadonlyMap<string, FeatureOption>;
  /** Id → options of that feature. */
  readonly dependsOn: ReadonlyMap<string, Json>;
  readonly installsAfter: readonly string[];
  /** In the order of the file. */
  readonly containerEnv: ReadonlyMap<string, string>;
  /** An old way to be told the main option: the name of one more variable. */
  readonly buildArg: string | undefined;
  /** What the metadata label carries, in its order; old properties are at their new place. */
  readonly labelled: JsonObject;
};

/** `default` is missing where the author gave none: such an option is handed on only when somebody sets it. */
export type FeatureOption = { readonly default?: Json };

/** What a label carries of a feature, in the order in which the reference CLI writes it (`pickFeatureProperties`). */
const LABELLED: readonly string[] = [
  "onCreateCommand",
  "updateContentCommand",
  "postCreateCommand",
  "postStartCommand",
  "postAttachCommand",
  "init",
  "privileged",
  "capAdd",
  "securityOpt",
  "entrypoint",
  "mounts",
  "customizations",
];

/**
 * Reads the text of a feature's metadata, which may hold comments.
 * @returns `undefined` when the text holds no object.
 * @throws E_FEATURE as `readMetadata` does.
 */
export function parseMetadata(text: string, asked: AskedFeature): FeatureMetadata | undefined {
  if (text.length > LARGEST_METADATA) throw wrong(asked, `has more than ${LARGEST_METADATA} characters`);
  const json = parseJsonc(text, () => wrong(asked, "is nested beyond reason"));
  return isJsonObject(json) ? readMetadata(json, asked) : undefined;
}

/**
 * Reads a feature's metadata.
 * @throws E_FEATURE where a property that decides what is installed is not of its type.
 */
function readMetadata(raw: JsonObject, asked: AskedFeature): FeatureMetadata {
  const { id, currentId, version, name, description, documentationURL, deprecated, buildArg } = raw;
  return {
    raw,
    id: textOf(id),
    currentId: textOf(currentId),
    legacyIds: oldNames(raw, asked),
    version: textOf(version),
    name: textOf(name),
    description: textOf(description),
    documentation: textOf(documentationURL),
    isDeprecated: Boolean(deprecated),
    options: new Map(
      Object.entries(objectAt(raw, "options", asked)).map(([key, value]) => [key, optionOf(value, key, asked)]),
    ),
    dependsOn: new Map(Object.entries(objectAt(raw, "dependsOn", asked))),
    installsAfter: textsAt(raw, "installsAfter", asked),
    containerEnv: new Map(
      Object.entries(objectAt(raw, "containerEnv", asked)).map(([key, value]) => {
        if (typeof value === "string") return [key, value];
        throw wrong(asked, `has a containerEnv.${key} that is not a text`);
      }),
    ),
    buildArg: textOf(buildArg),
    labelled: pickLabelled(raw, asked),
  };
}

/**
 * The metadata of a feature whose registry shows some of it in an annotation and whose archive holds the rest: the annotation wins.
 * @throws E_FEATURE as `readMetadata` does.
 */
export function mergeMetadata(
  annotation: FeatureMetadata,
  archived: FeatureMetadata,
  asked: AskedFeature,
): FeatureMetadata {
  return readMetadata({ ...archived.raw, ...annotation.raw }, asked);
}

/**
 * What the metadata label of the image carries of a feature.
 * @param id as the person wrote it.
 */
export function featureLabelEntry(id: string, { labelled }: FeatureMetadata): JsonObject {
  return { id, ...labelled };
}

/** @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/imageMetadata.ts#L50-L67 */
function pickLabelled({ devPort: _, ...raw }: JsonObject, asked: AskedFeature): JsonObject {
  // Where the old properties go to has to be there to be added to.
  if (raw.extensions || raw.settings) objectAt(objectAt(raw, "customizations", asked), "vscode", asked);
  const json = moveOldProperties(raw, METADATA_FILE);
  const picked = LABELLED.flatMap((name) => {
    const value = Object.hasOwn(json, name) ? json[name] : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(picked);
}

function optionOf(value: Json, key: string, asked: AskedFeature): FeatureOption {
  if (!isJsonObject(value)) throw wrong(asked, `has an options.${key} that is not an object`);
  return value.default === undefined ? {} : { default: value.default };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function objectAt(raw: JsonObject, name: string, asked: AskedFeature): JsonObject {
  const value = raw[name];
  if (!value) return {};
  if (isJsonObject(value)) return value;
  throw wrong(asked, `has ${name} that is not an object`);
}

function oldNames(raw: JsonObject, asked: AskedFeature): readonly string[] {
  const names = textsAt(raw, "legacyIds", asked);
  if (names.length > MOST_NAMES) throw wrong(asked, `has more than ${MOST_NAMES} legacyIds`);
  return names;
}

function textsAt(raw: JsonObject, name: string, asked: AskedFeature): readonly string[] {
  const value = raw[name];
  if (!value) return [];
  const list: readonly Json[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (Array.isArray(value) && typeof item === "string") return item;
    throw wrong(asked, `has ${name} that is not a list of texts`);
  });
}

function wrong(asked: AskedFeature, what: string): ActionError {
  return featureError(asked, {
    what: `has metadata (${METADATA_FILE}) that cannot be used: it ${what}`,
    fix: "Tell its author, or use another version of it.",
    by: "feature",
  });
}
