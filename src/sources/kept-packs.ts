import { resolvePath } from "../devcontainer/paths.ts";
import { localGit } from "../git/invocation.ts";
import { type FoundCommit, isCommitId } from "../git/ref.ts";
import { formatGitUrl, type SourcePattern } from "../git/url.ts";
import type { GitSource } from "../inputs/git-inputs.ts";
import { digestOf, hexOf } from "../oci/digest.ts";
import type { JobCache } from "../world.ts";
import { type GitPorts, type OpenConnection, runGit } from "./git-connection.ts";

/** What is to be cloned. */
export type Wanted = {
  readonly git: GitSource;
  readonly allowed: readonly SourcePattern[];
  readonly found: FoundCommit;
  readonly connection: OpenConnection;
  /** Whether tags are wanted that stand at the commit. */
  readonly wantsTags: boolean;
  /** Of a submodule: where it is laid out, and its path as seen from the root's files. */
  readonly module?: { readonly folder: string; readonly path: string };
};

/** What earlier runs have fetched, for this commit. */
export type KeptPacks = {
  /** Puts what was kept into a new repository. @returns false where nothing was kept, or what was is not what it has to be. */
  readonly take: (gitFolder: string) => Promise<boolean>;
  /** Keeps what was fetched; what stood there for older commits of the same ref goes. */
  readonly keep: (gitFolder: string) => Promise<void>;
  /** Removes what cannot be used, and what killed runs have left half done. */
  readonly drop: () => Promise<void>;
};

const NOTHING: KeptPacks = { take: async () => false, keep: async () => {}, drop: async () => {} };

/** Behind a name: what is being written there, and by whom. */
const PART = ".part-";

/**
 * Opens the folder of the input source-cache-dir, else the host's cache between jobs. A commit is kept as git's one pack of it, and the line
 * where its history was cut off: no configuration, no hook, no file of the repository lies there as it is. Whole histories and tags, which
 * move, are not kept.
 */
export function openKeptPacks(wanted: Wanted, ports: GitPorts): KeptPacks {
  const { git, wantsTags } = wanted;
  if (git.depth === 0 || wantsTags || !git.singleBranch) return NOTHING;
  const place = placeOf(wanted, ports);
  if (place === undefined) return NOTHING;
  return {
    take: (gitFolder) => takePack(place, gitFolder, { wanted, ports }),
    keep: (gitFolder) => quietly("Keeping the clone for later runs", () => keepPack(place, gitFolder, ports), ports),
    drop: () => quietly("Clearing up what is kept of clones", () => dropPack(place, ports), ports),
  };
}

type Place = {
  readonly folder: string;
  /** What the names of all commits of one ref begin with. */
  readonly line: string;
  /** Under which the host keeps the folder between jobs. */
  readonly key: string;
  readonly pack: string;
  readonly cut: string;
  readonly jobCache: JobCache | undefined;
};

function placeOf({ git, found, module }: Wanted, { host, jobCache }: GitPorts): Place | undefined {
  const short = (text: string): string => hexOf(digestOf(text)).slice(0, 16);
  // A repository may be two submodules of another one, at two commits.
  const kind = module === undefined ? `${found.ref} ${git.depth}` : `submodule ${module.path}`;
  const line = `${short(formatGitUrl(git.url))}-${short(kind)}-`;
  const name = `${line}${found.commit}`;
  const at = (folder: string, cache: JobCache | undefined): Place => {
    const pack = `${folder}/${name}.pack`;
    return {
      folder,
      line,
      key: `dev-container-cache-${name}`,
      pack,
      cut: `${folder}/${name}.shallow`,
      jobCache: cache,
    };
  };
  if (git.cacheFolder !== undefined) return at(resolvePath(host.workspace, git.cacheFolder), undefined);
  // Whoever reads the job's repository, with a pull request too, reads what it keeps there: nothing that takes a login.
  const isOpen = git.url.scheme !== "ssh" && git.login === undefined;
  const home = host.env.RUNNER_TEMP;
  // The host knows a folder again by where it was.
  return isOpen && home && jobCache ? at(`${home}/dev-container-cache-packs/${name}`, jobCache) : undefined;
}

async function takePack(
  { folder, key, pack, cut, jobCache }: Place,
  gitFolder: string,
  { wanted, ports }: { readonly wanted: Wanted; readonly ports: GitPorts },
): Promise<boolean> {
  const { files, host, log } = ports;
  try {
    await jobCache?.restore(folder, key);
    const entry = await files.stat(pack);
    if (entry?.kind !== "file" || (await wanted.connection.space.isPast([pack]))) return false;
    const own = `${gitFolder}/objects/pack/pack-${wanted.found.commit}.pack`;
    await files.copy(pack, own, { mode: 0o600, mtime: 0 });
    const lines = ((await files.readText(cut)) ?? "").split("\n").filter((id) => isCommitId(id));
    if (lines.length > 0) await files.write(`${gitFolder}/shallow`, `${lines.join("\n")}\n`);
    const command = [`--git-dir=${gitFolder}`, "index-pack", own];
    const made = await runGit(localGit(host.env, wanted.connection.home), command, ports);
    if (made.code === 0) log.info("It is kept from an earlier run: nothing is cloned.");
    return made.code === 0;
  } catch {
    // Another run may be taking it away; it is fetched then.
    return false;
  }
}

async function keepPack({ folder, line, key, pack, cut, jobCache }: Place, gitFolder: string, ports: GitPorts) {
  const { files, owner, salt } = ports;
  const packs = ((await files.list(`${gitFolder}/objects/pack`)) ?? []).filter((name) => name.endsWith(".pack"));
  const [only] = packs;
  if (only === undefined || packs.length > 1) return;
  const part = `${pack}${PART}${owner.self ?? "nobody"}-${salt()}`;
  // A folder that is there is as whoever made it wants it: others may use it too.
  if ((await files.stat(folder)) === undefined) await files.makeDirectory(folder, { mode: 0o700 });
  await files.write(part, (await files.readText(`${gitFolder}/shallow`)) ?? "");
  await files.move(part, cut);
  await files.copy(`${gitFolder}/objects/pack/${only}`, part, { mode: 0o600, mtime: 0 });
  await files.move(part, pack);
  const own = [pack, cut].map((path) => path.slice(folder.length + 1));
  for (const name of (await files.list(folder)) ?? [])
    if (name.startsWith(line) && !own.some((one) => name.startsWith(one))) await files.remove(`${folder}/${name}`);
  await jobCache?.save(folder, key);
}

async function dropPack({ folder, pack }: Place, { files, owner }: GitPorts): Promise<void> {
  await files.remove(pack);
  for (const name of (await files.list(folder)) ?? []) {
    const maker = name.split(PART)[1]?.replace(/-[0-9a-f]{32}$/, "");
    if (maker !== undefined && owner.isDead(maker)) await files.remove(`${folder}/${name}`);
  }
}

/** What is kept makes the next run shorter, and no more. */
async function quietly(what: string, work: () => Promise<void>, { log }: GitPorts): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warning(`${what} failed, and the run goes on without: ${String(error)}`);
  }
}
