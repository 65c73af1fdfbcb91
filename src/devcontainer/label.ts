import { isJsonObject, type Json, type JsonObject, parseJsonText } from "./json.ts";

/** The label in which an image carries its dev container metadata: https://containers.dev/implementors/spec/#image-metadata */
export const METADATA_LABEL = "devcontainer.metadata";

/** In the order in which the reference CLI writes them (`pickConfigProperties`), so that our label is its label. */
const PICKED: readonly string[] = [
  "onCreateCommand",
  "updateContentCommand",
  "postCreateCommand",
  "postStartCommand",
  "postAttachCommand",
  "waitFor",
  "customizations",
  "mounts",
  "containerEnv",
  "containerUser",
  "init",
  "privileged",
  "capAdd",
  "securityOpt",
  "remoteUser",
  "userEnvProbe",
  "remoteEnv",
  "overrideCommand",
  "portsAttributes",
  "otherPortsAttributes",
  "forwardPorts",
  "shutdownAction",
  "updateRemoteUserUID",
  "hostRequirements",
];

/**
 * What the label carries of a configuration. Whatever of it decides about more than the label counts apart, with its variables replaced.
 * @param raw the configuration before any variable is replaced: the label carries variables as they are written.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/imageMetadata.ts#L17-L42
 */
export function pickLabel(raw: JsonObject): JsonObject {
  return pick(raw, PICKED);
}

/**
 * The text of the label on the built image: the entries of the base, one for each feature, then the configuration's own; empty ones left out.
 * @param base the base image's label.
 * @param features in the order of installation.
 * @param raw the configuration before any variable is replaced.
 * @returns `undefined` when there is nothing to say: the reference CLI then writes no label.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/imageMetadata.ts#L495-L509
 */
export function metadataLabel({
  base,
  features = [],
  raw,
}: {
  readonly base: string | undefined;
  readonly features?: readonly JsonObject[];
  readonly raw: JsonObject;
}): string | undefined {
  const entries = [...baseEntries(base), ...features, pickLabel(raw)].filter((entry) => Object.keys(entry).length > 0);
  // One blank inside each bracket and behind each comma: what BuildKit makes of the line breaks that the reference CLI writes.
  return entries.length === 0 ? undefined : `[ ${entries.map((entry) => JSON.stringify(entry)).join(", ")} ]`;
}

/** The entries in a base image's label: a list, or a single one. What is not valid says nothing, as in the reference CLI. */
export function baseEntries(label: string | undefined): readonly JsonObject[] {
  if (label === undefined) return [];
  const parsed = parseJsonText(label);
  const list: readonly (Json | undefined)[] = Array.isArray(parsed) ? parsed : [parsed];
  return list.filter((entry): entry is JsonObject => isJsonObject(entry));
}

function pick(raw: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(raw, name) ? raw[name] : undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
