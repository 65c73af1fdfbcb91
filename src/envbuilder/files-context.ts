import { folderOf, lastSegment, pathWithin } from "../devcontainer/paths.ts";
import { joinPath } from "../dockerfile/go-path.ts";
import type { Entry, Files } from "../world.ts";
import { type Attributes, openAttributes } from "./attributes.ts";
import type { Context, ContextEntry } from "./context.ts";
import { md5Of } from "./hashes.ts";

type ContextFiles = Pick<Files, "stat" | "list" | "realPath" | "readLink" | "readText" | "md5">;

export type Checkout = {
  readonly files: ContextFiles;
  /** The folder of the checkout, absolute. */
  readonly workspace: string;
  /** The context's folder, absolute. */
  readonly folder: string;
  /** What `git ls-files -s -z` says in the checkout, where it is one: what it does not name is not in the builder's clone. */
  readonly index: string | undefined;
};

const SUBMODULE = "160000";
const MODES: ReadonlyMap<string, ContextEntry> = new Map<string, ContextEntry>([
  ["100644", { kind: "file", mode: 0o644 }],
  ["100755", { kind: "file", mode: 0o755 }],
  ["120000", { kind: "link", mode: 0o777 }],
  [SUBMODULE, { kind: "unknown" }],
]);
const FOLDER: ContextEntry = { kind: "directory", mode: 0o755 };

/**
 * A checkout's files as envbuilder's own clone has them: with git's modes, made by root under its usual mask, and content as git keeps it.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/git/git.go (CloneRepo)
 */
export async function openContext({ files, workspace, folder, index }: Checkout): Promise<Context> {
  const root = (await files.realPath(workspace)) ?? workspace;
  const tracked = index === undefined ? undefined : readIndex(index);
  const attributes = openAttributes((path) => files.readText(joinPath(root, path)));
  const place = openPlaces(files, root, folder);

  return {
    stat: async (path) => {
      const at = await place(path);
      if (at.kind !== "inside") return at.kind === "outside" ? { kind: "unknown" } : undefined;
      const onDisk = await files.stat(at.full);
      const wanted = tracked && !isGit(at.path) ? tracked.entries.get(at.path) : asTracked(onDisk);
      if (!wanted || wanted.kind === "unknown") return wanted;
      if (onDisk?.kind !== wanted.kind) return { kind: "unknown" };
      return wanted.kind === "file" && (await isDoubtful(files, attributes, at, onDisk)) ? { kind: "unknown" } : wanted;
    },
    list: async (path) => {
      const at = await place(path);
      if (at.kind !== "inside") return [];
      const known = isGit(at.path) ? undefined : tracked?.names.get(at.path);
      if (!known) return tracked && !isGit(at.path) ? [] : ((await files.list(at.full)) ?? []);
      return at.path === "." && (await files.stat(joinPath(root, ".git"))) ? [...known, ".git"] : [...known];
    },
    md5: async (path, before) => {
      const at = await place(path);
      const full = at.kind === "inside" ? at.full : joinPath(folder, path);
      const { kind } = (await files.stat(full)) ?? {};
      if (kind === "link") return md5Of(before + (await files.readLink(full)));
      return kind === "directory" ? md5Of(before) : files.md5(full, before);
    },
  };
}

/** The folder in which git keeps the clone's history: never tracked, and always there. */
function isGit(path: string): boolean {
  return path === ".git" || path.startsWith(".git/");
}

/** Where a path leads when the links in front of its last name are followed. `path` is relative to the checkout. */
type Place =
  | { readonly kind: "inside"; readonly path: string; readonly full: string }
  | { readonly kind: "outside" | "missing" };

/** The folders that were found are kept: there are many files in one. */
function openPlaces(files: ContextFiles, root: string, folder: string): (path: string) => Promise<Place> {
  const folders = new Map<string, Promise<string | undefined>>();
  const realFolder = (path: string): Promise<string | undefined> => {
    const real = folders.get(path) ?? files.realPath(path);
    folders.set(path, real);
    return real;
  };
  return async (path) => {
    const written = joinPath(folder, path);
    const parent = await realFolder(path === "." ? written : folderOf(written));
    if (parent === undefined) return { kind: "missing" };
    const full = path === "." ? parent : joinPath(parent, lastSegment(written));
    const within = pathWithin(root, full);
    return within === undefined ? { kind: "outside" } : { kind: "inside", path: within, full };
  };
}

/** Git knows of a file only whether its owner may run it. */
function asTracked(entry: Entry | undefined): ContextEntry | undefined {
  if (entry?.kind === "file") return MODES.get(entry.mode & 0o100 ? "100755" : "100644");
  if (entry?.kind === "link") return MODES.get("120000");
  return entry && (entry.kind === "directory" ? FOLDER : { kind: "other" });
}

type Index = {
  readonly entries: ReadonlyMap<string, ContextEntry>;
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
};

/** Each entry is `mode object stage`, a tab and the path, and ends with a NUL. */
function readIndex(text: string): Index {
  const entries = new Map<string, ContextEntry>([[".", FOLDER]]);
  const names = new Map<string, Set<string>>();
  for (const line of text.split("\0")) {
    const [, mode = "", path = ""] = /^([0-7]{6}) [^\t]*\t(.*)$/s.exec(line) ?? [];
    if (path === "") continue;
    entries.set(path, MODES.get(mode) ?? { kind: "unknown" });
    for (let at = path; at !== "."; ) {
      const slash = at.lastIndexOf("/");
      const parent = slash < 0 ? "." : at.slice(0, slash);
      if (!entries.has(parent)) entries.set(parent, FOLDER);
      const known = names.get(parent) ?? new Set();
      names.set(parent, known.add(at.slice(slash + 1)));
      at = parent;
    }
  }
  return { entries, names };
}

/** Beginning and greatest length of what git LFS keeps in a file's stead: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const POINTER = "version https://git-lfs.github.com/spec/";
const LONGEST_POINTER = 1024;

/** Whether git may have put something else on the disk than it keeps: envbuilder's clone has what is kept. */
async function isDoubtful(
  files: ContextFiles,
  attributes: Attributes,
  { path, full }: Extract<Place, { kind: "inside" }>,
  { size }: Entry,
): Promise<boolean> {
  const filters = await attributes.filtersOf(path);
  if (filters.length === 0) return false;
  const isPointer = size <= LONGEST_POINTER && ((await files.readText(full)) ?? "").startsWith(POINTER);
  return !isPointer || filters.some((filter) => filter !== "filter=lfs");
}
