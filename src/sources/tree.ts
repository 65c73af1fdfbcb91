import { ActionError } from "../errors.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { Entry, Files } from "../world.ts";

/**
 * The folder of a build context, in which everything is read at most once. Paths are relative to it, with `/`; the folder itself is the
 * empty one. What cannot be read is E_CONTEXT: to leave it out silently would be to build another image than the one that is asked for.
 */
export type Tree = {
  /** Names in a folder; none where there is no folder. */
  readonly list: (path: string) => Promise<readonly string[]>;
  readonly stat: (path: string) => Promise<Entry | undefined>;
  readonly readLink: (path: string) => Promise<string>;
  /** What stands there as it will be sent, a file with the sha256 of its content. */
  readonly entry: (path: string) => Promise<ContextEntry>;
};

export const VANISHED = "it vanished meanwhile, or its name is not UTF-8";

/** Opens a context's folder. @param root its absolute path. */
export function openTree(files: Files, root: string): Tree {
  const full = (path: string): string => (path === "" ? root : `${root}/${path}`);
  const stat = once((path) => readable(path, () => files.stat(full(path))));
  const readLink = once(async (path) => {
    const target = await readable(path, () => files.readLink(full(path)));
    // What is not UTF-8 has become this on the way here.
    if (target.includes("\uFFFD")) throw unreadable(path, "it is a link to a name that is not UTF-8");
    return target;
  });
  const entry = once(async (path): Promise<ContextEntry> => {
    const found = await stat(path);
    switch (found?.kind) {
      case "directory":
        return { path, kind: "directory" };
      case "link":
        return { path, kind: "link", target: await readLink(path) };
      case "file": {
        const content = await readable(path, () => files.digest(full(path)));
        return { path, kind: "file", mode: (found.mode & 0o100) === 0 ? "0644" : "0755", content };
      }
      case "other":
        throw unreadable(path, "it is a pipe, a socket or a device");
      case undefined:
        throw unreadable(path, VANISHED);
    }
  });
  const list = once(async (path) => (await readable(path, () => files.list(full(path)))) ?? []);
  return { list, stat, readLink, entry };
}

function once<T>(read: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (path) => {
    const reading = known.get(path) ?? read(path);
    known.set(path, reading);
    return reading;
  };
}

/** A file of another user, a disk that fails: whatever the system says of it. */
async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const said = cause instanceof ActionError && cause.code === "E_SYSTEM" ? cause.cause : cause;
    if (said instanceof ActionError) throw said;
    const code = said instanceof Error && "code" in said ? String(said.code) : String(said);
    throw unreadable(path, code === "EACCES" || code === "EPERM" ? "this user may not read it" : code, said);
  }
}

/** An entry of the context that is part of the image and cannot be. */
export function unreadable(path: string, why: string, cause?: unknown): ActionError {
  const name = path === "" ? "The context's folder" : path;
  return new ActionError("E_CONTEXT", {
    what: `${name} is part of what the build copies and cannot be read: ${why}.`,
    fix: "Name it in .dockerignore, or change the COPY, ADD or mount that takes it along; else make it a file that this user can read.",
    ...(path === "" ? {} : { at: { file: path } }),
    ...(cause === undefined ? {} : { cause }),
  });
}
