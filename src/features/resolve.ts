import { isJsonObject, type Json, type JsonObject } from "../devcontainer/json.ts";
import { placeOf } from "../devcontainer/parse.ts";
import { folderOf } from "../devcontainer/paths.ts";
import type { Substituted } from "../devcontainer/substitute.ts";
import { ActionError, type Warning } from "../errors.ts";
import { nearestName } from "../nearest.ts";
import { type AskedFeature, askedFeatures } from "./asked.ts";
import { gather, type SoftTarget } from "./compare.ts";
import { discoverFeatures } from "./discover.ts";
import type { FeatureDoubt, FeaturePorts } from "./found.ts";
import { buildGraph, type FeatureNode } from "./graph.ts";
import { type Folders, identifyFeature } from "./identify.ts";
import { type InstalledFeature, installFeature } from "./install.ts";
import { type Lockfile, type LockfileUse, readLockfile, requireLockfile } from "./lockfile.ts";
import { variableName } from "./options.ts";
import { installationOrder } from "./order.ts";

export type FeatureRequest = {
  readonly configuration: Substituted;
  /** Absolute path of devcontainer.json: local features and the lockfile count from its folder. */
  readonly configFile: string;
  /** Absolute path. */
  readonly workspace: string;
  /** What no link on the way to a local feature may leave. */
  readonly checkout: string;
  /** What the input `additional-features` holds. */
  readonly additional?: JsonObject;
  readonly lockfile: LockfileUse;
};

export type ResolvedFeatures = {
  readonly kind: "resolved";
  /** In the order of installation. */
  readonly features: readonly InstalledFeature[];
  readonly warnings: readonly Warning[];
};

/**
 * Tells which features a configuration installs, in which order and with which options, as the reference CLI's `build` would.
 * @returns the features, or the answer of a registry or server that leaves it open.
 * @throws E_CONFIG for a mistake in the configuration or its lockfile, E_FEATURE for a feature that is not there or cannot be used; both
 * name the feature and the line that asks for it.
 * @see https://containers.dev/implementors/features/
 */
export async function resolveFeatures(
  request: FeatureRequest,
  ports: FeaturePorts,
): Promise<ResolvedFeatures | FeatureDoubt> {
  const { configuration, configFile, workspace, checkout, additional, lockfile: use } = request;
  const asked = askedFeatures(configuration, additional);
  if (asked.length === 0) return { kind: "resolved", features: [], warnings: [] };
  const folders = { configFolder: folderOf(configFile), workspace, checkout };
  const preferred = preferredOrder(configuration, folders);
  const lockfile = await lockfileFor(use, ports, { configFile, checkout });
  const discovery = await discoverFeatures(asked, { folders, lockfile }, ports);
  if (discovery.kind === "registry") return discovery;
  const nodes = buildGraph(asked, discovery.known);
  if (use === "require") requireLockfile(lockfile, nodes);
  const ordered = installationOrder(
    nodes,
    preferred.map(({ target }) => target),
  );
  return {
    kind: "resolved",
    features: ordered.map((node) => installFeature(node.asked, node.found)),
    warnings: [
      ...deprecations(ordered),
      ...mistypedOptions(ordered, configuration),
      ...idlePreferences(preferred, ordered),
    ],
  };
}

async function lockfileFor(
  use: LockfileUse,
  { files }: FeaturePorts,
  { configFile, checkout }: { readonly configFile: string; readonly checkout: string },
): Promise<Lockfile> {
  if (use === "ignore") return { file: "", exists: false, features: new Map(), places: new Map() };
  return readLockfile(files, configFile, checkout);
}

type Preference = { readonly asked: AskedFeature; readonly target: SoftTarget };

/** Only names are compared: the reference CLI asks for each entry, and then does not look at the answer. */
function preferredOrder(configuration: Substituted, folders: Folders): readonly Preference[] {
  const list = configuration.json.overrideFeatureInstallOrder;
  if (!list) return [];
  const entries: readonly Json[] = Array.isArray(list) ? list : [list];
  return entries.map((id, index) => {
    const at = placeOf(configuration, ["overrideFeatureInstallOrder", index]);
    if (!Array.isArray(list) || typeof id !== "string") {
      throw new ActionError("E_CONFIG", {
        what: "overrideFeatureInstallOrder is not a list of features.",
        fix: 'Write ["<id>", …], the ones to install first in front.',
        at,
      });
    }
    const asked = { id, options: {}, neededBy: undefined, at };
    return { asked, target: { reference: identifyFeature(asked, folders), aliases: [] } };
  });
}

function deprecations(nodes: readonly FeatureNode[]): readonly Warning[] {
  return nodes.flatMap(({ asked, found }) =>
    found.metadata.isDeprecated && asked.at
      ? [{ text: `The feature ${asked.id} is deprecated: it will not be updated any more`, at: asked.at }]
      : [],
  );
}

/** Nobody has more, and each is compared with every option of the feature. */
const MOST_COMPARED = 100;

/**
 * Options that a feature does not have and that look like one of its own. What looks like none may be one that its install script knows all the
 * same, and two that differ in upper and lower case alone are one variable to it.
 */
function mistypedOptions(nodes: readonly FeatureNode[], configuration: Substituted): readonly Warning[] {
  return nodes.flatMap(({ asked: { id, options, neededBy, at }, found }) => {
    if (neededBy !== undefined || !isJsonObject(options)) return [];
    const known = [...found.metadata.options.keys()].slice(0, MOST_COMPARED);
    const variables = new Set(known.map(variableName));
    const unknown = Object.keys(options).filter((name) => !variables.has(variableName(name)));
    return unknown.slice(0, MOST_COMPARED).flatMap((name) => {
      const near = nearestName(name, known);
      if (near === undefined) return [];
      const where = at === undefined ? {} : { at: placeOf(configuration, ["features", id, name]) };
      const by = at === undefined ? " (the input additional-features)" : "";
      return [{ text: `The feature ${id}${by} has no option ${name}. Was ${near} meant?`, ...where }];
    });
  });
}

function idlePreferences(preferred: readonly Preference[], nodes: readonly FeatureNode[]): readonly Warning[] {
  const { meantBy } = gather(nodes);
  return preferred.flatMap(({ asked, target }) =>
    asked.at && meantBy(target).length === 0
      ? [{ text: `overrideFeatureInstallOrder names ${asked.id}, which is not installed`, at: asked.at }]
      : [],
  );
}
