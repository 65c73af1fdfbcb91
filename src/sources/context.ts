import { ActionError, placedAt } from "../errors.ts";
import { treeDigest } from "../key/fingerprint.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import type { Files } from "../world.ts";
import { type Tree, unreadable, VANISHED } from "./tree.ts";

/** Which paths of the context folder do not count. Paths are relative to it, with `/`, without a leading one. */
export type ContextFilter = {
  readonly isLeftOut: (path: string) => boolean;
  /** Whether a left-out folder need not even be looked into. */
  readonly canPrune: (path: string) => boolean;
};

const FILES_AT_ONCE = 16;

/** 1980-01-01, the first time that a zip archive can hold: tools that pack files from an image refuse earlier ones. Seconds since 1970. */
const CONTEXT_TIME = 315_532_800;

/** As many fractions of a second as a number of this size can hold without loss; Node hands on the microseconds of them, or more. */
const FRACTIONS = 2 ** 24;

/**
 * The one time of all files of a context, in seconds since 1970. An image shows whole seconds, which are always the same. BuildKit looks
 * closer: of the files that one client sends it takes those for known that have the path, size, mode and time of earlier ones. buildx
 * 0.13 to 0.29 are another client for each folder of theirs, and so in each run, but not for the platforms of one run, nor is that promised.
 * So other content has another fraction.
 * @param digest of everything in the context.
 * @see https://github.com/tonistiigi/fsutil (diff_containerd.go)
 */
export function contextTime(digest: Digest): number {
  return CONTEXT_TIME + (Number.parseInt(hexOf(digest).slice(0, 8), 16) % FRACTIONS) / FRACTIONS;
}

/**
 * Reads what stands at some paths of a context, and the folders above them, as it will be sent: owner, times and all of the mode but the
 * execution bit do not count.
 * @returns files with the sha256 of their content, links with their text, folders.
 * @throws ActionError E_CONTEXT for what cannot be read.
 */
export async function readPaths(tree: Tree, paths: Iterable<string>): Promise<ContextEntry[]> {
  return withParents(await inParallel(FILES_AT_ONCE, [...paths], tree.entry));
}

/**
 * What is wrong with a path of a context is told at that path as seen from the repository.
 * @param seen the context's folder, as seen from there.
 */
export async function seenFrom<T>(seen: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOfContext = error instanceof ActionError && (error.code === "E_CONTEXT" || error.code === "E_CHANGED");
    if (!isOfContext || error.at === undefined || seen === ".") throw error;
    throw placedAt(error, { ...error.at, file: `${seen}/${error.at.file}` });
  }
}

/** Everything below a folder of a context that counts, the folder itself left out. */
export async function listBelow(tree: Tree, folder: string, filter: ContextFilter): Promise<string[]> {
  const visit = async (name: string): Promise<string[]> => {
    const path = folder === "" ? name : `${folder}/${name}`;
    const leftOut = filter.isLeftOut(path);
    if (leftOut && filter.canPrune(path)) return [];
    const entry = await tree.stat(path);
    if (entry === undefined) throw unreadable(path, VANISHED);
    const below = entry.kind === "directory" ? await listBelow(tree, path, filter) : [];
    return leftOut ? below : [path, ...below];
  };
  return (await Promise.all((await tree.list(folder)).map(visit))).flat();
}

/** A file that an exception of the ignore file brought back needs its folders, ignored as they are. */
function withParents(entries: readonly ContextEntry[]): ContextEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries)
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const folder = path.slice(0, slash);
      if (!byPath.has(folder)) byPath.set(folder, { path: folder, kind: "directory" });
    }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Lays the context out in an empty folder exactly as it was hashed: git's modes, one time, nothing else. Umask and races cannot matter.
 * @throws ActionError E_CHANGED when a file is no longer what was hashed.
 */
export async function layOutContext(
  files: Files,
  root: string,
  entries: readonly ContextEntry[],
  to: string,
): Promise<void> {
  const mtime = contextTime(treeDigest(entries));
  const folders = entries.filter((entry) => entry.kind === "directory");
  for (const { path } of folders) await files.makeDirectory(`${to}/${path}`, { mode: 0o755 });
  await inParallel(FILES_AT_ONCE, entries, async (entry) => {
    const path = `${to}/${entry.path}`;
    if (entry.kind === "link") await files.makeLink(path, entry.target, { mtime });
    if (entry.kind !== "file") return;
    const mode = entry.mode === "0755" ? 0o755 : 0o644;
    const written = await files.copy(`${root}/${entry.path}`, path, { mode, mtime });
    if (written !== entry.content) throw changedMeanwhile(entry.path);
  });
  for (const { path } of [...folders].reverse()) await files.touch(`${to}/${path}`, mtime);
  await files.touch(to, mtime);
}

function changedMeanwhile(path: string): ActionError {
  return new ActionError("E_CHANGED", {
    what: `${path} changed between the probe and the build, so the image would not be the one that its key names.`,
    fix: "Let the steps that write into the build context end before this action starts, or name what they write in .dockerignore.",
    at: { file: path },
  });
}

const WITHOUT_A_BREAK = 64;

/** Maps with at most `limit` calls under way, results in the order of the items. Whatever else is waited for has its turn in between. */
async function inParallel<T, R>(limit: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  let pause: Promise<void> | undefined;
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      await pause;
      results[index] = await work(item);
      if ((index + 1) % WITHOUT_A_BREAK === 0) pause = new Promise((done) => setImmediate(done));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
