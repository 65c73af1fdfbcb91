import { resolvePath } from "../devcontainer/paths.ts";
import type { Clone, Files } from "../world.ts";

/** What git has checked out: a branch, a commit that no branch was asked for with, or nobody knows. */
export type Head =
  | { readonly kind: "branch"; readonly name: string; readonly revision?: string | undefined }
  | { readonly kind: "commit"; readonly revision: string }
  | { readonly kind: "unknown" };

/**
 * Reads what HEAD of a checkout names, without git: a job image may have none.
 * @see https://git-scm.com/docs/gitrepository-layout
 */
export async function readHead(files: Pick<Files, "readText" | "stat">, checkout: string): Promise<Head> {
  const folder = await gitFolder(files, checkout);
  const text = ((await files.readText(`${folder}/HEAD`).catch(() => undefined)) ?? "").trim();
  const name = /^ref: refs\/heads\/([^\n]+)$/.exec(text)?.[1];
  if (name !== undefined) return { kind: "branch", name, revision: await readBranch(files, folder, name) };
  return REVISION.test(text) ? { kind: "commit", revision: text } : { kind: "unknown" };
}

const REVISION = /^[0-9a-f]{40,64}$/;

/** The commit of a branch that has a file of its own, as one has that was just checked out; of others nothing is told. */
async function readBranch(files: Pick<Files, "readText">, folder: string, name: string): Promise<string | undefined> {
  if (name.split("/").includes("..")) return undefined;
  const text = ((await files.readText(`${folder}/refs/heads/${name}`).catch(() => undefined)) ?? "").trim();
  return REVISION.test(text) ? text : undefined;
}

/** What a clone is of, in the same words. */
export function headOf({ commit, ref }: Pick<Clone, "commit" | "ref">): Head {
  const name = /^refs\/heads\/(.+)$/.exec(ref ?? "")?.[1];
  return name === undefined ? { kind: "commit", revision: commit } : { kind: "branch", name, revision: commit };
}

/** In a worktree and in a submodule it is a file that names the folder. */
async function gitFolder(files: Pick<Files, "readText" | "stat">, checkout: string): Promise<string> {
  const own = `${checkout}/.git`;
  if ((await files.stat(own))?.kind !== "file") return own;
  const named = /^gitdir: ([^\n]+)/.exec((await files.readText(own)) ?? "")?.[1];
  return named === undefined ? own : resolvePath(checkout, named.trim());
}
