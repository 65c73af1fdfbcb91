import { resolvePath } from "../devcontainer/paths.ts";
import { localGit } from "../git/invocation.ts";
import { type FoundCommit, isCommitId } from "../git/ref.ts";
import { formatGitUrl } from "../git/url.ts";
import type { GitSource } from "../inputs/git-inputs.ts";
import { digestOf, hexOf } from "../oci/digest.ts";
import { type GitPorts, type OpenConnection, runGit } from "./git-connection.ts";

/** What is to be cloned. */
export type Wanted = {
  readonly git: GitSource;
  readonly found: FoundCommit;
  readonly connection: OpenConnection;
  /** Whether tags are wanted that stand at the commit. */
  readonly wantsTags: boolean;
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

/** Of a folder in which something is written: then it is moved to its name. */
const PART = ".part-";

/**
 * Opens the folder of the input source-cache-dir. A commit is kept as git's one pack of it, and the line where its history was cut off:
 * no configuration, no hook, no file of the repository lies there as it is. Whole histories and tags, which move, are not kept.
 */
export async function openKeptPacks(wanted: Wanted, ports: GitPorts): Promise<KeptPacks> {
  const { git, found, connection, wantsTags } = wanted;
  const { files, host, owner, salt, log } = ports;
  if (git.cacheFolder === undefined || git.depth === 0 || wantsTags || !git.singleBranch) return NOTHING;
  const folder = resolvePath(host.workspace, git.cacheFolder);
  const short = (text: string): string => hexOf(digestOf(text)).slice(0, 16);
  const line = `${short(formatGitUrl(git.url))}-${short(`${found.ref} ${git.depth}`)}-`;
  const pack = `${folder}/${line}${found.commit}.pack`;
  const cut = pack.replace(/pack$/, "shallow");
  const part = `${pack}${PART}${owner.self ?? "nobody"}-${salt()}`;
  const quietly = async (work: () => Promise<void>, what: string): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warning(`${what} in source-cache-dir failed, and the run goes on without: ${String(error)}`);
    }
  };
  return {
    take: async (gitFolder) => {
      try {
        if ((await files.stat(pack))?.kind !== "file") return false;
        const own = `${gitFolder}/objects/pack/pack-${found.commit}.pack`;
        await files.copy(pack, own, { mode: 0o600, mtime: 0 });
        const lines = ((await files.readText(cut)) ?? "").split("\n").filter((id) => isCommitId(id));
        if (lines.length > 0) await files.write(`${gitFolder}/shallow`, `${lines.join("\n")}\n`);
        const made = await runGit(
          localGit(host.env, connection.home),
          [`--git-dir=${gitFolder}`, "index-pack", own],
          ports,
        );
        if (made.code === 0) log.info("It is kept from an earlier run: nothing is cloned.");
        return made.code === 0;
      } catch {
        // Another run may be taking it away; it is fetched then.
        return false;
      }
    },
    keep: (gitFolder) =>
      quietly(async () => {
        const packs = ((await files.list(`${gitFolder}/objects/pack`)) ?? []).filter((name) => name.endsWith(".pack"));
        const [only] = packs;
        if (only === undefined || packs.length > 1) return;
        await files.makeDirectory(folder, { mode: 0o700 });
        await files.write(part, (await files.readText(`${gitFolder}/shallow`)) ?? "");
        await files.move(part, cut);
        await files.copy(`${gitFolder}/objects/pack/${only}`, part, { mode: 0o600, mtime: 0 });
        await files.move(part, pack);
        for (const name of (await files.list(folder)) ?? [])
          if (name.startsWith(line) && !name.includes(found.commit)) await files.remove(`${folder}/${name}`);
      }, "Keeping the clone"),
    drop: () =>
      quietly(async () => {
        await files.remove(pack);
        for (const name of (await files.list(folder)) ?? []) {
          const maker = name.split(PART)[1]?.replace(/-[0-9a-f]{32}$/, "");
          if (maker !== undefined && owner.isDead(maker)) await files.remove(`${folder}/${name}`);
        }
      }, "Clearing up"),
  };
}
