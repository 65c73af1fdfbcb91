import { createHash, type Hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  fchmodSync,
  fstatSync,
  futimesSync,
  openSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Digest } from "../oci/digest.ts";
import { MISSING, naming, unless } from "./file-system.ts";

/** Files up to this many bytes are read in one piece. */
const SMALL = 256 * 1024;
const PIECE = { highWaterMark: 1024 * 1024 };

type OpenFile = { readonly file: number; readonly isSmall: boolean };

/**
 * Opens a regular file for reading, and nothing else: a pipe would be waited for.
 * @throws what the system says; ENOTSUP for what is no file.
 */
function openFile(path: string): OpenFile {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = fstatSync(file);
  if (stats.isFile()) return { file, isSmall: stats.size <= SMALL };
  closeSync(file);
  throw Object.assign(new Error(`${path} is no file`), { code: "ENOTSUP", syscall: "open", path });
}

/** @throws as `openFile`. */
export function readFile(path: string): Uint8Array {
  return readWhole(openFile(path).file);
}

/** Adds a file's content. @returns how many bytes that was. */
export async function hashFile(path: string, hash: Hash): Promise<number> {
  const { file, isSmall } = openFile(path);
  if (isSmall) {
    const bytes = readWhole(file);
    hash.update(bytes);
    return bytes.length;
  }
  const stream = createReadStream(path, { ...PIECE, fd: file });
  await pipeline(stream, hash);
  return stream.bytesRead;
}

/** What the system says of a path at which no file stands any more that this user can read. */
const NO_FILE: ReadonlySet<unknown> = new Set([...MISSING, "EACCES", "EPERM", "ENXIO", "ENOTSUP"]);

/** The digest is of the very bytes that were written, so that a file that changes meanwhile is noticed and not merely likely to be. */
export async function copyFile(
  from: string,
  to: string,
  { most, ...as }: { readonly mode: number; readonly mtime: number; readonly most: number },
): Promise<Digest | undefined> {
  const hash = createHash("sha256");
  const opened = unless(NO_FILE, () => openFile(from));
  if (opened === undefined) return undefined;
  if (opened.isSmall) {
    const bytes = readWhole(opened.file);
    writeWhole(to, bytes, as);
    return asDigest(hash.update(bytes));
  }
  const stream = createReadStream(from, { ...PIECE, fd: opened.file });
  let hasGrown = false;
  const tee = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      hasGrown ||= stream.bytesRead > most;
      done(hasGrown ? new Error("grown") : undefined, chunk);
    },
  });
  await pipeline(stream, tee, createWriteStream(to, PIECE)).catch((error: unknown) => {
    if (!hasGrown) naming(to, () => thrown(error));
  });
  if (hasGrown) return undefined;
  chmodSync(to, as.mode);
  utimesSync(to, as.mtime, as.mtime);
  return asDigest(hash);
}

function thrown(error: unknown): never {
  throw error;
}

export function asDigest(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}`;
}

function readWhole(file: number): Uint8Array {
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function writeWhole(to: string, bytes: Uint8Array, { mode, mtime }: { readonly mode: number; readonly mtime: number }) {
  const file = openSync(to, "w", mode);
  try {
    naming(to, () => writeFileSync(file, bytes));
    // What it was opened with, less the umask, is not yet what is asked for.
    fchmodSync(file, mode);
    futimesSync(file, mtime, mtime);
  } finally {
    closeSync(file);
  }
}
