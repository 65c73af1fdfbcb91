import type { FoundConfiguration } from "../devcontainer/find.ts";
import { isJsonObject, type Json, type JsonObject } from "../devcontainer/json.ts";
import type { Workspace } from "../devcontainer/paths.ts";
import { folderOf } from "../devcontainer/paths.ts";
import type { Substituted } from "../devcontainer/substitute.ts";
import { ActionError, type Place } from "../errors.ts";
import { type AskedFeature, askedFeatures } from "../features/asked.ts";
import type { FoundFeature } from "../features/found.ts";
import { MOST_RELATIONS, tooMany } from "../features/graph.ts";
import { type Folders, identifyFeature } from "../features/identify.ts";
import { readLocalFeature } from "../features/local.ts";
import { type Lockfile, type LockfileUse, lockedDigest, readLockfile } from "../features/lockfile.ts";
import { variableName } from "../features/options.ts";
import type { FeatureRequest } from "../features/resolve.ts";
import { fullId } from "../features/short-ids.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Source } from "../key/difference.ts";
import type { WrittenFeature } from "../key/ingredients.ts";
import { imageAllowed } from "../registry/allowed.ts";
import type { Files } from "../world.ts";

/** What the commit and the inputs say of features; nothing of it needed a request. */
export type FeatureSources = {
  readonly request: FeatureRequest;
  readonly written: readonly WrittenFeature[];
  /** Features whose options hold something of the environment. */
  readonly hidden: ReadonlySet<string>;
  readonly places: Readonly<Record<string, Source>>;
  /** The lockfile, or the input that leaves it out; nothing where there is none. By id, its entries. */
  readonly lockfile: Source | undefined;
  readonly locks: Readonly<Record<string, Place>>;
};

export type FeatureSourcesRequest = {
  readonly configuration: Substituted;
  readonly found: Pick<FoundConfiguration, "file">;
  readonly workspace: Workspace;
  readonly additional: JsonObject;
  readonly lockfile: LockfileUse;
};

/**
 * Reads what is known of features before any request: what is asked for, the local ones with all that they need locally, the lockfile.
 * @returns `undefined` where no feature is asked for.
 * @throws ActionError E_CONFIG or E_FEATURE for what cannot be used.
 */
export async function gatherFeatures(
  { configuration, found, workspace, additional, lockfile }: FeatureSourcesRequest,
  files: Files,
): Promise<FeatureSources | undefined> {
  const asked = askedFeatures(configuration, additional);
  if (asked.length === 0) return undefined;
  const locks = lockfile === "ignore" ? undefined : await readLockfile(files, found.file, workspace.checkout);
  const paths = { workspace: workspace.folder, checkout: workspace.checkout };
  const folders = { configFolder: folderOf(found.file), ...paths };
  const local = await readLocalFeatures(asked, folders, files);
  const written = [...new Set([...asked, ...local.keys()])].map((one) => writtenFeature(one, local.get(one), locks));
  const request = { configuration, configFile: found.file, ...paths, additional, lockfile };
  return {
    request,
    written: [...written, ...otherLocks(written, locks)].sort((a, b) => (a.id < b.id ? -1 : 1)),
    hidden: new Set([
      ...privateFeatures(configuration),
      // An input may hold a secret as well as a variable may.
      ...Object.keys(additional),
    ]),
    // A local one that another depends on stands where that is asked for.
    places: Object.fromEntries(
      [...asked, ...local.keys()].map(({ id, at }) => [id, at ?? { input: "additional-features" }]),
    ),
    lockfile: locks === undefined ? { input: "lockfile" } : locks.exists ? { file: locks.file } : undefined,
    locks: locks ? lockPlaces(written, locks) : {},
  };
}

function lockPlaces(written: readonly WrittenFeature[], locks: Lockfile): FeatureSources["locks"] {
  return Object.fromEntries(
    [...written, ...otherLocks(written, locks)].flatMap(({ id }) => {
      const at = locks.places.get(fullId(id)) ?? locks.places.get(id);
      return at === undefined ? [] : [[id, at]];
    }),
  );
}

