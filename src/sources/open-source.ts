import type { Inputs } from "../inputs/inputs.ts";
import type { Clone, World } from "../world.ts";

/**
 * What is built: the workspace as it stands, or, where git-url names a repository, a clone of it. All that is known about git is only read then.
 * @returns the world as the rest of the run sees it: `host.clone` says what was cloned, and the branch of the event is the clone's.
 * @throws ActionError E_GIT, E_GIT_AUTH or E_GIT_ABSENT where the repository or the ref does not come.
 */
export async function openSource(inputs: Inputs, world: World): Promise<World> {
  const { git } = inputs;
  if (git === undefined) return world;
  const { cloneSource } = await import("./clone-source.ts");
  const clone = await cloneSource(
    { git, allowed: inputs.allowedSources, wantsTags: inputs.release?.kind === "auto" },
    world,
  );
  return { ...world, host: { ...world.host, clone, event: eventOf(clone, world.host) } };
}

/** The branch is the clone's own; what else the event names are branches of the job's repository. */
function eventOf({ ref, identity }: Clone, { event }: World["host"]): World["host"]["event"] {
  const branch = /^refs\/heads\/(.+)$/.exec(ref ?? "")?.[1];
  return identity === undefined
    ? { ...event, branch }
    : { ...event, branch, baseBranch: undefined, defaultBranch: undefined };
}
