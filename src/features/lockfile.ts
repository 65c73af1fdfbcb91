import { isJsonObject, type Json, type JsonObject, parseJsonText } from "../devcontainer/json.ts";
import { placeOf, readLines } from "../devcontainer/parse.ts";
import { folderOf, lastSegment, pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { ActionError, type Place } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { formatPinned } from "../oci/reference.ts";
import type { AskedFeature } from "./asked.ts";
import type { FeaturePorts, FoundFeature } from "./found.ts";
import type { FeatureNode } from "./graph.ts";
import { fullId } from "./short-ids.ts";
import { readInside } from "./workspace.ts";

/** The input `lockfile`. */
export type LockfileUse = "use" | "require" | "ignore";

/** `devcontainer-lock.json`: https://github.com/devcontainers/spec/blob/main/docs/specs/devcontainer-lockfile.md */
export type Lockfile = {
  /** As seen from the checkout. */
  readonly file: string;
  /** Whether there is one at all. */
  readonly exists: boolean;
  /** By the id of the feature as it is written. */
  readonly features: ReadonlyMap<string, JsonObject>;
  /** Where the entries stand. */
  readonly places: ReadonlyMap<string, Place>;
};

const UPDATE = "Run `devcontainer build` or `devcontainer upgrade` and commit the lockfile, or set lockfile: use.";

/**
 * Reads the lockfile beside a configuration; where there is none, one that locks nothing.
 * @param configFile absolute path of devcontainer.json.
 * @throws E_CONFIG for one that is not what the specification says, or lies outside the checkout.
 */
export async function readLockfile(
  files: FeaturePorts["files"],
  configFile: string,
  checkout: string,
): Promise<Lockfile> {
  const name = lastSegment(configFile).startsWith(".") ? ".devcontainer-lock.json" : "devcontainer-lock.json";
  const path = resolvePath(folderOf(configFile), name);
  const file = pathWithin(checkout, path) ?? path;
  const text = await readInside(files, checkout, path);
  if (text === undefined) return { file, exists: false, features: new Map(), places: new Map() };
  if (typeof text !== "string") throw unusable(file, "is a link that leaves the checkout");
  if (text.trim() === "") return { file, exists: true, features: new Map(), places: new Map() };
  const json = parseJsonText(text);
  const features = isJsonObject(json) ? json.features : undefined;
  if (!isJsonObject(features)) throw unusable(file, 'is not JSON with an object "features"');
  const { lines } = readLines(text, file);
  return {
    file,
    exists: true,
    features: new Map(Object.entries(features).map((entry) => readEntry(file, entry))),
    places: new Map(Object.keys(features).map((id) => [id, placeOf({ file, lines }, ["features", id])])),
  };
}

function readEntry(file: string, [id, entry]: readonly [string, Json]): readonly [string, JsonObject] {
  if (isJsonObject(entry) && (entry.integrity === undefined || isDigest(entry.integrity))) return [id, entry];
  throw unusable(file, `has an entry for ${id} whose integrity is not a sha256 digest`);
}

function unusable(file: string, what: string): ActionError {
  return new ActionError("E_CONFIG", {
    what: `The lockfile ${file} ${what}.`,
    fix: `${UPDATE} With lockfile: ignore it is not read.`,
    at: { file },
  });
}

/** The digest that a feature is locked to: of the manifest, or of the tarball. */
export function lockedDigest({ features }: Lockfile, { id }: AskedFeature): Digest | undefined {
  const integrity = (features.get(fullId(id)) ?? features.get(id))?.integrity;
  return isDigest(integrity) ? integrity : undefined;
}

/**
 * Holds a lockfile that is required against what is going to be installed. Local features are never locked, nor are those that only an
 * input adds.
 * @throws E_CONFIG naming the feature that is not locked, is locked to something else, or is locked and not used.
 */
export function requireLockfile(lockfile: Lockfile, nodes: readonly FeatureNode[]): void {
  const { file, exists, features } = lockfile;
  const expected = new Map(nodes.filter(isLockable).map(({ asked, found }) => [asked.id, lockEntry(found)]));
  for (const [id, entry] of expected) {
    const locked = features.get(id);
    if (locked === undefined)
      throw stale(file, exists ? `does not lock the feature ${id}` : `is missing, and so is the feature ${id} in it`);
    const differing = Object.entries(entry).find(
      ([name, value]) => JSON.stringify(locked[name]) !== JSON.stringify(value),
    );
    if (differing)
      throw stale(file, `is stale: its ${differing[0]} of the feature ${id} is not ${JSON.stringify(differing[1])}`);
  }
  const unused = [...features.keys()].find((id) => !expected.has(id));
  if (unused !== undefined) throw stale(file, `is stale: the feature ${unused} in it is not used`);
}

function isLockable({ asked, found }: FeatureNode): boolean {
  const isAdded = asked.at === undefined && asked.neededBy === undefined;
  return found.source.kind !== "local" && !isAdded;
}

function lockEntry({ source, digest, metadata }: FoundFeature): Readonly<Record<string, Json | undefined>> {
  const dependsOn = [...metadata.dependsOn.keys()];
  return {
    version: metadata.version,
    resolved: source.kind === "oci" ? formatPinned(source.image) : source.kind === "tarball" ? source.url : undefined,
    integrity: digest,
    dependsOn: dependsOn.length > 0 ? dependsOn : undefined,
  };
}

function stale(file: string, what: string): ActionError {
  return new ActionError("E_CONFIG", { what: `The lockfile ${file} ${what}.`, fix: UPDATE, at: { file } });
}
