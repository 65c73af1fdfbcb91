import { posix } from "node:path";
import type { Files } from "../../src/world.ts";

export type Tree = Readonly<Record<string, string | { readonly link: string }>>;

/** The part of the port that finding a configuration needs, over files in memory: absolute path → text or link. */
export function openMemoryFiles(tree: Tree): Pick<Files, "readText" | "stat" | "realPath" | "list"> {
  const paths = Object.keys(tree);
  const isFolder = (path: string): boolean => path === "/" || paths.some((entry) => entry.startsWith(`${path}/`));
  const real = (path: string): string | undefined => {
    const segments = path.split("/").filter((segment) => segment !== "");
    let reached = "/";
    for (const [at, segment] of segments.entries()) {
      const next = posix.join(reached, segment);
      const entry = tree[next];
      if (typeof entry === "object")
        return real(posix.join(posix.resolve(reached, entry.link), ...segments.slice(at + 1)));
      if (entry === undefined && !isFolder(next)) return undefined;
      if (typeof entry === "string" && at < segments.length - 1) return undefined;
      reached = next;
    }
    return reached;
  };
  return {
    realPath: async (path) => real(path),
    readText: async (path) => {
      const entry = tree[real(path) ?? ""];
      return typeof entry === "string" ? entry : undefined;
    },
    stat: async (path) => {
      const entry = tree[path];
      if (typeof entry === "string") return { kind: "file", mode: 0o644, size: entry.length };
      if (entry) return { kind: "link", mode: 0o777, size: 0 };
      return isFolder(path) ? { kind: "directory", mode: 0o755, size: 0 } : undefined;
    },
    list: async (path) => {
      const folder = real(path);
      if (folder === undefined || typeof tree[folder] === "string") return undefined;
      const inside = paths.filter((entry) => entry.startsWith(`${folder}/`));
      return [...new Set(inside.map((entry) => entry.slice(folder.length + 1).split("/")[0] ?? ""))].sort();
    },
  };
}
