import type { ActionError } from "../errors.ts";
import { featureError } from "./asked.ts";
import { compareCandidates, gather, type SoftTarget } from "./compare.ts";
import type { FeatureNode } from "./graph.ts";

/**
 * The order of installation: in rounds, each of what has nothing to wait for any more; of those what the person moved to the front comes
 * first, and within a round names decide.
 * @param preferred what `overrideFeatureInstallOrder` names, first to last. It never overtakes a dependency.
 * @throws E_FEATURE naming the features that wait for one another.
 * @see https://containers.dev/implementors/features/#installation-order
 */
export function installationOrder(
  nodes: readonly FeatureNode[],
  preferred: readonly SoftTarget[],
): readonly FeatureNode[] {
  const installed: FeatureNode[] = [];
  const requirements = requirementsOf(nodes);
  const met = metBy(requirements);
  const priorities = prioritiesOf(nodes, preferred);
  const waiting = new Set(nodes);
  const priorityOf = (node: FeatureNode): number => priorities.get(node) ?? 0;
  while (waiting.size > 0) {
    const free = [...waiting].filter((node) => (requirements.get(node) ?? []).every(({ isMet }) => isMet));
    const highest = free.reduce((most, node) => Math.max(most, priorityOf(node)), 0);
    const round = free.filter((node) => priorityOf(node) === highest).sort(compareCandidates);
    if (round.length === 0) throw circleError(waiting, requirements);
    for (const node of round) {
      waiting.delete(node);
      installed.push(node);
      for (const one of met.get(node) ?? []) one.isMet = true;
    }
  }
  return installed;
}

/** How far in front the person moved each; 0 for the others. */
function prioritiesOf(
  nodes: readonly FeatureNode[],
  preferred: readonly SoftTarget[],
): ReadonlyMap<FeatureNode, number> {
  const { meantBy } = gather(nodes);
  const priorities = new Map<FeatureNode, number>();
  for (const [at, target] of preferred.entries())
    for (const node of meantBy(target)) if (!priorities.has(node)) priorities.set(node, preferred.length - at);
  return priorities;
}

/** One of these has to be installed before. */
type Requirement = { readonly by: readonly FeatureNode[]; isMet: boolean };

type Requirements = ReadonlyMap<FeatureNode, readonly Requirement[]>;

/** A preference for what is not installed at all is none. */
function requirementsOf(nodes: readonly FeatureNode[]): Requirements {
  const { sameAs, meantBy } = gather(nodes);
  return new Map(
    nodes.map((node) => {
      const needed = node.dependsOn.map(sameAs);
      const before = node.installsAfter.map(meantBy).filter((meant) => meant.length > 0);
      return [node, [...needed, ...before].map((by) => ({ by, isMet: false }))];
    }),
  );
}

/** What each of them meets. */
function metBy(requirements: Requirements): ReadonlyMap<FeatureNode, readonly Requirement[]> {
  const met = new Map<FeatureNode, Requirement[]>();
  for (const one of [...requirements.values()].flat())
    for (const node of one.by) {
      const all = met.get(node) ?? [];
      met.set(node, all);
      all.push(one);
    }
  return met;
}

function circleError(waiting: ReadonlySet<FeatureNode>, requirements: Requirements): ActionError {
  const circle = circleOf(waiting, requirements);
  const [first] = circle;
  if (!first) throw new Error("features wait and nothing is waiting");
  return featureError(first.asked, {
    what: `cannot be installed, because each of these comes after the next: ${circle.map(({ id }) => id).join(" → ")}`,
    fix: "Take one of them out, or tell the author of one of them: dependsOn and installsAfter must not lead back.",
    by: "feature",
  });
}

/** Follows what each one waits for until it comes to one again; the last one is the first one. */
function circleOf(waiting: ReadonlySet<FeatureNode>, requirements: Requirements): readonly FeatureNode[] {
  const path = new Set<FeatureNode>();
  let [next] = waiting;
  while (next && !path.has(next)) {
    path.add(next);
    const unmet = requirements.get(next)?.find(({ isMet }) => !isMet);
    next = unmet?.by.find((node) => waiting.has(node));
  }
  const all = [...path];
  return next ? [...all.slice(all.indexOf(next)), next] : all;
}
