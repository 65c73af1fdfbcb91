import { ActionError } from "../errors.ts";
import { isJsonObject, type Json, type JsonObject, type JsonPath } from "./json.ts";

/**
 * Moves `extensions`, `settings` and `devPort` to `customizations.vscode`, where they reach the label; what stands there already wins,
 * lists are joined, the old one last.
 * @throws E_CONFIG when the place they have to go to is no object.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/configuration.ts#L184-L208
 */
export function moveOldProperties(raw: JsonObject, file: string): JsonObject {
  const { extensions, settings, devPort, ...rest } = raw;
  if (!extensions && !settings && devPort === undefined) return raw;
  const customizations = objectOrNothing(raw.customizations, "customizations", file);
  const vscode = objectOrNothing(customizations.vscode, "customizations.vscode", file);
  const moved: JsonObject = {
    ...vscode,
    ...(extensions ? { extensions: [...listOf(vscode.extensions), ...listOf(extensions)] } : {}),
    ...(settings ? { settings: { ...propertiesOf(settings), ...propertiesOf(vscode.settings) } } : {}),
    ...(devPort !== undefined && vscode.devPort === undefined ? { devPort } : {}),
  };
  return { ...rest, customizations: { ...customizations, vscode: moved } };
}

/** Every path at which a person may look for an old property that was moved; none for any other name. */
export function newPlaceOf(name: string): readonly JsonPath[] {
  const isOld = name === "extensions" || name === "settings" || name === "devPort";
  return isOld ? [["customizations"], ["customizations", "vscode"], ["customizations", "vscode", name]] : [];
}

function objectOrNothing(value: Json | undefined, name: string, file: string): JsonObject {
  if (!value) return {};
  if (isJsonObject(value)) return value;
  throw new ActionError("E_CONFIG", {
    what: `${name} in ${file} is not an object.`,
    fix: `Write "${name}": { … }.`,
    at: { file },
  });
}

function listOf(value: Json | undefined): readonly Json[] {
  if (Array.isArray(value)) return value;
  return value ? [value] : [];
}

function propertiesOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
