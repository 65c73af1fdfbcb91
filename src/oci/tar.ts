/**
 * The blocks of a tar archive: ustar, pax and GNU.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13
 */
export const TAR_BLOCK = 512;

/** What one header block says. `size` in bytes, `NaN` where it says none; `type` is the archive's own letter. */
export type TarHeader = {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  /** Where a link leads to. */
  readonly target: string;
  /** Permission bits with setuid, setgid and the sticky bit. `NaN` where it says none, as for the owner's numbers. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
};

/** Reads a header block; `undefined` where its checksum is not its own. */
export function readTarHeader(block: Uint8Array): TarHeader | undefined {
  if (!hasValidChecksum(block)) return undefined;
  return {
    name: nameIn(block),
    type: String.fromCharCode(block[156] ?? 0),
    size: readNumber(block.subarray(124, 136)),
    target: readTarText(block.subarray(157, 257)),
    mode: readNumber(block.subarray(100, 108)) % 0o10000,
    uid: readNumber(block.subarray(108, 116)),
    gid: readNumber(block.subarray(116, 124)),
  };
}

function nameIn(header: Uint8Array): string {
  const name = readTarText(header.subarray(0, 100));
  // GNU tar has times where POSIX has the front of the path, and writes "ustar " with a blank.
  const prefix = readTarText(header.subarray(257, 263)) === "ustar" ? readTarText(header.subarray(345, 500)) : "";
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
  const text = readTarText(field).trim();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** Up to the first NUL; what is not UTF-8 shows as U+FFFD. */
export function readTarText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/**
 * The records of an extended header, `<length> <name>=<value>\n`, the length counting all of it; of two of one name the later.
 * @returns `undefined` where they cannot be read.
 */
export function readPaxRecords(content: Uint8Array): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const blank = content.indexOf(0x20, at);
    const length = Number(readTarText(content.subarray(at, Math.max(at, blank))));
    const record = content.subarray(blank + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (blank < 0 || !(length > 0) || at + length > content.length || equals < 0) return undefined;
    records.set(readTarText(record.subarray(0, equals)), new TextDecoder().decode(record.subarray(equals + 1)));
    at += length;
  }
  return records;
}
