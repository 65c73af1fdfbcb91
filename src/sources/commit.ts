import { goPackageVersion, type Provenance } from "../arguments/offered.ts";
import type { World } from "../world.ts";

/**
 * What git says about the checkout. Where there is no git, or no repository, nothing is said.
 * @param isGoAsked whether the version is wanted that Go would give the commit: git has to look for tags then.
 * @returns the address of the repository without a login, the commit, and whether files differ from it.
 */
export async function readCommit(
  { exec, host }: Pick<World, "exec" | "host">,
  isGoAsked: boolean,
): Promise<Provenance> {
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    const finished = await exec("git", [...gitFor(host), ...args], { timeout: 10_000 });
    return finished?.code === 0 ? finished.stdout.trim() : undefined;
  };
  const versionTag = async (...args: readonly string[]): Promise<string | undefined> =>
    isGoAsked ? git("describe", "--tags", ...args, "--match", "v[0-9]*") : undefined;
  const [status = "", committed, lastTag, ownTag] = await Promise.all([
    // A clone was just laid out, with what git alone would take for changes: submodules without a .git, files that LFS keeps.
    host.clone ? undefined : git("status", "--porcelain=v2", "--branch", "--untracked-files=normal"),
    isGoAsked ? git("-c", "log.showSignature=false", "log", "-1", "--format=%ct") : undefined,
    versionTag("--abbrev=0"),
    versionTag("--exact-match"),
  ]);
  // Before the first commit it is `(initial)`.
  const revision = host.clone ? host.clone.commit : /^# branch\.oid ([0-9a-f]+)$/m.exec(status)?.[1];
  const isTagged = ownTag !== undefined;
  return {
    source: host.clone ? host.clone.page : sourceOf(host.env),
    revision,
    goPackageVersion:
      revision === undefined || committed === undefined
        ? undefined
        : goPackageVersion({ lastTag: ownTag ?? lastTag, isTagged, committed: Number(committed), revision }),
    isDirty: !host.clone && status.split("\n").some((line) => !line.startsWith("#")),
  };
}

/** What stands in front of a command of git's that is about what is built. */
export function gitFor({ clone, workspace }: Pick<World["host"], "clone" | "workspace">): readonly string[] {
  return clone ? [`--git-dir=${clone.gitFolder}`, `--work-tree=${clone.folder}`] : ["-C", workspace];
}

/** The repository's page: the host knows it without git, whose remotes may hold a login. */
function sourceOf({ GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository }: Readonly<Record<string, string>>) {
  return server && repository ? `${server}/${repository}` : undefined;
}

/**
 * The labels that say where an image comes from: who built it first, for none of them is in the key.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
 */
export function commitLabels({ source, revision, isDirty }: Provenance): Readonly<Record<string, string>> {
  return {
    ...(source === undefined ? {} : { "org.opencontainers.image.source": source }),
    ...(revision === undefined || isDirty ? {} : { "org.opencontainers.image.revision": revision }),
  };
}
