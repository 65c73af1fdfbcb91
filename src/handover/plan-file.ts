import type { StoredPlan } from "../key/stored.ts";
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
  return writePlanFile(storePlan({ sources, plan, salt: world.salt(), now: world.clock(), seconds: {} }), world);
}

/** Writes down a plan whose private values are hidden already. @returns the file's path. */
export async function writePlanFile(stored: StoredPlan, { files }: Pick<World, "files">): Promise<string> {
  const folder = await files.temporaryFolder("plan", { keep: true });
  await files.write(`${folder}/plan.json`, `${JSON.stringify(stored, undefined, 2)}\n`);
  return `${folder}/plan.json`;
}
