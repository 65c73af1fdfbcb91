import type { JsonObject } from "../../src/devcontainer/json.ts";
import type { FeaturePorts } from "../../src/features/found.ts";
import type { LockfileUse } from "../../src/features/lockfile.ts";
import { resolveFeatures } from "../../src/features/resolve.ts";
import { configured, FILE, WORKSPACE } from "../devcontainer/configured.ts";
import { openMemoryFiles } from "../devcontainer/memory-files.ts";
import { openMemoryPorts } from "./memory-ports.ts";
import type { Publication } from "./published.ts";

export const HOST = "registry.test";

/** A feature that is published on `HOST` under a path. */
export function published(path: string, metadata: object = {}, more: Partial<Publication> = {}): Publication {
  const about = { id: path.split("/").at(-1), version: "1.0.0", ...metadata };
  return { path, tags: ["latest", "1"], metadata: about, ...more };
}

/** The ports over features in memory and the texts of a workspace; nothing in it is a local feature. */
export function openPorts(publications: readonly Publication[], files: Readonly<Record<string, string>> = {}) {
  const { ports, requests, waves } = openMemoryPorts({ registries: { [HOST]: publications } });
  const tree = Object.fromEntries(Object.entries(files).map(([path, text]) => [`${WORKSPACE}/${path}`, text]));
  const unexpected = (path: string) => Promise.reject(new Error(`${path} was read`));
  const all: FeaturePorts = { ...ports, files: { ...openMemoryFiles(tree), readLink: unexpected, digest: unexpected } };
  return { ports: all, requests, waves };
}

export type Asking = { readonly lockfile?: LockfileUse; readonly additional?: JsonObject; readonly override?: unknown };

/** Resolves `features` of a configuration that has one property a line, `features` on the second, the first feature on the third. */
export function resolve(
  features: object,
  ports: FeaturePorts,
  { lockfile = "use", additional, override }: Asking = {},
) {
  const configuration = configured(JSON.stringify({ features, overrideFeatureInstallOrder: override }, null, 1));
  const configFile = `${WORKSPACE}/${FILE}`;
  const request = { configuration, configFile, workspace: WORKSPACE, checkout: WORKSPACE, lockfile };
  return resolveFeatures(additional === undefined ? request : { ...request, additional }, ports);
}

/** The ids in the order of installation. */
export async function orderOf(features: object, ports: FeaturePorts, asking: Asking = {}): Promise<readonly string[]> {
  const resolved = await resolve(features, ports, asking);
  if (resolved.kind !== "resolved") throw new Error(resolved.error.words);
  return resolved.features.map(({ id }) => id);
}
