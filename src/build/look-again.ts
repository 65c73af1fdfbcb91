import type { Platform } from "../oci/platform.ts";
import type { PlannedPlatform } from "../plan/keyed.ts";
import type { Found } from "../probe/found.ts";
import { lookUpPlatform } from "../probe/platforms.ts";
import type { World } from "../world.ts";
import type { BuildTask } from "./task.ts";

/** Milliseconds for which an answer that nothing was there is as good as a new one. */
const FRESH = 2000;

type Task = Pick<BuildTask, "sources" | "plan" | "platforms" | "rebuild" | "output">;

/** What another job has pushed of a platform since it was probed; nothing where it is to be built all the same. */
export type LookAgain = (planned: PlannedPlatform) => Promise<Found | undefined>;

/**
 * Looks once more for the platforms that are to be built, while builders are found. Where that takes long, because one has to be made or its
 * machine woken up, it is looked anew when it is asked for.
 */
export function lookAgain(
  { sources, plan, platforms, rebuild, output }: Task,
  { registry, clock }: Pick<World, "registry" | "clock">,
): LookAgain {
  if (rebuild !== "no" || output.kind !== "push" || !plan) return async () => undefined;
  const look = async (planned: PlannedPlatform): Promise<Found | undefined> => {
    const late = await lookUpPlatform(sources.wanted, planned, plan, registry);
    return late.kind === "sound" ? late.found[0] : undefined;
  };
  const at = clock();
  const looks = new Map<Platform, Promise<Found | undefined>>();
  for (const one of plan.platforms) if (platforms.includes(one.platform)) looks.set(one.platform, look(one));
  return async (planned) => {
    const found = await looks.get(planned.platform);
    return found ?? (clock() - at > FRESH ? look(planned) : undefined);
  };
}
