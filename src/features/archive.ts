import type { FeaturePorts } from "./found.ts";
import { type Refuse, readMembers, type TarMember } from "./tar.ts";

/** What an archive holds, at paths that cannot leave it. Modes do not count: the build sets all of them. */
export type ArchiveEntry =
  | { readonly path: string; readonly kind: "file"; readonly content: Uint8Array }
  | { readonly path: string; readonly kind: "link"; readonly target: string }
  | { readonly path: string; readonly kind: "directory" };

/** What a file system keeps of a link. */
const LONGEST_TARGET = 4095;

/** Far more than any feature needs, and far less than harms a runner. Bytes count unpacked. */
export const ARCHIVE_LIMITS = { bytes: 128 * 1024 * 1024, entries: 10_000, pathLength: 1024 };

/**
 * Unpacks a feature's archive, a tar that may be packed with gzip, into memory.
 * @param keep which members count, by their names as they stand in the archive.
 * @returns one entry a path, sorted by path; where a path stands twice the later one counts. `size`: the bytes of memory that they hold
 * on to, which is all that was unpacked.
 * @throws what `refuse` makes, for what is damaged, too large, or would leave the folder that it is unpacked into: absolute paths, `..`,
 * paths through a link, links that lead out.
 */
export async function readArchive(
  packed: Uint8Array,
  {
    gunzip,
    refuse,
    keep = () => true,
  }: {
    readonly gunzip: FeaturePorts["gunzip"];
    readonly refuse: Refuse;
    readonly keep?: (name: string) => boolean;
  },
): Promise<{ readonly entries: readonly ArchiveEntry[]; readonly size: number }> {
  const bytes = isGzip(packed) ? await gunzip(packed, ARCHIVE_LIMITS.bytes) : packed;
  if ("wrong" in bytes) throw refuse(`cannot be unpacked: ${bytes.wrong}`);
  const entries = new Map<string, ArchiveEntry>();
  for (const member of readMembers(bytes, refuse)) {
    const entry = keep(member.name) ? readEntry(member, entries, refuse) : undefined;
    if (entry) entries.set(entry.path, entry);
    if (entries.size > ARCHIVE_LIMITS.entries) throw refuse(`holds more than ${ARCHIVE_LIMITS.entries} files`);
  }
  for (const { path } of entries.values()) refuseDetour(path, entries, refuse);
  return { entries: [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), size: bytes.length };
}

/** The text of a file in an archive; of no interest where it is longer than `limit` bytes. */
export function textIn(entries: readonly ArchiveEntry[], path: string, limit: number): string | undefined {
  const entry = entries.find((one) => one.path === path);
  return entry?.kind === "file" && entry.content.length <= limit ? new TextDecoder().decode(entry.content) : undefined;
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function readEntry(
  member: TarMember,
  earlier: ReadonlyMap<string, ArchiveEntry>,
  refuse: Refuse,
): ArchiveEntry | undefined {
  const path = pathOf(member.name, refuse);
  if (path === "") return undefined;
  if (member.type === "directory") return { path, kind: "directory" };
  if (member.type === "file") return { path, kind: "file", content: member.content };
  if (member.type === "link") {
    if (member.target.length > LONGEST_TARGET)
      throw refuse(`holds ${path}, a link of ${member.target.length} characters`);
    if (leadsOut(path, member.target)) throw refuse(`holds ${path}, a link that leads out of the archive`);
    return { path, kind: "link", target: member.target };
  }
  const original = earlier.get(pathOf(member.target, refuse));
  if (original?.kind === "file") return { ...original, path };
  throw refuse(`holds ${path}, a second name of ${member.target}, which is no file before it`);
}

/** The path inside the folder that the archive is unpacked into; empty for that folder itself. */
function pathOf(name: string, refuse: Refuse): string {
  if (name.length > ARCHIVE_LIMITS.pathLength) throw refuse(`holds a path of ${name.length} characters`);
  if (name.startsWith("/")) throw refuse(`holds ${name}, an absolute path`);
  const segments = name.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) throw refuse(`holds ${name}, which climbs out of the archive`);
  if (/[\0\uFFFD]/.test(name)) throw refuse("holds a file whose name is not UTF-8");
  return segments.join("/");
}

/** Whether a link at a path climbs above the folder that holds everything, at any point of its way. */
function leadsOut(path: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  let depth = path.split("/").length - 1;
  return target.split("/").some((segment) => {
    if (segment === "..") depth--;
    else if (segment !== "" && segment !== ".") depth++;
    return depth < 0;
  });
}

/** Everything above an entry has to be a folder, or nothing that is named: through a link one would write elsewhere. */
function refuseDetour(path: string, entries: ReadonlyMap<string, ArchiveEntry>, refuse: Refuse): void {
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const above = entries.get(path.slice(0, slash));
    if (above && above.kind !== "directory") throw refuse(`holds ${path}, but ${above.path} is no folder`);
  }
}
