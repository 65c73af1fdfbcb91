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
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ActionError, systemReason } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Entry, Files, Owner } from "../world.ts";
import { openOwner } from "./owner.ts";

/** The files port on the real file system, and what there is to do at the end of a run, however it ends. */
export type OpenFiles = {
  readonly files: Files;
  readonly removeTemporaryFolders: () => void;
  /** Waits until what was discarded is gone. */
  readonly finishDiscarding: () => Promise<void>;
  /** The private folders that runs have left which were killed: nobody comes back for them. */
  readonly findDeadFolders: () => readonly string[];
  /** Removes a folder with all that is in it. */
  readonly removeFolder: (path: string) => void;
};

const PREFIX = "dev-container-cache-";
/** A note beside a private folder that goes with its run, and says whose that is: it goes after the folder, for a removal may be broken off. */
const NOTE = ".owner";

/**
 * Opens the file system. What is done for every file of a build context is done at once and not handed to Node's threads, which for a
 * thousand small files takes some twenty times as long as the work itself.
 * @param temporary the folder in which private folders are made: the runner's own, which some runners empty themselves.
 */
export function openFiles(temporary: string, owner: Owner = openOwner()): OpenFiles {
  const folders = new Set<string>();
  // How long each file was when it was hashed: what has grown since is another file, and is not copied to its end.
  const lengths = new Map<string, number>();
  const discarding: Promise<void>[] = [];
  const files: Files = {
    readText: (path) =>
      unlessMissing(async () => new TextDecoder("utf-8", { ignoreBOM: true }).decode(readWhole(openFile(path).file))),
    stat: (path) => unlessMissing(async () => asEntry(lstatSync(path))),
    realPath: (path) => unlessMissing(() => realpath(path)),
    list: (path) => unlessMissing(async () => readdirSync(path).sort()),
    readLink: async (path) => readlinkSync(path),
    digest: async (path) => {
      const hash = createHash("sha256");
      lengths.set(path, await hashFile(path, hash));
      return asDigest(hash);
    },
    md5: async (path, before) => {
      const hash = createHash("md5").update(before);
      await hashFile(path, hash);
      return hash.digest("hex");
    },
    temporaryFolder: async (name, options) => {
      // At once: a run that is told to stop while one of Node's threads makes a folder does not know of it, and leaves it behind.
      const folder = makePrivateFolder(temporary, name);
      if (options?.keep) return folder;
      folders.add(folder);
      const [note, { self }] = [`${folder}${NOTE}`, owner];
      if (self !== undefined) naming(note, () => writeFileSync(note, self, { mode: 0o600 }));
      return folder;
    },
    discard: (folder) => {
      // What of it is left, where that fails or the run ends before, goes with the other folders.
      const removing = rm(folder, { recursive: true, force: true }).then(
        () => {
          folders.delete(folder);
          removeFolder(folder);
        },
        () => undefined,
      );
      discarding.push(removing);
    },
    write: async (path, content, mode = 0o600) => {
      mkdirSync(dirname(path), { recursive: true });
      naming(path, () => writeFileSync(path, content));
      chmodSync(path, mode);
    },
    copy: (from, to, as) => copy(from, to, { ...as, most: lengths.get(from) ?? Number.POSITIVE_INFINITY }),
    makeDirectory: async (path, { mode }) => {
      mkdirSync(path, { recursive: true });
      chmodSync(path, mode);
    },
    makeLink: async (path, target, { mtime }) => {
      symlinkSync(target, path);
      lutimesSync(path, mtime, mtime);
    },
    touch: async (path, mtime) => utimesSync(path, mtime, mtime),
    move: async (from, to) => renameSync(from, to),
    remove: async (path) => rmSync(path, { force: true }),
  };
  return {
    files,
    removeTemporaryFolders: () => {
      for (const folder of folders) removeFolder(folder);
      folders.clear();
    },
    finishDiscarding: async () => {
      await Promise.all(discarding);
    },
    findDeadFolders: () => findDeadFolders(temporary, owner),
    removeFolder,
  };
}

function makePrivateFolder(temporary: string, name: string): string {
  try {
    return mkdtempSync(join(temporary, `${PREFIX}${name}-`));
  } catch (error) {
    throw noTemporaryFolder(temporary, error);
  }
}

function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
  rmSync(`${path}${NOTE}`, { force: true });
}

/** Only what this user has made, with a name and a note of ours: in a folder for everybody anybody may have put the rest. */
function findDeadFolders(temporary: string, { isDead }: Owner): string[] {
  const notes = readdirOf(temporary).filter((name) => name.startsWith(PREFIX) && name.endsWith(NOTE));
  const isOwn = (path: string, kind: Entry["kind"]): boolean => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined || (asEntry(stats).kind === kind && stats.uid === process.getuid?.());
  };
  return notes
    .map((name) => join(temporary, name.slice(0, -NOTE.length)))
    .filter((path) => {
      try {
        const note = `${path}${NOTE}`;
        return isOwn(note, "file") && isOwn(path, "directory") && isDead(readFileSync(note, "utf8"));
      } catch {
        return false;
      }
    });
}

function readdirOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A link that leads in a circle leads nowhere. */
const MISSING: ReadonlySet<unknown> = new Set([
  ...["ENOENT", "ENOTDIR", "ELOOP"],
  // What no file can be called is not there.
  ...["ENAMETOOLONG", "ERR_INVALID_ARG_VALUE"],
]);

async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (hasCode(MISSING, error)) return undefined;
    throw error;
  }
}

function asEntry(stats: Stats): Entry {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "other";
  return { kind, mode: stats.mode & 0o7777, size: stats.size };
}

function asDigest(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}`;
}

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

/** Adds a file's content. @returns how many bytes that was. */
async function hashFile(path: string, hash: Hash): Promise<number> {
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
async function copy(
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

/** Of a full disk the system says only that it was writing: the file is ours to add. */
function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "syscall" in error && !("path" in error)) Object.assign(error, { path });
    throw error;
  }
}

function noTemporaryFolder(temporary: string, cause: unknown): unknown {
  const why = systemReason(cause);
  if (why === undefined) return cause;
  return new ActionError("E_SYSTEM", {
    what: `No folder can be made in the runner's temporary folder ${temporary} (RUNNER_TEMP): ${why}.`,
    fix: "Point RUNNER_TEMP to a folder that is there, that this user may write to, and that has space.",
    cause,
  });
}

function unless<T>(codes: ReadonlySet<unknown>, ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (hasCode(codes, error)) return undefined;
    throw error;
  }
}

function hasCode(codes: ReadonlySet<unknown>, error: unknown): boolean {
  return error instanceof Error && "code" in error && codes.has(error.code);
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
