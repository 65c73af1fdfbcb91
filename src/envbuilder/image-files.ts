import { compareBytes } from "./go-json.ts";
import { md5Of, openHash, openMd5 } from "./hashes.ts";
import { cleanName, isFile, type TarMember, type Wanted } from "./tar-reader.ts";
import { modeText } from "./tree.ts";

/** What a layer says of one path. `md5` is kaniko's hash of it: mode, owner and content. */
export type LayerEntry = {
  readonly path: string;
  readonly kind: "file" | "directory" | "link";
  readonly md5: string;
};

/** What a layer holds of the paths that are asked for, in its order; `doubt` ends the sentence that says why it cannot be told. */
export type LayerFiles = {
  readonly entries: readonly LayerEntry[];
  /** What it takes out of the layers below, with all that is in it. */
  readonly removed?: readonly string[];
  readonly doubt?: string;
};

/**
 * Whether the layers are those of a stage, which the builder lays out as they are, and of which it takes a copy as root. Those of an image it
 * unpacks beside its own files, where what a layer deletes stays.
 */
export type Laid = { readonly isStage: boolean };

const WHITEOUT = ".wh.";

/**
 * Collects what a layer holds of some paths and below them, as the builder's own copy has it: that makes the keys, also where its probe,
 * which reads layers, does not find it.
 * @param paths clean, without a slash in front.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/imagefs/imagefs.go, ../util/fs_util.go (CopyFileOrSymlink, GetFSFromLayers)
 */
export function openLayerFiles(
  paths: readonly string[],
  { isStage }: Laid,
): {
  readonly visit: (member: TarMember) => Wanted;
  readonly files: () => LayerFiles;
} {
  const entries: LayerEntry[] = [];
  const removed: string[] = [];
  let doubt: string | undefined;
  const visit = (member: TarMember): Wanted => {
    const { path } = member;
    const isInside = paths.some((one) => isWithin(one, path));
    const isAbove = path === "" || paths.some((one) => isWithin(path, one));
    const gone = removedBy(path);
    if (gone !== undefined) {
      if (isStage) removed.push(gone);
      return {};
    }
    doubt ??= doubtOf(member, { isInside, isAbove, isStage });
    if (!isInside || doubt !== undefined) return {};
    if (member.type === HARD_LINK) {
      const same = entries.findLast((entry) => entry.path === cleanName(member.target));
      if (same) entries.push({ ...same, path });
      else doubt = `/${path} is a hard link to a file that is not copied`;
      return {};
    }
    return hashMember(member, isStage, (entry) => void entries.push(entry));
  };
  return { visit, files: () => (doubt === undefined ? { entries, removed } : { entries, removed, doubt }) };
}

/** A link of a stage is made anew, and then it is root's. */
function hashMember(member: TarMember, isStage: boolean, done: (entry: LayerEntry) => void): Wanted {
  const { path, type } = member;
  const kind = isFile(type) ? "file" : type === "5" ? "directory" : "link";
  const { mode, uid, gid } = kind === "link" && isStage ? { mode: 0o777, uid: 0, gid: 0 } : member;
  const before = `${modeText({ kind, mode })}${uid.toString(36)},${gid.toString(36)}`;
  if (kind !== "file") {
    done({ path, kind, md5: md5Of(before + (kind === "link" ? member.target : "")) });
    return {};
  }
  const hash = openMd5();
  hash.add(before);
  return { take: hash.add, end: () => done({ path, kind, md5: hash.digest() }) };
}

const HARD_LINK = "1";

/** What a whiteout takes away. The one that empties a folder is to kaniko one of a file `.wh..opq`, which is not there. */
function removedBy(path: string): string | undefined {
  const slash = path.lastIndexOf("/") + 1;
  const name = path.slice(slash);
  return name.startsWith(WHITEOUT) ? path.slice(0, slash) + name.slice(WHITEOUT.length) : undefined;
}

/** Whether a path is a folder or in it. */
function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

type Where = Laid & { readonly isInside: boolean; readonly isAbove: boolean };

function doubtOf(member: TarMember, { isInside, isAbove, isStage }: Where): string | undefined {
  const { path, type, mode } = member;
  if (!isInside) return isAbove && path !== "" && type !== "5" ? `/${path} is no folder` : undefined;
  if (member.isStrange) return `/${path} is packed in a way that is not read here`;
  if (type === HARD_LINK) return undefined;
  if (isFile(type)) return mode & 0o7000 ? `/${path} is run as somebody else` : undefined;
  if (type === "5") return undefined;
  if (type !== "2") return `/${path} is no file, folder or link`;
  if (isStage) return undefined;
  return mode !== 0o777 || member.uid !== 0 || member.gid !== 0 ? `the link /${path} is not root's alone` : undefined;
}

/** The files of an image as far as they were asked for. */
export type ImageFiles = {
  readonly entryOf: (path: string) => LayerEntry | undefined;
  /** A path and all below it, a folder in front of what is in it, by the bytes of the names. */
  readonly walk: (path: string) => readonly LayerEntry[];
};

/**
 * Lays layers over one another, the lowest first.
 * @returns why that cannot be told, as the end of a sentence.
 */
export function layOver(
  layers: readonly LayerFiles[],
  paths: readonly string[],
): ImageFiles | { readonly doubt: string } {
  const entries = new Map<string, LayerEntry>();
  for (const layer of layers) {
    const doubt = layer.doubt ?? addLayer(layer, entries, paths);
    if (doubt !== undefined) return { doubt };
  }
  const children = new Map<string, string[]>();
  for (const path of entries.keys()) {
    const folder = folderOf(path);
    const known = children.get(folder) ?? [];
    known.push(path);
    children.set(folder, known);
  }
  const walk = (path: string): readonly LayerEntry[] => {
    const entry = entries.get(path);
    if (!entry) return [];
    return [entry, ...[...(children.get(path) ?? [])].sort(compareBytes).flatMap(walk)];
  };
  return { entryOf: (path) => entries.get(path), walk };
}

/** @returns why it cannot be told what comes of it. */
function addLayer(
  { entries: own, removed = [] }: LayerFiles,
  entries: Map<string, LayerEntry>,
  paths: readonly string[],
): string | undefined {
  for (const gone of removed) for (const path of [...entries.keys()]) if (isWithin(gone, path)) entries.delete(path);
  for (const entry of own) {
    const before = entries.get(entry.path);
    if (before && before.kind !== entry.kind) return `/${entry.path} is another kind of file in each layer`;
    if (!paths.includes(entry.path) && entries.get(folderOf(entry.path))?.kind !== "directory")
      return `the folder of /${entry.path} is in no layer`;
    entries.set(entry.path, entry);
  }
  return undefined;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** What a path of an image adds to a key; nothing where an ignore file takes it out. */
export function imageKeyPart(
  files: ImageFiles,
  path: string,
  isIgnored: (path: string) => boolean,
): string | undefined {
  const [first, ...below] = files.walk(path);
  if (!first) return undefined;
  const hash = openHash();
  const taken = [first, ...below].filter((entry) => !isIgnored(entry.path));
  if (first.kind !== "directory" && taken.length === 0) return undefined;
  for (const { md5 } of taken) hash.add(md5);
  return taken.length === 0 && isIgnored(path) ? undefined : hash.digest();
}
