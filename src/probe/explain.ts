import type { Difference } from "../key/difference.ts";
import { explainMiss } from "../key/explain.ts";
import { planDescriptorOf, statementOf } from "../key/record.ts";
import { readPlanStatement, type StoredPlan } from "../key/stored.ts";
import { textOf } from "../oci/json.ts";
import type { Served } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Repository } from "../oci/reference.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Sources } from "../plan/plan.ts";
import { storePlan } from "../plan/stored-plan.ts";
import type { Registry } from "../world.ts";
import { type Explanation, inCache, type Previous } from "./reasons.ts";

const LARGEST_STATEMENT = 32 * 1024 * 1024;

/**
 * Finds the newest image of this branch, or of the branch that this one goes back to, and tells what differs. What cannot be read is
 * no failure: then there is no explanation.
 * @param isLeg whether this run is about a part of the set, as a leg of a matrix is: platforms that it does not know of are not gone.
 */
export async function explainAgainstBranch(
  sources: Sources,
  plan: Plan,
  registry: Registry,
  { isLeg }: { readonly isLeg: boolean },
): Promise<Explanation> {
  const { repository } = sources.wanted;
  const tags = sources.branches.known;
  const answers = await Promise.all(tags.map((tag) => registry.manifest({ ...repository, tag })));
  for (const [position, tag] of tags.entries()) {
    const answer = answers[position];
    if (answer?.kind !== "found") continue;
    const stored = await readPlan(answer.value, repository, registry);
    if (!stored) continue;
    const compared = isLeg ? onlyPlatformsOf(plan, stored) : stored;
    return compareWith({ tag, index: answer.value }, differences(sources, plan, compared));
  }
  const unread = tags.find((_, position) => answers[position]?.kind !== "absent");
  return { previous: undefined, reasons: [inCache(tellWithoutPrevious(tags.length > 0, unread))] };
}

function tellWithoutPrevious(hasBranch: boolean, unread: string | undefined): string {
  if (!hasBranch) return "there is no earlier image to compare with: which branch this is cannot be told";
  return unread === undefined
    ? "there is no earlier image to compare with: this is the first of its branch"
    : `there is no earlier image to compare with: ${unread} cannot be read`;
}

function compareWith(previous: Previous, reasons: readonly Difference[]): Explanation {
  const nothing = inCache(`nothing differs from ${previous.tag} that the plan knows of`);
  return { previous, reasons: reasons.length === 0 ? [nothing] : reasons };
}

/** Tells what moved between an image of the same sources and the wanted one. */
export async function explainDrift(
  sources: Sources,
  plan: Plan,
  served: Served,
  tag: string,
  registry: Registry,
): Promise<Explanation> {
  const stored = await readPlan(served, sources.wanted.repository, registry);
  if (stored) return compareWith({ tag, index: served }, differences(sources, plan, stored));
  const text = `what has moved cannot be told: what ${tag} was made of cannot be read`;
  return { previous: undefined, reasons: [inCache(text)] };
}

async function readPlan(served: Served, repository: Repository, registry: Registry): Promise<StoredPlan | undefined> {
  const entry = served.body.kind === "index" ? planDescriptorOf(served.body) : undefined;
  if (!entry) return undefined;
  const manifest = await registry.manifest({ ...repository, digest: entry.digest });
  const statement = manifest.kind === "found" ? statementOf(manifest.value) : undefined;
  if (!statement) return undefined;
  const blob = await registry.blob(repository, statement, LARGEST_STATEMENT);
  return blob.kind === "found" ? readPlanStatement(textOf(blob.value)) : undefined;
}

function onlyPlatformsOf({ platforms }: Plan, previous: StoredPlan): StoredPlan {
  const wanted = new Set(platforms.map(({ platform }) => formatPlatform(platform)));
  return {
    ...previous,
    platforms: Object.fromEntries(Object.entries(previous.platforms).filter(([platform]) => wanted.has(platform))),
  };
}

/** Both sides hide private values by the previous plan's salt, so that equal values have equal hashes. */
function differences(sources: Sources, plan: Plan, previous: StoredPlan): Difference[] {
  const now = storePlan({ sources, plan, salt: previous.salt, now: 0, seconds: {} });
  return explainMiss(previous, now.platforms, now.trees, sources.places);
}
