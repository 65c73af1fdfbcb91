import type { Host, JobCache } from "../world.ts";

/**
 * The host's cache between jobs through `@actions/cache`, which is read only where something is kept there.
 *
 * What comes out of it is an archive, and the library has tar unpack it wherever its names lead (`tar -P`). So it is used where the host keeps
 * what a pull request's run writes apart from what the branches' runs read: GitHub and Forgejo. Gitea's runner and act have one cache for all of
 * a repository, and a fork's pull request could put a file anywhere on the machine of a run that has the repository's secrets.
 * @returns `undefined` where there is none.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache
 */
export function openJobCache({ name, env }: Pick<Host, "name" | "env">): JobCache | undefined {
  const isThere = Boolean(env.ACTIONS_CACHE_URL || env.ACTIONS_RESULTS_URL) && Boolean(env.ACTIONS_RUNTIME_TOKEN);
  if (!isThere || !(name === "github" || name === "forgejo")) return undefined;
  return {
    restore: async (folder, key) => {
      try {
        return (await (await load()).restoreCache([folder], key)) !== undefined;
      } catch {
        return false;
      }
    },
    save: async (folder, key) => {
      // It says itself what went wrong; that another job was faster is nothing to be said.
      await (await load()).saveCache([folder], key).catch(() => undefined);
    },
  };
}

const load = (): Promise<typeof import("@actions/cache")> => import("@actions/cache");
