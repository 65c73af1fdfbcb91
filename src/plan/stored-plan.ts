import { originsOf } from "../key/origins.ts";
import { hidePrivateValues, type StoredPlan, storeTrees } from "../key/stored.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Plan } from "./keyed.ts";
import type { Sources } from "./plan.ts";

/** The plan of a set, and what is known of the builds of this run. */
export type PlanToStore = {
  readonly sources: Sources;
  readonly plan: Plan;
  /** Seconds by platform, for those that were built in this run. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly salt: string;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** The plan as it is stored: with private values hidden by the given salt. */
export function storePlan({ sources, plan, salt, now, seconds }: PlanToStore): StoredPlan {
  return {
    schema: 1,
    salt,
    configuration: sources.configuration,
    platforms: Object.fromEntries(
      plan.platforms.map((one) => [formatPlatform(one.platform), hidePrivateValues(one.plan, sources.hidden, salt)]),
    ),
    origins: originsOf(sources.places, { ...sources.hidden, folder: isFolderPrivate(sources), salt }),
    trees: storeTrees(sources.trees, salt),
    built: { at: new Date(now).toISOString(), seconds },
  };
}

function isFolderPrivate({ build: { definition } }: Sources): boolean {
  const { source } = definition;
  if (source.kind !== "dockerfile") return false;
  const { dockerfile, context } = source;
  return context.fromEnvironment || dockerfile.fromEnvironment;
}
