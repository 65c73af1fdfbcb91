import type { Json, JsonObject } from "./json.ts";

/**
 * Whether something in an image's config tells of Node: the variables of Node's own images and of the feature that installs it, or that
 * feature's entry in the metadata. An image may have Node and nothing that tells of it.
 * @param env the image's environment.
 * @param entries of its metadata label.
 * @see https://github.com/nodejs/docker-node, https://github.com/devcontainers/features/tree/main/src/node
 */
export function tellsOfNode(env: Readonly<Record<string, string>>, entries: readonly JsonObject[]): boolean {
  return ["NODE_VERSION", "NVM_DIR"].some((name) => env[name]) || entries.some(({ id }) => isNodeFeature(id));
}

/** `ghcr.io/devcontainers/features/node:1`, in whatever registry a copy of it lies. */
function isNodeFeature(id: Json | undefined): boolean {
  return typeof id === "string" && /(?:^|\/)node(?:$|[:@])/.test(id);
}
