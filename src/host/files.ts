import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import type { Files, Owner } from "../world.ts";
import { asDigest, copyFile, hashFile, readFile } from "./file-bytes.ts";
import { asEntry, naming, unlessMissing } from "./file-system.ts";
import { openOwner } from "./owner.ts";
import { openPrivateFolders, type PrivateFolders } from "./private-folders.ts";

/** The files port on the real file system, and what there is to do at the end of a run, however it ends. */
export type OpenFiles = { readonly files: Files } & Omit<PrivateFolders, "make" | "discard">;

/**
 * Opens the file system. What is done for every file of a build context is done at once and not handed to Node's threads, which for a
 * thousand small files takes some twenty times as long as the work itself.
 * @param temporary the folder in which private folders are made: the runner's own, which some runners empty themselves.
 */
export function openFiles(temporary: string, owner: Owner = openOwner()): OpenFiles {
  const { make, discard, ...folders } = openPrivateFolders(temporary, owner);
  // How long each file was when it was hashed: what has grown since is another file, and is not copied to its end.
  const lengths = new Map<string, number>();
  const files: Files = {
    readText: (path) => unlessMissing(async () => new TextDecoder("utf-8", { ignoreBOM: true }).decode(readFile(path))),
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
    temporaryFolder: async (name, options) => make(name, options),
    discard,
    write: async (path, content, mode = 0o600) => {
      mkdirSync(dirname(path), { recursive: true });
      naming(path, () => writeFileSync(path, content));
      chmodSync(path, mode);
    },
    copy: (from, to, as) => copyFile(from, to, { ...as, most: lengths.get(from) ?? Number.POSITIVE_INFINITY }),
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
  return { files, ...folders };
}
