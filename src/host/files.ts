import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream, rmSync } from "node:fs";
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Digest } from "../oci/digest.ts";
import type { Entry, Files } from "../world.ts";

/** The files port on the real file system, and the one thing to do at the end of a run, however it ends. */
export type OpenFiles = { readonly files: Files; readonly removeTemporaryFolders: () => void };

/**
 * Opens the file system.
 * @param temporary the folder in which private folders are made: the runner's own, which it empties itself.
 */
export function openFiles(temporary: string): OpenFiles {
  const folders: string[] = [];
  const files: Files = {
    readText: (path) => unlessMissing(readFile(path, "utf8")),
    stat: (path) => unlessMissing(lstat(path).then(asEntry)),
    realPath: (path) => unlessMissing(realpath(path)),
    list: (path) => unlessMissing(readdir(path).then((names) => names.sort())),
    readLink: (path) => readlink(path),
    digest,
    temporaryFolder: async (name, options) => {
      const folder = await mkdtemp(join(temporary, `dev-container-cache-${name}-`));
      if (!options?.keep) folders.push(folder);
      return folder;
    },
    write: async (path, content, mode = 0o600) => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      await chmod(path, mode);
    },
    copy,
    makeDirectory: async (path, { mode }) => {
      await mkdir(path, { recursive: true });
      await chmod(path, mode);
    },
    makeLink: async (path, target, { mtime }) => {
      await symlink(target, path);
      await lutimes(path, mtime, mtime);
    },
    touch: (path, mtime) => utimes(path, mtime, mtime),
  };
  return {
    files,
    removeTemporaryFolders: () => {
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A link that leads in a circle leads nowhere. */
const MISSING: ReadonlySet<unknown> = new Set([
  ...["ENOENT", "ENOTDIR", "ELOOP"],
  // What no file can be called is not there.
  ...["ENAMETOOLONG", "ERR_INVALID_ARG_VALUE"],
]);

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "code" in error && MISSING.has(error.code)) return undefined;
    throw error;
  }
}

function asEntry(stats: Awaited<ReturnType<typeof lstat>>): Entry {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "other";
  return { kind, mode: Number(stats.mode) & 0o7777, size: Number(stats.size) };
}

function asDigest(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}`;
}

async function digest(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return asDigest(hash);
}

/** The digest is of the very bytes that were written, so that a file that changes meanwhile is noticed and not merely likely to be. */
async function copy(from: string, to: string, as: { readonly mode: number; readonly mtime: number }): Promise<Digest> {
  const hash = createHash("sha256");
  const tee = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
  await pipeline(createReadStream(from), tee, createWriteStream(to));
  await chmod(to, as.mode);
  await utimes(to, as.mtime, as.mtime);
  return asDigest(hash);
}
