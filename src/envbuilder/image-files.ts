import { compareBytes } from "./go-json.ts";
import { md5Of, openHash, openMd5 } from "./hashes.ts";
import { isFile, type TarMember, type Wanted } from "./tar-reader.ts";
import { modeText } from "./tree.ts";

/** What a layer says of one path. `md5` is kaniko's hash of it: mode, owner and content. */
export type LayerEntry = {
  readonly path: string;
  readonly kind: "file" | "directory" | "link";
  readonly md5: string;
};

/** What a layer holds of the paths that are asked for, in its order; `doubt` ends the sentence that says why it cannot be told. */
export type LayerFiles = { readonly entries: readonly LayerEntry[]; readonly doubt?: string };

const WHITEOUT = ".wh.";

/**
 * Collects what a layer holds of some paths and below them. Where the builder's own copy of an image and its probe, which reads the layers,
 * do not agree, nobody can tell the key: files that were deleted, hard links, files that are run as somebody else, links of others than root.
 * @param paths clean, without a slash in front.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/imagefs/imagefs.go
 */
export function openLayerFiles(paths: readonly string[]): {
  readonly visit: (member: TarMember) => Wanted;
  readonly files: () => LayerFiles;
} {
  const entries: LayerEntry[] = [];
  let doubt: string | undefined;
  const visit = (member: TarMember): Wanted => {
    const { path } = member;
    const isInside = paths.some((one) => isWithin(one, path));
    const isAbove = path === "" || paths.some((one) => isWithin(path, one));
    doubt ??= doubtOf(member, paths, { isInside, isAbove });
    if (!isInside || doubt !== undefined) return {};
    const kind = isFile(member.type) ? "file" : member.type === "5" ? "directory" : "link";
    const { uid, gid } = member;
    const before = `${modeText({ kind, mode: member.mode })}${uid.toString(36)},${gid.toString(36)}`;
    if (kind !== "file") {
      entries.push({ path, kind, md5: md5Of(before + (kind === "link" ? member.target : "")) });
      return {};
    }
    const hash = openMd5();
    hash.add(before);
    return { take: hash.add, end: () => entries.push({ path, kind, md5: hash.digest() }) };
  };
  return { visit, files: () => (doubt === undefined ? { entries } : { entries, doubt }) };
}

/** Whether a path is a folder or in it. */
function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

type Where = { readonly isInside: boolean; readonly isAbove: boolean };

function doubtOf(member: TarMember, paths: readonly string[], { isInside, isAbove }: Where): string | undefined {
  const { path, type, mode } = member;
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (name.startsWith(WHITEOUT)) {
    const folder = slash < 0 ? "" : path.slice(0, slash);
    const removed = name === ".wh..wh..opq" ? folder : [folder, name.slice(WHITEOUT.length)].filter(Boolean).join("/");
    const counts = paths.some((one) => removed === "" || isWithin(one, removed) || isWithin(removed, one));
    return counts ? `a layer deletes /${removed}` : undefined;
  }
  if (!isInside) return isAbove && path !== "" && type !== "5" ? `/${path} is no folder` : undefined;
  if (member.isStrange) return `/${path} is packed in a way that is not read here`;
  if (type === "1") return `/${path} is a hard link`;
  if (isFile(type)) return mode & 0o7000 ? `/${path} is run as somebody else` : undefined;
  if (type === "5") return undefined;
  if (type !== "2") return `/${path} is no file, folder or link`;
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
  for (const { entries: own, doubt } of layers) {
    if (doubt !== undefined) return { doubt };
    for (const entry of own) {
      const before = entries.get(entry.path);
      if (before && before.kind !== entry.kind)
        return { doubt: `/${entry.path} is another kind of file in each layer` };
      if (!paths.includes(entry.path) && entries.get(folderOf(entry.path))?.kind !== "directory")
        return { doubt: `the folder of /${entry.path} is in no layer` };
      entries.set(entry.path, entry);
    }
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
