import { ActionError, tellSome } from "../errors.ts";
import { localGit } from "../git/invocation.ts";
import { tellRef } from "../git/ref.ts";
import { formatGitUrl, type GitUrl, type SourcePattern } from "../git/url.ts";
import { type GitSource, secretsWithin } from "../inputs/git-inputs.ts";
import type { Clone, World } from "../world.ts";
import { type Fetched, fetchCommit } from "./fetch-commit.ts";
import { basicLogin, connect, type GitPorts, type OpenConnection, runGit } from "./git-connection.ts";
import type { Wanted } from "./kept-packs.ts";
import { findSourceCommit } from "./source-commit.ts";
import { fetchSubmodules } from "./submodules.ts";

export type AskedClone = {
  readonly git: GitSource;
  readonly allowed: readonly SourcePattern[];
  /** Whether the tags at the commit are asked for. */
  readonly wantsTags: boolean;
};

/** The commit that is asked for, before anything of it was fetched. */
export type SourceOf = Pick<Clone, "commit" | "ref" | "page" | "identity">;

export type Source = {
  readonly of: SourceOf;
  /** The address of its repository as it is counted: without a user and `.git`. */
  readonly repository: string;
  /**
   * Fetches the commit and lays its files out in a folder of this run alone.
   * @throws ActionError as `findSource` does.
   */
  readonly clone: () => Promise<Clone>;
  /** Takes away what git needed to speak to the host. */
  readonly close: () => void;
};

/**
 * Finds out which commit is asked for.
 * @throws ActionError E_GIT, E_GIT_AUTH, E_GIT_ABSENT with the repository's address; nothing else is tried in its place.
 */
export async function findSource({ git, allowed, wantsTags }: AskedClone, ports: GitPorts): Promise<Source> {
  const { log, host } = ports;
  return log.group(`Which commit is ${tellRef(git.ref)} of ${formatGitUrl(git.url)}?`, async () => {
    maskLogins(git, log);
    const connection = await connect(git, ports);
    try {
      if (git.lfs) await requireLfs(connection, ports);
      const { url, ...found } = await findSourceCommit({ git, allowed, connection }, ports);
      log.info(`Commit ${found.commit}${found.ref === undefined ? "" : `, ${found.ref}`}`);
      const of = { ...found, ...namesOf(git.url, host) };
      const wanted = { git, allowed, found, wantsTags, connection: { ...connection, url } };
      const clone = async (): Promise<Clone> => {
        const fetched = await fetchCommit(wanted, ports);
        const { isWhole, modules } = await addModules(wanted, fetched, ports);
        const hasPointers = !git.lfs && (await nameLfs([{ wanted, fetched }, ...modules], connection, ports));
        return { folder: fetched.folder, gitFolder: fetched.gitFolder, ...of, isWhole, hasPointers };
      };
      return {
        of,
        repository: formatGitUrl(git.url),
        close: connection.close,
        clone: () => log.group("Which files does it have?", clone),
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  });
}

/** Runners hide a secret where it is one to them; a login may have come from elsewhere. */
function maskLogins(git: GitSource, { mask }: Pick<World["log"], "mask">): void {
  const { login } = git;
  for (const secret of [...(login ? [login.password, basicLogin(login)] : []), ...secretsWithin(git)]) mask(secret);
}

/** A clone of the run's own repository is what a checkout of it is; everything else has names of its own. */
function namesOf(url: GitUrl, { env }: Pick<World["host"], "env">): Pick<Clone, "page" | "identity"> {
  const page = url.scheme === "ssh" ? undefined : formatGitUrl(url);
  const own = `${env.GITHUB_SERVER_URL?.replace(/\/+$/, "")}/${env.GITHUB_REPOSITORY}`.toLowerCase();
  return { page, identity: page?.toLowerCase() === own ? undefined : formatGitUrl(url) };
}

type Part = { readonly wanted: Wanted; readonly fetched: Fetched };
type Added = { readonly isWhole: boolean; readonly modules: readonly Part[] };

/** Fetches the submodules that are asked for. What is not there, and somebody who clones by hand has, is told. */
async function addModules(wanted: Wanted, fetched: Fetched, ports: GitPorts): Promise<Added> {
  const { log } = ports;
  const { links } = fetched.tree;
  if (wanted.git.submodules === "false") {
    if (links.length > 0)
      log.warning(
        `The repository has submodules, which are not cloned: their folders are empty (${tellSome(links.map(({ path }) => path))}). git-submodules fetches them.`,
      );
    return { isWhole: links.length === 0, modules: [] };
  }
  const { leftOut, fetched: modules } = await fetchSubmodules(wanted, fetched, ports);
  if (leftOut.length > 0)
    log.warning(
      `Submodules have submodules themselves, which are not cloned (${tellSome(leftOut)}). git-submodules: recursive fetches them.`,
    );
  return { isWhole: leftOut.length === 0, modules };
}

/** Every folder may have attributes of its own. */
async function nameLfs(parts: readonly Part[], { home }: OpenConnection, ports: GitPorts): Promise<boolean> {
  for (const { wanted, fetched } of parts) {
    const { commit } = wanted.found;
    const looked = ["grep", "--quiet", "--text", "--word-regexp", "--fixed-strings", "-e", "filter=lfs", commit];
    const command = [`--git-dir=${fetched.gitFolder}`, ...looked, "--", ":(glob)**/.gitattributes"];
    if ((await runGit(localGit(ports.host.env, home), command, ports)).code === 0) return true;
  }
  return false;
}

/** @throws ActionError E_INPUT where LFS files are asked for and nothing here can fetch them. */
async function requireLfs({ home }: OpenConnection, ports: GitPorts): Promise<void> {
  if ((await runGit(localGit(ports.host.env, home), ["lfs", "version"], ports)).code === 0) return;
  throw new ActionError("E_INPUT", {
    what: "The input git-lfs is true, and there is no git-lfs on this machine.",
    fix: "Use a job image with git-lfs in it, or install it in a step before this one (Debian, Ubuntu: the package git-lfs).",
  });
}
