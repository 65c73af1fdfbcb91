// Reads a tar as it comes (ustar, PAX, GNU's long names), and keeps of what files hold nothing but its sha256.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
import { createHash } from "node:crypto";

const BLOCK = 512;
const KINDS = { 0: "file", 2: "link", 3: "character device", 4: "block device", 5: "folder", 6: "pipe" };
/** These have content; of all others a size means nothing. */
const WITH_CONTENT = "0xgLK";

/** Path to what stands there. */
export async function readTar(stream) {
  const bytes = openBytes(stream);
  const entries = new Map();
  let records = {};
  for (let block = await bytes.take(BLOCK); block?.some((byte) => byte !== 0); block = await bytes.take(BLOCK)) {
    const head = readHead(block);
    const size = WITH_CONTENT.includes(head.type) ? Number(records.size ?? head.size) : 0;
    if ("xLK".includes(head.type)) {
      records = { ...records, ...readRecords(head.type, await bytes.take(size, BLOCK)) };
      continue;
    }
    const content = await bytes.hash(size, BLOCK);
    if (head.type === "g") continue;
    const path = clean(records.path ?? head.path);
    const target = records.linkpath ?? head.target;
    // Of the names of one file the first one in the tar has the content: which that is means nothing.
    const known = head.type === "1" ? entries.get(clean(target)) : undefined;
    if (path !== "") entries.set(path, known ?? describe(head, records, { target, content }));
    records = {};
  }
  await bytes.drain();
  return entries;
}

function readHead(block) {
  const text = (at, length) => block.toString("utf8", at, at + length).replace(/\0.*$/s, "");
  const number = (at, length) => readNumber(block.subarray(at, at + length));
  const prefix = text(257, 5) === "ustar" ? text(345, 155) : "";
  return {
    type: text(156, 1) || "0",
    path: (prefix === "" ? "" : `${prefix}/`) + text(0, 100),
    target: text(157, 100),
    mode: (number(100, 8) & 0o7777).toString(8),
    user: number(108, 8),
    group: number(116, 8),
    size: number(124, 12),
    device: `${number(329, 8)}:${number(337, 8)}`,
  };
}

function describe({ type, mode, user, group, device }, records, { target, content }) {
  const attributes = Object.entries(records).filter(([name]) => name.startsWith("SCHILY.xattr."));
  return {
    kind: KINDS[type] ?? `type ${type}`,
    owner: `${records.uid ?? user}:${records.gid ?? group}`,
    // A link has whatever mode the file system gives it.
    ...(type === "2" ? { target } : { mode }),
    ...(type === "0" ? { content } : {}),
    ...("34".includes(type) ? { device } : {}),
    ...(attributes.length > 0 ? { attributes: JSON.stringify(attributes.sort()) } : {}),
  };
}

/** What stands before an entry and is about it. */
function readRecords(type, body = Buffer.alloc(0)) {
  if (type === "x") return readPax(body);
  return { [type === "L" ? "path" : "linkpath"]: body.toString("utf8").replace(/\0.*$/s, "") };
}

const clean = (path) =>
  path
    .replace(/^(?:\.?\/)+/, "")
    .replace(/\/+$/, "")
    .replace(/^\.$/, "");

/** Octal, or base 256 where the first bit says so. */
function readNumber(field) {
  if (((field[0] ?? 0) & 0x80) === 0)
    return Number.parseInt(field.toString("latin1").replace(/[\0 ].*$/s, "") || "0", 8);
  return [...field.subarray(1)].reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f);
}

/** `LENGTH NAME=VALUE\n`, one after another; the length counts bytes. */
function readPax(body) {
  const records = {};
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(0x20, at);
    const length = Number(body.toString("latin1", at, blank));
    if (blank < 0 || !(length > 0)) break;
    const equals = body.indexOf(0x3d, blank);
    const name = body.toString("utf8", blank + 1, equals);
    // What attributes hold are bytes.
    records[name] = body.toString(name.startsWith("SCHILY.xattr.") ? "hex" : "utf8", equals + 1, at + length - 1);
    at += length;
  }
  return records;
}

/** Bytes of a stream, as many as are asked for; what fills up the last block is passed over. */
function openBytes(stream) {
  const chunks = stream[Symbol.asyncIterator]();
  let left = Buffer.alloc(0);
  const more = async () => {
    const { value, done } = await chunks.next();
    if (!done) left = left.length === 0 ? value : Buffer.concat([left, value]);
    return !done;
  };
  const pass = async (count, use = () => undefined) => {
    for (let rest = count; rest > 0; ) {
      if (left.length === 0 && !(await more())) throw new Error("the tar ends in the middle of a file");
      const part = left.subarray(0, rest);
      use(part);
      left = left.subarray(part.length);
      rest -= part.length;
    }
  };
  const padding = (count, block) => (block === undefined ? 0 : (block - (count % block)) % block);
  return {
    take: async (count, block) => {
      const parts = [];
      if (left.length === 0 && count > 0 && !(await more())) return undefined;
      await pass(count, (part) => parts.push(part));
      await pass(padding(count, block));
      return Buffer.concat(parts);
    },
    hash: async (count, block) => {
      const hash = createHash("sha256");
      await pass(count, (part) => hash.update(part));
      await pass(padding(count, block));
      return hash.digest("hex");
    },
    drain: async () => {
      left = Buffer.alloc(0);
      while (await more()) left = Buffer.alloc(0);
    },
  };
}
