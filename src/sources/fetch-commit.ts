import { ActionError } from "../errors.ts";
import { readGitFailure } from "../git/failure.ts";
import { localGit } from "../git/invocation.ts";
import { formatGitUrl, type GitUrl } from "../git/url.ts";
import type { Clone } from "../world.ts";
import { askHost, type GitPorts, type OpenConnection, runGit } from "./git-connection.ts";
import { absentRef, gitError, notLaidOut } from "./git-errors.ts";
import { openKeptPacks, type Wanted } from "./kept-packs.ts";
import { whereItIs } from "./moved.ts";

type Folders = Pick<Clone, "folder" | "gitFolder">;

/** Where a commit stands in a clone that is no branch's: git itself puts the tags at it where they belong. */
const BY_ID = "refs/heads/source";

/**
 * Fetches one commit and lays its files out. What was kept of an earlier run is taken where it holds that very commit: git computes the
 * ids of all that is in it anew, so nothing that anybody wrote there can be another file.
 * @throws ActionError E_GIT, E_GIT_AUTH or E_GIT_ABSENT.
 */
export async function fetchCommit(wanted: Wanted, ports: GitPorts): Promise<Folders> {
  const kept = openKeptPacks(wanted, ports);
  const again = await makeFolders(wanted, ports);
  if ((await kept.take(again.gitFolder)) && (await layOut(wanted, again, ports)) === undefined) return again;
  await kept.drop();
  const folders = await makeFolders(wanted, ports);
  await fetchFrom(wanted, folders, ports);
  const fault = await layOut(wanted, folders, ports);
  if (fault !== undefined) throw notLaidOut(wanted.git.url, wanted.found.commit, fault);
  await kept.keep(folders.gitFolder);
  return folders;
}

/** The folder is called like the repository, as a checkout's is: its name may stand in a configuration. */
async function makeFolders({ git, found, connection }: Wanted, ports: GitPorts): Promise<Folders> {
  const base = await ports.files.temporaryFolder("source");
  const [folder, gitFolder] = [`${base}/work/${git.url.name}`, `${base}/git`];
  await ports.files.makeDirectory(folder, { mode: 0o755 });
  const format = found.commit.length === 64 ? ["--object-format=sha256"] : [];
  const made = await local(["init", "--quiet", "--bare", ...format, "--", gitFolder], connection, ports);
  if (made.code !== 0) throw gitError(readGitFailure(made.stderr), git);
  return { folder, gitFolder };
}

const local = (command: readonly string[], { home }: OpenConnection, ports: GitPorts) =>
  runGit(localGit(ports.host.env, home), command, ports);

/** By its id first, so that a branch that moves meanwhile does no harm; a server that gives no commit by its id is asked for the ref. */
async function fetchFrom(wanted: Wanted, { gitFolder }: Folders, ports: GitPorts): Promise<void> {
  const { git, allowed, found, connection } = wanted;
  const { commit, ref } = found;
  const [limit, to] = [git.depth === 0 ? [] : [`--depth=${git.depth}`], ref?.startsWith("refs/heads/") ? ref : BY_ID];
  const branches = git.singleBranch ? [] : ["+refs/heads/*:refs/remotes/origin/*"];
  const tags = wanted.wantsTags || git.depth === 0 ? [] : ["--no-tags"];
  const options = ["--quiet", "--force", "--no-write-fetch-head", ...limit, ...tags];
  const fetch = (what: string) => async (url: GitUrl) => {
    const refs = ["--", url.url, `+${what}:${to}`, ...branches];
    const fetched = await askHost(
      { ...connection, url },
      [`--git-dir=${gitFolder}`, "fetch", ...options, ...refs],
      ports,
    );
    if (fetched.code === 0) return { isThere: true };
    return GIVES_NO_IDS.test(fetched.stderr) ? { isThere: false } : readGitFailure(fetched.stderr);
  };
  const first = await whereItIs({ git, allowed, url: connection.url }, fetch(commit), ports);
  if (first.value.isThere) return;
  if (ref === undefined) throw absentRef(git.url, { kind: "commit", id: commit });
  await whereItIs({ git, allowed, url: first.url }, fetch(ref), ports);
  const { stdout } = await local(
    [`--git-dir=${gitFolder}`, "rev-parse", "--verify", `${to}^{commit}`],
    connection,
    ports,
  );
  if (stdout.trim() === commit) return;
  throw new ActionError("E_GIT", {
    what: `${ref} of ${formatGitUrl(git.url)} has moved on from ${commit} while it was cloned, or is gone.`,
    fix: "Run this step again.",
  });
}

const GIVES_NO_IDS = /not our ref|unadvertised object|couldn't find remote ref/i;

/** @returns git's words where the commit's files are not all there. */
async function layOut(
  { found, connection }: Wanted,
  { folder, gitFolder }: Folders,
  ports: GitPorts,
): Promise<string | undefined> {
  const where = [`--git-dir=${gitFolder}`, `--work-tree=${folder}`];
  const { code, stderr } = await local(
    [...where, "checkout", "--quiet", "--force", "--detach", found.commit, "--"],
    connection,
    ports,
  );
  return code === 0 ? undefined : readGitFailure(stderr).words;
}
