import { isRecord } from "../oci/manifest.ts";
import type { Files } from "../world.ts";

/** Where buildx keeps its records: BUILDX_CONFIG is this run's own folder, so nothing of the user's is written. */
export type Records = { readonly files: Files; readonly env: Readonly<Record<string, string>> };

/**
 * buildx's own note of a builder, a JSON file.
 * @see https://github.com/docker/buildx/blob/v0.29.1/store/nodegroup.go
 */
export type BuilderRecord = { readonly driver: string; readonly json: Readonly<Record<string, unknown>> };

/** Reads the record of a builder; `undefined` where there is none, or none that can be read: buildx then says what is wrong with it. */
export async function readRecord(name: string, { files, env }: Records): Promise<BuilderRecord | undefined> {
  const path = pathOf(name, env);
  const text = path === undefined ? undefined : await files.readText(path);
  let json: unknown;
  try {
    json = JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
  return isRecord(json) && typeof json.Driver === "string" ? { driver: json.Driver, json } : undefined;
}

export async function writeRecord(name: string, { json }: BuilderRecord, { files, env }: Records): Promise<void> {
  const path = pathOf(name, env);
  if (path !== undefined) await files.write(path, JSON.stringify(json), 0o600);
}

/** The record with further options of the driver for each of its nodes. */
export function withDriverOptions(record: BuilderRecord, options: Readonly<Record<string, string>>): BuilderRecord {
  const nodes = Array.isArray(record.json.Nodes) ? record.json.Nodes.filter(isRecord) : [];
  const told = nodes.map((node) => ({
    ...node,
    DriverOpts: { ...(isRecord(node.DriverOpts) ? node.DriverOpts : {}), ...options },
  }));
  return { ...record, json: { ...record.json, Nodes: told } };
}

/** A name that leads out of the folder is nobody's. */
function pathOf(name: string, env: Records["env"]): string | undefined {
  return /^[a-z][a-z0-9._-]*$/i.test(name) ? `${env.BUILDX_CONFIG}/instances/${name.toLowerCase()}` : undefined;
}
