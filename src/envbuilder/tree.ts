import type { Place } from "../errors.ts";
import type { Context } from "./context.ts";
import { compareBytes } from "./go-json.ts";
import { openHash, sha256Of } from "./hashes.ts";
import type { Ignored } from "./ignored.ts";
import { refuse } from "./unprobeable.ts";

type Known = { readonly kind: "file" | "directory" | "link"; readonly mode: number };

/** The build context as kaniko goes through it; paths are clean and relative to it. */
export type Tree = {
  readonly stat: (path: string, at: Place) => Promise<Known | undefined>;
  /**
   * A path and all that is below it, each folder in front of what is in it, by the bytes of the names; what is ignored as well.
   * @param depth how many names a path may have.
   */
  readonly walk: (path: string, at: Place, depth?: number) => AsyncGenerator<string>;
  /** What a path adds to a key; nothing where it is ignored. */
  readonly keyPart: (path: string, at: Place) => Promise<string | undefined>;
  /** A path and all that is below it and not ignored. A key tells none of these names. */
  readonly names: (path: string, at: Place) => Promise<readonly string[]>;
  readonly isIgnored: (path: string) => boolean;
};

/** Everything that is found is kept: one instruction after the other asks for the same. */
export function openTree(context: Context, { isIgnored, isWhollyIgnored }: Ignored): Tree {
  const entries = new Map<string, Promise<Known | undefined>>();
  const listed = new Map<string, Promise<readonly string[]>>();
  const parts = new Map<string, Promise<string | undefined>>();

  const stat: Tree["stat"] = (path, at) => kept(entries, path, () => readEntry(context, path, at));

  const list = (path: string): Promise<readonly string[]> =>
    kept(listed, path, async () => [...(await context.list(path))].sort(compareBytes));

  async function* walk(path: string, at: Place, depth = Number.POSITIVE_INFINITY): AsyncGenerator<string> {
    yield path;
    const entry = await stat(path, at);
    if (entry?.kind !== "directory" || (path === "." ? 0 : path.split("/").length) >= depth) return;
    for (const name of await list(path)) yield* walk(path === "." ? name : `${path}/${name}`, at, depth);
  }

  /** All below a folder that may not be ignored. */
  async function* walkTaken(path: string, at: Place): AsyncGenerator<string> {
    if (!isIgnored(path)) yield path;
    const entry = await stat(path, at);
    if (entry?.kind !== "directory" || isWhollyIgnored(path)) return;
    for (const name of await list(path)) yield* walkTaken(path === "." ? name : `${path}/${name}`, at);
  }

  const md5 = async (path: string, at: Place): Promise<string> => {
    const entry = await stat(path, at);
    if (path.split("/").includes(".git"))
      refuse(at, `It takes ${path}, which is another one in every clone: name .git in .dockerignore.`);
    return entry ? context.md5(path, `${modeText(entry)}0,0`) : refuse(at, `${path} is gone.`);
  };

  const keyPart: Tree["keyPart"] = (path, at) =>
    kept(parts, path, async () => {
      const entry = await stat(path, at);
      if (!entry) return refuse(at, `There is no ${path} in the build context.`);
      if (entry.kind !== "directory") return isIgnored(path) ? undefined : sha256Of(await md5(path, at));
      const hash = openHash();
      let isEmpty = true;
      for await (const one of walkTaken(path, at)) {
        hash.add(await md5(one, at));
        isEmpty = false;
      }
      return isEmpty && isIgnored(path) ? undefined : hash.digest();
    });

  const names: Tree["names"] = async (path, at) => {
    const found: string[] = [];
    for await (const one of walkTaken(path, at)) found.push(one);
    return found;
  };

  return { stat, walk, keyPart, names, isIgnored };
}

async function readEntry(context: Context, path: string, at: Place): Promise<Known | undefined> {
  const entry = await context.stat(path);
  if (entry === undefined || "mode" in entry) return entry;
  if (entry.kind === "other") return refuse(at, `${path} in the build context is no file, folder or link.`);
  return refuse(at, `It cannot be told what the builder sees at ${path}.`);
}

function kept<T>(known: Map<string, Promise<T>>, path: string, read: () => Promise<T>): Promise<T> {
  const found = known.get(path) ?? read();
  known.set(path, found);
  return found;
}

const SPECIAL: readonly (readonly [number, string])[] = [
  [0o4000, "u"],
  [0o2000, "g"],
  [0o1000, "t"],
];

/**
 * Go's `fs.FileMode.String()`. Setuid, setgid and the sticky bit are letters in front, and never an `s` or `t` among the others; a link of
 * Linux has every bit.
 * @see https://pkg.go.dev/io/fs#FileMode.String
 */
export function modeText({ kind, mode }: Known): string {
  const letter = kind === "directory" ? "d" : kind === "link" ? "L" : "";
  const front = letter + SPECIAL.map(([bit, char]) => (mode & bit ? char : "")).join("");
  const bits = [..."rwxrwxrwx"].map((char, index) => (mode & (0o400 >> index) ? char : "-")).join("");
  return (front || "-") + bits;
}
