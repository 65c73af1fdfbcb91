import type { ActionError } from "../errors.ts";
import { readPaxRecords, readTarHeader, readTarText, TAR_BLOCK, type TarHeader } from "../oci/tar.ts";

/** A member of an archive as it stands there; `name` and `target` are not to be trusted as paths. */
export type TarMember = {
  readonly name: string;
  readonly type: "file" | "directory" | "link" | "hardlink";
  /** Where a link leads to; empty for what is no link. */
  readonly target: string;
  readonly content: Uint8Array;
};

/** Makes the error for an archive that cannot be used; `why` continues a sentence that starts with its name. */
export type Refuse = (why: string) => ActionError;

const TYPES: ReadonlyMap<string, TarMember["type"]> = new Map([
  ["\0", "file"],
  ["0", "file"],
  ["7", "file"],
  ["1", "hardlink"],
  ["2", "link"],
  ["5", "directory"],
]);

/** What pax and GNU headers say of the members behind them. */
type Overrides = { readonly name?: string; readonly target?: string; readonly size?: number };

/**
 * Reads the members of a tar archive: ustar, pax and GNU names, no sparse files, no devices.
 * @throws what `refuse` makes, for anything that is damaged, cut off or of another type.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13
 */
export function* readMembers(bytes: Uint8Array, refuse: Refuse): Generator<TarMember> {
  let global: Overrides = {};
  let next: Overrides = {};
  for (let at = 0; at + TAR_BLOCK <= bytes.length; ) {
    const block = bytes.subarray(at, at + TAR_BLOCK);
    if (block.every((byte) => byte === 0)) return;
    const header = readTarHeader(block);
    if (!header) throw refuse(`is damaged: the header at byte ${at} has a wrong checksum`);
    const overrides = { ...global, ...next };
    const size = overrides.size ?? header.size;
    const content = bytes.subarray(at + TAR_BLOCK, at + TAR_BLOCK + size);
    if (!Number.isSafeInteger(size) || size < 0 || content.length !== size) throw refuse("is cut off");
    at += TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
    const { type } = header;
    if (type === "g") global = { ...global, ...readPax(content, refuse) };
    else if (type === "x") next = { ...next, ...readPax(content, refuse) };
    else if (type === "L") next = { ...next, name: readTarText(content) };
    else if (type === "K") next = { ...next, target: readTarText(content) };
    else {
      yield readMember(header, { content, overrides }, refuse);
      next = {};
    }
  }
}

function readMember(
  header: TarHeader,
  { content, overrides }: { readonly content: Uint8Array; readonly overrides: Overrides },
  refuse: Refuse,
): TarMember {
  const { type } = header;
  const name = overrides.name ?? header.name;
  const known = TYPES.get(type);
  if (known === undefined)
    throw refuse(`holds ${name.slice(0, 200)}, which is neither a file, a folder nor a link (type "${type}")`);
  const isLink = known === "link" || known === "hardlink";
  const target = isLink ? (overrides.target ?? header.target) : "";
  // Before POSIX a folder was a file whose name ends in a slash.
  const isFolder = known === "file" && name.endsWith("/");
  return { name, type: isFolder ? "directory" : known, target, content };
}

function readPax(content: Uint8Array, refuse: Refuse): Overrides {
  const records = readPaxRecords(content);
  if (!records) throw refuse("is damaged: an extended header cannot be read");
  if ([...records.keys()].some((name) => name.startsWith("GNU.sparse"))) throw refuse("holds a sparse file");
  const [name, target, size] = [records.get("path"), records.get("linkpath"), records.get("size")];
  return {
    ...(name === undefined ? {} : { name }),
    ...(target === undefined ? {} : { target }),
    ...(size === undefined ? {} : { size: /^\d+$/.test(size) ? Number(size) : Number.NaN }),
  };
}
