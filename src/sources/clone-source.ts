import { resolvePath } from "../devcontainer/paths.ts";
import { tellRef } from "../git/ref.ts";
import { formatGitUrl, type GitUrl, type SourcePattern } from "../git/url.ts";
import { type GitSource, secretsWithin } from "../inputs/git-inputs.ts";
import type { Clone, World } from "../world.ts";
import { fetchCommit } from "./fetch-commit.ts";
import { basicLogin, connect, type GitPorts } from "./git-connection.ts";
import { findSourceCommit } from "./source-commit.ts";

export type AskedClone = {
  readonly git: GitSource;
  readonly allowed: readonly SourcePattern[];
  /** Whether the tags at the commit are asked for. */
  readonly wantsTags: boolean;
};

/**
 * Finds out which commit is asked for, fetches it and lays its files out in a folder of this run alone.
 * @throws ActionError E_GIT, E_GIT_AUTH, E_GIT_ABSENT with the repository's address; nothing else is tried in its place.
 */
export async function cloneSource({ git, allowed, wantsTags }: AskedClone, ports: GitPorts): Promise<Clone> {
  const { log, host } = ports;
  return log.group(`Which commit is ${tellRef(git.ref)} of ${formatGitUrl(git.url)}?`, async () => {
    maskLogins(git, log);
    const connection = await connect(git, ports);
    try {
      const { url, ...found } = await findSourceCommit({ git, allowed, connection }, ports);
      log.info(`Commit ${found.commit}${found.ref === undefined ? "" : `, ${found.ref}`}`);
      const folders = await fetchCommit({ git, allowed, found, wantsTags, connection: { ...connection, url } }, ports);
      await tellLeftOut(folders.folder, ports);
      return { ...folders, ...found, ...namesOf(git.url, host) };
    } finally {
      connection.close();
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

/** Files that are not there, and that somebody who clones by hand has, are told. */
async function tellLeftOut(folder: string, { files, log }: Pick<GitPorts, "files" | "log">): Promise<void> {
  const isThere = async (name: string): Promise<boolean> => (await files.stat(`${folder}/${name}`))?.kind === "file";
  if (await isThere(".gitmodules"))
    log.warning("The repository has submodules (.gitmodules), which are not cloned: their folders are empty.");
  const attributes = resolvePath(folder, ".gitattributes");
  if ((await isThere(".gitattributes")) && /\bfilter=lfs\b/.test((await files.readText(attributes)) ?? ""))
    log.warning(
      "The repository keeps files in Git LFS (.gitattributes), which are not fetched: their pointers stand in.",
    );
}
