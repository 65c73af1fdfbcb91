import type { ActionError } from "../errors.ts";

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

const BLOCK = 512;

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
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!hasValidChecksum(header)) throw refuse(`is damaged: the header at byte ${at} has a wrong checksum`);
    const overrides = { ...global, ...next };
    const size = overrides.size ?? readNumber(header.subarray(124, 136));
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    if (!Number.isSafeInteger(size) || size < 0 || content.length !== size) throw refuse("is cut off");
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "g") global = { ...global, ...readPax(content, refuse) };
    else if (type === "x") next = { ...next, ...readPax(content, refuse) };
    else if (type === "L") next = { ...next, name: readText(content) };
    else if (type === "K") next = { ...next, target: readText(content) };
    else {
      yield readMember(header, { type, content, overrides }, refuse);
      next = {};
    }
  }
}

function readMember(
  header: Uint8Array,
  { type, content, overrides }: { readonly type: string; readonly content: Uint8Array; readonly overrides: Overrides },
  refuse: Refuse,
): TarMember {
  const name = overrides.name ?? nameIn(header);
  const known = TYPES.get(type);
  if (known === undefined)
    throw refuse(`holds ${name.slice(0, 200)}, which is neither a file, a folder nor a link (type "${type}")`);
  const isLink = known === "link" || known === "hardlink";
  const target = isLink ? (overrides.target ?? readText(header.subarray(157, 257))) : "";
  // Before POSIX a folder was a file whose name ends in a slash.
  const isFolder = known === "file" && name.endsWith("/");
  return { name, type: isFolder ? "directory" : known, target, content };
}

function nameIn(header: Uint8Array): string {
  const name = readText(header.subarray(0, 100));
  // GNU tar has times where POSIX has the front of the path, and writes "ustar " with a blank.
  const prefix = readText(header.subarray(257, 263)) === "ustar" ? readText(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** The sum of all bytes, those of the sum itself counted as blanks. */
function hasValidChecksum(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum === readNumber(header.subarray(148, 156));
}

/** Octal text, or with the highest bit set a big-endian number. `NaN` where it is neither. */
function readNumber(field: Uint8Array): number {
  const [first = 0, ...rest] = field;
  if (first & 0x80) return rest.reduce((value, byte) => value * 256 + byte, first & 0x7f);
  const text = readText(field).trim();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** Up to the first NUL; what is not UTF-8 shows as U+FFFD. */
function readText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Records of `<length> <name>=<value>\n`, the length counting all of it. */
function readPax(content: Uint8Array, refuse: Refuse): Overrides {
  let overrides: Overrides = {};
  for (let at = 0; at < content.length; ) {
    const blank = content.indexOf(0x20, at);
    const length = Number(readText(content.subarray(at, Math.max(at, blank))));
    const record = content.subarray(blank + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (blank < 0 || !(length > 0) || at + length > content.length || equals < 0)
      throw refuse("is damaged: an extended header cannot be read");
    overrides = { ...overrides, ...readRecord(record, equals, refuse) };
    at += length;
  }
  return overrides;
}

function readRecord(record: Uint8Array, equals: number, refuse: Refuse): Overrides {
  const name = readText(record.subarray(0, equals));
  const value = new TextDecoder().decode(record.subarray(equals + 1));
  if (name.startsWith("GNU.sparse")) throw refuse("holds a sparse file");
  if (name === "path") return { name: value };
  if (name === "linkpath") return { target: value };
  return name === "size" ? { size: /^\d+$/.test(value) ? Number(value) : Number.NaN } : {};
}
