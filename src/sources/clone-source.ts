import { localGit } from "../git/invocation.ts";
import { tellRef } from "../git/ref.ts";
import { formatGitUrl, type GitUrl, type SourcePattern } from "../git/url.ts";
import { type GitSource, secretsWithin } from "../inputs/git-inputs.ts";
import type { Clone, World } from "../world.ts";
import { fetchCommit } from "./fetch-commit.ts";
import { basicLogin, connect, type GitPorts, runGit } from "./git-connection.ts";
import type { Wanted } from "./kept-packs.ts";
import { findSourceCommit } from "./source-commit.ts";

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
      const { url, ...found } = await findSourceCommit({ git, allowed, connection }, ports);
      log.info(`Commit ${found.commit}${found.ref === undefined ? "" : `, ${found.ref}`}`);
      const of = { ...found, ...namesOf(git.url, host) };
      const wanted = { git, allowed, found, wantsTags, connection: { ...connection, url } };
      const clone = async (): Promise<Clone> => {
        const folders = await fetchCommit(wanted, ports);
        return { ...folders, ...of, isWhole: await tellLeftOut({ ...wanted, ...folders }, ports) };
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

type Fetched = Pick<Wanted, "found" | "connection"> & Pick<Clone, "folder" | "gitFolder">;

/** Files that are not there, and that somebody who clones by hand has, are told. @returns whether there are none. */
async function tellLeftOut({ folder, ...fetched }: Fetched, ports: GitPorts): Promise<boolean> {
  const { files, log } = ports;
  const hasModules = (await files.stat(`${folder}/.gitmodules`))?.kind === "file";
  const hasLfs = await namesLfs(fetched, ports);
  if (hasModules)
    log.warning("The repository has submodules (.gitmodules), which are not cloned: their folders are empty.");
  if (hasLfs)
    log.warning(
      "The repository keeps files in Git LFS (.gitattributes), which are not fetched: their pointers stand in.",
    );
  return !hasModules && !hasLfs;
}

/** Every folder may have attributes of its own. */
async function namesLfs({ gitFolder, found, connection }: Omit<Fetched, "folder">, ports: GitPorts): Promise<boolean> {
  const looked = ["grep", "--quiet", "--text", "--word-regexp", "--fixed-strings", "-e", "filter=lfs", found.commit];
  const command = [`--git-dir=${gitFolder}`, ...looked, "--", ":(glob)**/.gitattributes"];
  return (await runGit(localGit(ports.host.env, connection.home), command, ports)).code === 0;
}
