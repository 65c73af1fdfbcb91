import type { ActionError } from "../errors.ts";
import { featureError } from "./asked.ts";
import { type Candidate, compareCandidates, isMeantBy, isSameInstall, type SoftTarget } from "./compare.ts";
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
  let waiting = nodes.map((node) => withoutDangling(node, nodes));
  while (waiting.length > 0) {
    const free = waiting.filter((node) => isFree(node, installed));
    const highest = Math.max(...free.map((node) => priorityOf(node, preferred)));
    const round = free.filter((node) => priorityOf(node, preferred) === highest);
    if (round.length === 0) throw circleError(waiting, installed);
    waiting = waiting.filter((node) => !round.includes(node));
    installed.push(...round.sort(compareCandidates));
  }
  return installed;
}

/** A preference for what is not installed at all is none. */
function withoutDangling(node: FeatureNode, nodes: readonly FeatureNode[]): FeatureNode {
  const installsAfter = node.installsAfter.filter((target) => nodes.some((other) => isMeantBy(other, target)));
  return { ...node, installsAfter };
}

function priorityOf(node: FeatureNode, preferred: readonly SoftTarget[]): number {
  const at = preferred.findIndex((target) => isMeantBy(node, target));
  return at < 0 ? 0 : preferred.length - at;
}

type Requirement = (other: FeatureNode) => boolean;

function requirementsOf({ dependsOn, installsAfter }: FeatureNode): readonly Requirement[] {
  const beThere =
    (needed: Candidate): Requirement =>
    (other) =>
      isSameInstall(other, needed);
  const comeFirst =
    (target: SoftTarget): Requirement =>
    (other) =>
      isMeantBy(other, target);
  return [...dependsOn.map(beThere), ...installsAfter.map(comeFirst)];
}

function isFree(node: FeatureNode, installed: readonly FeatureNode[]): boolean {
  return requirementsOf(node).every((requirement) => installed.some(requirement));
}

function circleError(waiting: readonly FeatureNode[], installed: readonly FeatureNode[]): ActionError {
  const circle = circleOf(waiting, installed);
  const [first] = circle;
  if (!first) throw new Error("features wait and nothing is waiting");
  return featureError(first.asked, {
    what: `cannot be installed, because each of these comes after the next: ${circle.map(({ id }) => id).join(" → ")}`,
    fix: "Take one of them out, or tell the author of one of them: dependsOn and installsAfter must not lead back.",
    by: "feature",
  });
}

/** Follows what each one waits for until it comes to one again; the last one is the first one. */
function circleOf(waiting: readonly FeatureNode[], installed: readonly FeatureNode[]): readonly FeatureNode[] {
  const path: FeatureNode[] = [];
  let next = waiting[0];
  while (next && !path.includes(next)) {
    path.push(next);
    const unmet = requirementsOf(next).find((requirement) => !installed.some(requirement));
    next = unmet && waiting.find(unmet);
  }
  return next ? [...path.slice(path.indexOf(next)), next] : path;
}
