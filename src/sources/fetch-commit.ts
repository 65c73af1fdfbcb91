import { ActionError } from "../errors.ts";
import { readGitFailure } from "../git/failure.ts";
import { lfsGit, localGit, remoteGit } from "../git/invocation.ts";
import { readTree, type TreeListing } from "../git/submodules.ts";
import { formatGitUrl, type GitUrl } from "../git/url.ts";
import type { Clone, Finished } from "../world.ts";
import { fetchInto, type GitPorts, type OpenConnection, type Receiving, runGit } from "./git-connection.ts";
import { absentRef, gitError, notLaidOut, tooManyFiles } from "./git-errors.ts";
import { openKeptPacks, type Wanted } from "./kept-packs.ts";
import { whereItIs } from "./moved.ts";

/** What was fetched, with a list of what it holds. */
export type Fetched = Pick<Clone, "folder" | "gitFolder"> & { readonly tree: TreeListing };
type Folders = Omit<Fetched, "tree">;

/** Where a commit stands in a clone that is no branch's: git itself puts the tags at it where they belong. */
const BY_ID = "refs/heads/source";

/**
 * Fetches one commit and lays its files out. What was kept of an earlier run is taken where it holds that very commit: git computes the
 * ids of all that is in it anew, so nothing that anybody wrote there can be another file.
 * @throws ActionError E_GIT, E_GIT_AUTH or E_GIT_ABSENT; E_LIMIT where it takes more of the disk than it may.
 */
export async function fetchCommit(wanted: Wanted, ports: GitPorts): Promise<Fetched> {
  const kept = openKeptPacks(wanted, ports);
  const again = await makeFolders(wanted, ports);
  const found = (await kept.take(again.gitFolder)) ? await layOut(wanted, again, ports) : undefined;
  if (found && !("fault" in found)) return { ...again, ...found };
  await kept.drop();
  const folders = await makeFolders(wanted, ports);
  await fetchFrom(wanted, folders, ports);
  const laid = await layOut(wanted, folders, ports);
  if ("fault" in laid) throw notLaidOut(wanted.git, wanted.found.commit, laid.fault);
  await kept.keep(folders.gitFolder);
  return { ...folders, ...laid };
}

/** The folder is called like the repository, as a checkout's is: its name may stand in a configuration. */
async function makeFolders({ git, found, connection, module }: Wanted, ports: GitPorts): Promise<Folders> {
  const base = await ports.files.temporaryFolder("source");
  const [folder, gitFolder] = [module?.folder ?? `${base}/work/${git.url.name}`, `${base}/git`];
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
    const invocation = remoteGit({ ...connection, url }, ports.host.env);
    const command = [`--git-dir=${gitFolder}`, "fetch", ...options, ...refs];
    const fetched = await fetchInto({ folders: [gitFolder], connection }, invocation, command, ports);
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

type Laid = Pick<Fetched, "tree"> | { readonly fault: string };

/** What a list of files may have: a small commit can say of one folder ten times that it is in one, and so on. */
const LONGEST_LIST = 64 * 1024 * 1024;

/** @returns what the commit holds, or git's words where its files are not all there. */
async function layOut({ git, found, connection }: Wanted, folders: Folders, ports: GitPorts): Promise<Laid> {
  const { folder, gitFolder } = folders;
  const { space } = connection;
  await space.takeFolders([gitFolder]);
  const list = ["-c", "core.quotePath=false", "ls-tree", "-r", "-l", "--full-tree", found.commit];
  const listed = await runGit(localGit(ports.host.env, connection.home), [`--git-dir=${gitFolder}`, ...list], ports, {
    longest: LONGEST_LIST,
  });
  if (listed.endedBy === "size limit") throw tooManyFiles(git.url, found.commit);
  if (listed.code !== 0) return { fault: readGitFailure(listed.stderr).words };
  const tree = readTree(listed.stdout);
  space.take(tree.bytes);
  const where = [`--git-dir=${gitFolder}`, `--work-tree=${folder}`];
  const command = [...where, "checkout", "--quiet", "--force", "--detach", found.commit, "--"];
  const { code, stderr } = git.lfs
    ? await layOutWithLfs(command, { folders: [`${gitFolder}/lfs`, folder], taken: tree.bytes, connection }, ports)
    : await local(command, connection, ports);
  return code === 0 ? { tree } : { fault: readGitFailure(stderr).words };
}

/** Its files count as they are received, and where they are laid out: a thousand pointers may name one of them. */
async function layOutWithLfs(command: readonly string[], into: Receiving, ports: GitPorts): Promise<Finished> {
  const { folders, taken, connection } = into;
  const finished = await fetchInto(into, lfsGit(connection, ports.host.env), command, ports);
  await connection.space.takeFolders(folders, taken);
  return finished;
}
