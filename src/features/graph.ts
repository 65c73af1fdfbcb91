import type { Json } from "../devcontainer/json.ts";
import type { AskedFeature } from "./asked.ts";
import { type Candidate, isSameInstall, type SoftTarget } from "./compare.ts";
import type { FoundFeature } from "./found.ts";

/** A feature that will be installed, and what has to be installed before it. */
export type FeatureNode = Candidate & {
  readonly asked: AskedFeature;
  readonly found: FoundFeature;
  /** Has to be there. */
  readonly dependsOn: readonly Candidate[];
  /** Comes first where it is there. */
  readonly installsAfter: readonly SoftTarget[];
};

/** What is known of the ids that were asked for, there or in metadata. */
export type Known = {
  readonly feature: (asked: AskedFeature) => FoundFeature;
  /** What the ids in `installsAfter` of a feature stand for. */
  readonly softTargets: (asked: AskedFeature, found: FoundFeature) => readonly SoftTarget[];
};

/**
 * Everything that has to be installed: what was asked for, then what that depends on, breadth first. What would be installed twice with
 * the same options is installed once, under the first name.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/containerFeaturesOrder.ts (_buildDependencyGraph)
 */
export function buildGraph(asked: readonly AskedFeature[], known: Known): readonly FeatureNode[] {
  const waiting = [...asked];
  const nodes: FeatureNode[] = [];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const current = candidateOf(next, known);
    if (nodes.some((node) => isSameInstall(node, current))) continue;
    const { found } = current;
    const needed = dependenciesOf(next, found);
    waiting.push(...needed);
    nodes.push({
      ...current,
      asked: next,
      dependsOn: needed.map((dependency) => candidateOf(dependency, known)),
      installsAfter: known.softTargets(next, found),
    });
  }
  return nodes;
}

/** What a feature depends on, as if somebody had asked for it. */
export function dependenciesOf(asked: AskedFeature, { metadata }: FoundFeature): readonly AskedFeature[] {
  return [...metadata.dependsOn].map(([id, options]: [string, Json]) => ({
    id,
    options,
    neededBy: asked.id,
    at: asked.at,
  }));
}

function candidateOf(asked: AskedFeature, known: Known): Candidate & { readonly found: FoundFeature } {
  const found = known.feature(asked);
  const { reference, digest } = found;
  return { id: asked.id, reference, digest, options: asked.options, aliases: aliasesOf(found), found };
}

/** The names under which a feature is or was published, the present one first. */
export function aliasesOf({ reference, metadata }: FoundFeature): readonly string[] {
  return [metadata.currentId ?? metadata.id ?? reference.name, ...metadata.legacyIds];
}
