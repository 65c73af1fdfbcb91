import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Files } from "../src/world.ts";

/** What stands at a path of a checkout: a file's text, one with the execution bit, or a link. */
export type Content = string | { readonly script: string } | { readonly link: string };

/** Makes a folder with these files, for real. */
export function makeCheckout(content: Readonly<Record<string, Content>>): string {
  const root = mkdtempSync(join(tmpdir(), "checkout-"));
  for (const [path, what] of Object.entries(content)) put(root, path, what);
  return root;
}

export function put(root: string, path: string, what: Content): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  rmSync(full, { recursive: true, force: true });
  if (typeof what === "string") writeFileSync(full, what, { mode: 0o644 });
  else if ("script" in what) writeFileSync(full, what.script, { mode: 0o755 });
  else symlinkSync(what.link, full);
  if (typeof what === "object" && "script" in what) chmodSync(full, 0o755);
}

/** The same files, but for what is in one folder, which is another user's: rights refuse nothing to root, which tests often are. */
export function closedFolder(files: Files, folder: string): Files {
  const looking = (call: "readText" | "stat" | "realPath" | "list") => async (path: string) => {
    const isClosed = path.startsWith(`${folder}/`) || (call === "list" && path === folder);
    if (isClosed) throw Object.assign(new Error("refused"), { code: "EACCES", syscall: "open", path });
    return files[call](path);
  };
  return {
    ...files,
    ...{ readText: looking("readText"), stat: looking("stat"), realPath: looking("realPath"), list: looking("list") },
  } as Files;
}
