import { readPaxRecords, readTarHeader, readTarText, TAR_BLOCK, type TarHeader } from "../oci/tar.ts";

/** A member of an archive, extended headers taken into account. Its path is clean and has no slash in front. */
export type TarMember = Pick<TarHeader, "type" | "target" | "mode" | "uid" | "gid"> & {
  readonly path: string;
  /** Whether its size in the archive is not its own, or its name, owner or target is written as nobody here reads it. */
  readonly isStrange: boolean;
};

/** What is wanted of a member: its content, piece by piece, and whether it was the last of interest. */
export type Wanted = {
  readonly take?: (bytes: Uint8Array) => void;
  readonly end?: () => void;
  readonly isLast?: boolean;
};

/** Looks at the next bytes of an archive. `enough` once all of the last member of interest has been handed over. */
export type TarReader = (bytes: Uint8Array) => "more" | "enough" | "ended" | { readonly wrong: string };

/** An extended header is a few names long. */
const LONGEST_HEADER = 1024 * 1024;

/** What extended headers say of the member behind them. */
type Extended = {
  readonly name?: string;
  readonly target?: string;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly isStrange?: boolean;
};

/** What has come and was not looked at yet. */
type Input = { bytes: Uint8Array };

/** Waits for more wherever it yields. */
type Waiting<T> = Generator<undefined, T, undefined>;

type End = "enough" | "ended" | { readonly wrong: string };

type Visit = (member: TarMember) => Wanted;

/**
 * Goes through a tar archive as it comes, and holds no more of it than a header.
 * @param visit is told of each member, in the archive's order.
 */
export function openTarReader(visit: Visit): TarReader {
  const input: Input = { bytes: new Uint8Array() };
  const reading = readMembers(input, visit);
  return (bytes) => {
    input.bytes = join(input.bytes, bytes);
    const step = reading.next();
    return step.done ? step.value : "more";
  };
}

function* readMembers(input: Input, visit: Visit): Waiting<End> {
  let extended: Extended = {};
  for (;;) {
    const block = yield* collect(input, TAR_BLOCK);
    if (block.every((byte) => byte === 0)) return "ended";
    const header = readTarHeader(block);
    if (!header) return { wrong: "it holds a header with a wrong checksum" };
    if (["x", "g", "L", "K"].includes(header.type)) {
      const said = yield* readExtended(input, header);
      if ("wrong" in said) return said;
      extended = { ...extended, ...said };
      continue;
    }
    // Go reads no content behind a link, a device, a folder or a pipe, whatever size they claim.
    const size = /^[1-6]$/.test(header.type) ? 0 : (extended.size ?? header.size);
    if (!isSize(size)) return { wrong: "it holds a file without a size" };
    const { take = () => undefined, end, isLast } = visit(memberOf(header, extended));
    extended = {};
    yield* passOn(input, size, take);
    end?.();
    if (isLast) return "enough";
    yield* passOn(input, padded(size) - size, () => undefined);
  }
}

function memberOf(header: TarHeader, extended: Extended): TarMember {
  const { uid, gid, target } = { ...header, ...extended };
  const isNumbered = [uid, gid, header.mode].every((value) => Number.isSafeInteger(value) && value >= 0);
  return {
    type: header.type,
    mode: header.mode,
    path: cleanName(extended.name ?? header.name),
    target,
    uid,
    gid,
    isStrange: extended.isStrange === true || !isNumbered,
  };
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

function padded(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

function* collect(input: Input, size: number): Waiting<Uint8Array> {
  while (input.bytes.length < size) yield;
  const taken = input.bytes.subarray(0, size);
  input.bytes = input.bytes.subarray(size);
  return taken;
}

function* passOn(input: Input, size: number, take: (bytes: Uint8Array) => void): Waiting<void> {
  for (let left = size; left > 0; ) {
    if (input.bytes.length === 0) yield;
    const piece = yield* collect(input, Math.min(left, input.bytes.length));
    take(piece);
    left -= piece.length;
  }
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const joined = new Uint8Array(one.length + other.length);
  joined.set(one);
  joined.set(other, one.length);
  return joined;
}

/** A global header says nothing of members. */
function* readExtended(input: Input, { type, size }: TarHeader): Waiting<Extended | { readonly wrong: string }> {
  if (!isSize(size) || size > LONGEST_HEADER) return { wrong: `it holds an extended header of ${size} bytes` };
  const content = (yield* collect(input, padded(size))).subarray(0, size);
  if (type === "L") return { name: readTarText(content) };
  if (type === "K") return { target: readTarText(content) };
  if (type !== "x") return {};
  const records = readPaxRecords(content);
  if (!records) return { wrong: "it holds an extended header that cannot be read" };
  const number = (name: string) => (records.has(name) ? Number(records.get(name)) : undefined);
  const said = { name: records.get("path"), target: records.get("linkpath"), size: number("size") };
  const owner = { uid: number("uid"), gid: number("gid") };
  const isStrange = [...records.keys()].some((name) => name.startsWith("GNU.sparse."));
  return defined({ ...said, ...owner, isStrange });
}

function defined(said: { readonly [K in keyof Extended]: Extended[K] | undefined }): Extended {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** Whether a member is a file with content, by its type. */
export function isFile(type: string): boolean {
  return type === "0" || type === "\0" || type === "7";
}

/** Without a slash in front, and without what names nothing. */
export function cleanName(name: string): string {
  return name
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
}
