import type { Json } from "../devcontainer/json.ts";
import type { ActionError } from "../errors.ts";
import { type AskedFeature, featureError } from "./asked.ts";
import { type Candidate, gather, type SoftTarget } from "./compare.ts";
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

/** Far more than anybody installs. One feature counts once for each set of options that it is installed with. */
const MOST_INSTALLS = 500;

/** Features that are named in `dependsOn` and `installsAfter`, all together. */
export const MOST_RELATIONS = 5000;

/**
 * Everything that has to be installed: what was asked for, then what that depends on, breadth first. What would be installed twice with
 * the same options is installed once, under the first name.
 * @throws E_FEATURE where that is more than anybody means.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/containerFeaturesOrder.ts (_buildDependencyGraph)
 */
export function buildGraph(asked: readonly AskedFeature[], known: Known): readonly FeatureNode[] {
  const waiting = [...asked];
  const nodes: FeatureNode[] = [];
  const gathered = gather<FeatureNode>();
  let relations = 0;
  for (const next of waiting) {
    const current = candidateOf(next, known);
    if (gathered.sameAs(current).length > 0) continue;
    const { found } = current;
    const needed = dependenciesOf(next, found);
    const installsAfter = known.softTargets(next, found);
    relations += needed.length + installsAfter.length;
    if (nodes.length >= MOST_INSTALLS || relations > MOST_RELATIONS) throw tooMany(next);
    for (const one of needed) waiting.push(one);
    const node = {
      ...current,
      asked: next,
      dependsOn: needed.map((dependency) => candidateOf(dependency, known)),
      installsAfter,
    };
    nodes.push(node);
    gathered.add(node);
  }
  return nodes;
}

/** Features that depend on one another with ever new options must not keep a runner busy. */
export function tooMany(asked: AskedFeature): ActionError {
  return featureError(asked, {
    what: `is one too many: more than ${MOST_INSTALLS} would be installed, or they name one another more than ${MOST_RELATIONS} times`,
    fix: "Take out the feature whose dependencies never end.",
    by: "feature",
  });
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