/** The local features among those that are asked for, and all local ones that these depend on, each folder once. */
async function readLocalFeatures(
  asked: readonly AskedFeature[],
  folders: Folders,
  files: Files,
): Promise<ReadonlyMap<AskedFeature, FoundFeature>> {
  const found = new Map<AskedFeature, FoundFeature>();
  const byFolder = new Map<string, FoundFeature>();
  const waiting = [...asked];
  for (const one of waiting) {
    if (waiting.length > MOST_RELATIONS) throw tooMany(one);
    const reference = identifyFeature(one, folders);
    if (reference.kind !== "local") continue;
    const { folder } = reference;
    const seen = byFolder.get(folder);
    if (seen && one.neededBy !== undefined) continue;
    const feature = seen ?? (await readLocalFeature(files, one, { reference, checkout: folders.checkout }));
    byFolder.set(folder, feature);
    found.set(one, feature);
    if (!seen) for (const dependency of dependenciesOf(one, feature)) waiting.push(dependency);
  }
  return found;
}

function writtenFeature(
  asked: AskedFeature,
  local: FoundFeature | undefined,
  locks: Lockfile | undefined,
): WrittenFeature {
  const locked = locks && lockedDigest(locks, asked);
  const order = orderThatCounts(asked.options);
  return {
    id: asked.id,
    ...(asked.neededBy === undefined ? { options: asked.options, ...(order ? { order } : {}) } : {}),
    ...(local ? { tree: local.digest } : {}),
    ...(locked === undefined ? {} : { locked }),
  };
}

/** A shell reads the values one after the other: one may use a variable that an earlier one set, and of two for one variable the last counts. */
function orderThatCounts(options: Json): readonly string[] | undefined {
  if (!isJsonObject(options)) return undefined;
  const names = Object.keys(options);
  // A quote or an escape can make the next line part of a value.
  const isLive = Object.values(options).some((value) => /[$`"\\\r\n]/.test(String(value)));
  const isDoubled = new Set(names.map(variableName)).size < names.length;
  return names.length > 1 && (isLive || isDoubled) ? names : undefined;
}

/** What the lockfile knows of features that others depend on: who those are, only their registry tells. */
function otherLocks(written: readonly WrittenFeature[], locks: Lockfile | undefined): WrittenFeature[] {
  if (!locks) return [];
  const known = new Set(written.map(({ id }) => id));
  const others = [...locks.features.keys()].filter((id) => !known.has(id));
  return others.flatMap((id) => {
    const locked = lockedDigest(locks, { id, options: {}, neededBy: undefined, at: undefined });
    return locked === undefined ? [] : [{ id, locked }];
  });
}

function dependenciesOf({ id, at }: AskedFeature, { metadata }: FoundFeature): AskedFeature[] {
  return [...metadata.dependsOn].map(([dependency, options]) => ({ id: dependency, options, neededBy: id, at }));
}

function privateFeatures({ substitutions }: Substituted): readonly string[] {
  return substitutions.flatMap(({ path: [root, id], fromEnvironment }) =>
    fromEnvironment && root === "features" && typeof id === "string" ? [id] : [],
  );
}

/**
 * A feature outside the patterns of `allowed-images` is refused before anything is asked of its registry.
 * @throws ActionError E_INPUT naming the feature.
 */
export function refuseForeignFeatures(request: FeatureRequest, patterns: Inputs["allowedImages"]): void {
  const { workspace, checkout } = request;
  const folders = { configFolder: folderOf(request.configFile), workspace, checkout };
  for (const asked of askedFeatures(request.configuration, request.additional))
    refuseForeignFeature(asked, folders, patterns);
}

function refuseForeignFeature(asked: AskedFeature, folders: Folders, patterns: Inputs["allowedImages"]): void {
  const reference = identifyFeature(asked, folders);
  if (reference.kind === "local" || reference.kind === "release") return;
  const url = reference.kind === "tarball" ? new URL(reference.url) : undefined;
  const name =
    reference.kind === "oci"
      ? reference.reference
      : { registry: url?.host ?? "", repository: url?.pathname.slice(1) ?? "" };
  if (imageAllowed(patterns, name)) return;
  throw new ActionError("E_INPUT", {
    what: `The feature ${asked.id} is not among what the input allowed-images allows.`,
    fix: `Use a feature that matches one of ${patterns.map(({ written }) => written).join(", ")}, or add a pattern for it.`,
    ...(asked.at ? { at: asked.at } : {}),
  });
}
