import { isJsonObject, type Json, type JsonObject } from "../devcontainer/json.ts";
import type { FeatureMetadata } from "./metadata.ts";

/** The option that is meant where options are a single value. */
const MAIN = "version";

/**
 * What a feature is installed with: its own defaults first, in its order, then what else was asked for.
 * @param options as they are written. A single value is the option `version`, and says nothing to a feature without one.
 * @returns option name → value, as JavaScript writes it. Nothing is checked against the declared types, as in the reference CLI.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/containerFeaturesConfiguration.ts (getFeatureValueObject)
 */
export function optionValues(metadata: FeatureMetadata, options: Json): ReadonlyMap<string, string> {
  const values: JsonObject = { ...defaultsOf(metadata), ...writtenValues(metadata, options) };
  return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/**
 * The options that say more than a feature's defaults do, as texts: two ways to write them of which this makes one are one text of
 * `devcontainer-features.env`, also where the archive adds metadata that the registry does not show: it adds no options to those that are
 * shown. A single value is left as it is where no option is shown that it could be.
 */
export function optionsWithoutDefaults(metadata: FeatureMetadata, options: Json): Json {
  if (!isJsonObject(options) && !metadata.options.has(MAIN)) return options;
  const defaults = new Map(Object.entries(defaultsOf(metadata)));
  return Object.fromEntries(
    Object.entries(writtenValues(metadata, options)).flatMap(([name, value]) =>
      defaults.has(name) && String(defaults.get(name)) === String(value) ? [] : [[name, String(value)] as const],
    ),
  );
}

function defaultsOf(metadata: FeatureMetadata): JsonObject {
  return Object.fromEntries(
    [...metadata.options].flatMap(([name, { default: value }]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  );
}

function writtenValues(metadata: FeatureMetadata, options: Json): JsonObject {
  if (isJsonObject(options)) return options;
  return metadata.options.has(MAIN) ? { [MAIN]: options } : {};
}

/**
 * The text of `devcontainer-features.env`, which the install script is given: one `NAME="value"` a line. Nothing is escaped: what a shell
 * makes of a value is part of what features rely on.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/containerFeatures.ts (getFeatureEnvVariables)
 */
export function environmentFile(metadata: FeatureMetadata, options: Json): string {
  const lines = [...optionValues(metadata, options)].map(([name, value]) => `${variableName(name)}="${value}"`);
  const main = metadata.buildArg === undefined ? [] : [`${metadata.buildArg}=${String(mainValue(metadata, options))}`];
  return [...lines, ...main].join("\n");
}

/** The name of the variable in which an option is handed on: https://containers.dev/implementors/features/#option-resolution */
export function variableName(option: string): string {
  return option
    .replace(/[^\w_]/g, "_")
    .replace(/^[\d_]+/g, "_")
    .toUpperCase();
}

function mainValue(metadata: FeatureMetadata, options: Json): Json | undefined {
  const main = metadata.options.get(MAIN);
  if (!main) return Boolean(options);
  if (!isJsonObject(options)) return options;
  return options[MAIN] ?? main.default;
}
