import type { Stats } from "node:fs";
import type { Entry } from "../world.ts";

/** A link that leads in a circle leads nowhere. */
export const MISSING: ReadonlySet<unknown> = new Set([
  ...["ENOENT", "ENOTDIR", "ELOOP"],
  // What no file can be called is not there.
  ...["ENAMETOOLONG", "ERR_INVALID_ARG_VALUE"],
]);

/** @returns nothing where the system has one of these codes for an error. */
export function unless<T>(codes: ReadonlySet<unknown>, ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (hasCode(codes, error)) return undefined;
    throw error;
  }
}

/** @returns nothing where there is no such path. */
export async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (hasCode(MISSING, error)) return undefined;
    throw error;
  }
}

function hasCode(codes: ReadonlySet<unknown>, error: unknown): boolean {
  return error instanceof Error && "code" in error && codes.has(error.code);
}

/** Of a full disk the system says only that it was writing: the file is ours to add. */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "syscall" in error && !("path" in error)) Object.assign(error, { path });
    throw error;
  }
}

export function asEntry(stats: Stats): Entry {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "other";
  return { kind, mode: stats.mode & 0o7777, size: stats.size };
}
