import type { Inputs } from "../inputs/inputs.ts";
import type { World } from "../world.ts";
import type { Source, SourceOf } from "./clone-source.ts";

/**
 * Finds out which commit is built, where git-url names a repository; the workspace is built as it stands. All that is known about git is only
 * read then.
 * @throws ActionError E_GIT, E_GIT_AUTH or E_GIT_ABSENT where the repository or the ref does not answer.
 */
export async function findSource(inputs: Inputs, world: World): Promise<Source | undefined> {
  const { git, allowedSources: allowed, release } = inputs;
  if (git === undefined) return undefined;
  const clones = await import("./clone-source.ts");
  return clones.findSource({ git, allowed, wantsTags: release?.kind === "auto" }, world);
}

/**
 * What is built: the workspace, or a clone of what was found.
 * @returns the world as the rest of the run sees it: `host.clone` says what was cloned, and the branch of the event is the clone's.
 * @throws ActionError E_GIT, E_GIT_AUTH or E_GIT_ABSENT where the commit does not come.
 */
export async function openSource(source: Source | undefined, world: World): Promise<World> {
  if (source === undefined) return world;
  const clone = await source.clone().finally(source.close);
  if (source.of.identity !== undefined) world.log.detach();
  return { ...world, host: { ...world.host, clone, event: eventOf(source.of, world.host) } };
}

/** The branch is the clone's own; what else the event names are branches of the job's repository. */
export function eventOf({ ref, identity }: SourceOf, { event }: Pick<World["host"], "event">): World["host"]["event"] {
  const branch = /^refs\/heads\/(.+)$/.exec(ref ?? "")?.[1];
  return identity === undefined
    ? { ...event, branch }
    : { ...event, branch, baseBranch: undefined, defaultBranch: undefined };
}
