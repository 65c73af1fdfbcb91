import type { Plan } from "../plan/keyed.ts";
import type { Sources } from "../plan/plan.ts";
import { storePlan } from "../plan/stored-plan.ts";
import type { World } from "../world.ts";

/** Writes the plan down, private values hidden, for people and for later steps. @returns the file's path; nothing without a plan. */
export async function storePlanFile(
  sources: Sources,
  plan: Plan | undefined,
  world: World,
): Promise<string | undefined> {
  if (!plan) return undefined;
  const folder = await world.files.temporaryFolder("plan", { keep: true });
  const stored = storePlan({ sources, plan, salt: world.salt(), now: world.clock(), seconds: {} });
  await world.files.write(`${folder}/plan.json`, `${JSON.stringify(stored, undefined, 2)}\n`);
  return `${folder}/plan.json`;
}
