import { readPaxRecords, readTarHeader, readTarText, TAR_BLOCK, type TarHeader } from "../oci/tar.ts";

/** Looks at the next bytes of an archive. `found` once all of the file has been handed over. */
export type TarSearch = (bytes: Uint8Array) => "more" | "found" | "ended" | { readonly wrong: string };

/** An extended header is a few names long. */
const LONGEST_HEADER = 1024 * 1024;

/** What an extended header says of the member behind it. */
type Named = { readonly name?: string; readonly size?: number };

/** What has come and was not looked at yet. */
type Input = { bytes: Uint8Array };

/** Waits for more wherever it yields. */
type Waiting<T> = Generator<undefined, T, undefined>;

type End = "found" | "ended" | { readonly wrong: string };

/**
 * Looks through a tar archive for one file as the archive comes, and holds no more of it than a header.
 * @param path without a slash in front, as a clean path has it.
 * @param take is given the file's content, piece by piece.
 */
export function openTarSearch(path: string, take: (bytes: Uint8Array) => void): TarSearch {
  const input: Input = { bytes: new Uint8Array() };
  const search = findMember(input, path, take);
  return (bytes) => {
    input.bytes = join(input.bytes, bytes);
    const step = search.next();
    return step.done ? step.value : "more";
  };
}

function* findMember(input: Input, path: string, take: (bytes: Uint8Array) => void): Waiting<End> {
  let named: Named = {};
  for (;;) {
    const block = yield* collect(input, TAR_BLOCK);
    if (block.every((byte) => byte === 0)) return "ended";
    const header = readTarHeader(block);
    if (!header) return { wrong: "it holds a header with a wrong checksum" };
    const { name, type } = header;
    if (["x", "g", "L", "K"].includes(type)) {
      const said = yield* readExtended(input, header);
      if ("wrong" in said) return said;
      named = { ...named, ...said };
      continue;
    }
    const size = named.size ?? header.size;
    if (!isSize(size)) return { wrong: "it holds a file without a size" };
    if (isFile(type) && clean(named.name ?? name) === path) {
      yield* passOn(input, size, take);
      return "found";
    }
    named = {};
    yield* passOn(input, padded(size), () => undefined);
  }
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

/** A global header says nothing of names, and the target of a link is of no interest. */
function* readExtended(input: Input, { type, size }: TarHeader): Waiting<Named | { readonly wrong: string }> {
  if (!isSize(size) || size > LONGEST_HEADER) return { wrong: `it holds an extended header of ${size} bytes` };
  const content = (yield* collect(input, padded(size))).subarray(0, size);
  if (type === "L") return { name: readTarText(content) };
  if (type !== "x") return {};
  const records = readPaxRecords(content);
  if (!records) return { wrong: "it holds an extended header that cannot be read" };
  const [name, length] = [records.get("path"), records.get("size")];
  return { ...(name === undefined ? {} : { name }), ...(length === undefined ? {} : { size: Number(length) }) };
}

function isFile(type: string): boolean {
  return type === "0" || type === "\0" || type === "7";
}

function clean(name: string): string {
  return name
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
}
