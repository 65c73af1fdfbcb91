import { ActionError, tellSome, type Warning } from "../errors.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { Files, Host } from "../world.ts";

/** Beginning and greatest length of what Git LFS keeps in a file's stead: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const POINTER = "version https://git-lfs.github.com/spec/";
const LONGEST = 1024;

type Taken = { readonly root: string; readonly entries: readonly Pick<ContextEntry, "path" | "kind">[] };
type Where = { readonly clone: Host["clone"]; readonly checkout: string };

/**
 * Warns of files that the build takes and that are pointers of Git LFS, which nobody means. They are looked for where the repository says that
 * it keeps files there.
 */
export async function pointerWarnings(
  taken: readonly Taken[],
  { clone, checkout }: Where,
  files: Pick<Files, "readText" | "stat">,
): Promise<readonly Warning[]> {
  const hasPointers = clone ? clone.hasPointers : await namesLfs(checkout, files);
  const found = new Set<string>();
  for (const { root, entries } of hasPointers ? taken : [])
    for (const { path, kind } of entries) {
      const small = kind === "file" && ((await files.stat(`${root}/${path}`))?.size ?? LONGEST + 1) <= LONGEST;
      if (small && isPointer((await files.readText(`${root}/${path}`)) ?? "")) found.add(path);
    }
  if (found.size === 0) return [];
  const text = `The build takes pointers of Git LFS in the place of files: ${tellSome([...found])}. ${fixOf(clone)}`;
  return [{ text }];
}

/** Every folder may have attributes of its own; `git lfs track` writes those of the root. */
async function namesLfs(checkout: string, files: Pick<Files, "readText">): Promise<boolean> {
  const text = await files.readText(`${checkout}/.gitattributes`).catch(() => undefined);
  return /\sfilter=lfs(?:\s|$)/m.test(text ?? "");
}

/**
 * Refuses a file that is to be read and whose content is elsewhere.
 * @throws ActionError with that code, naming the file.
 */
export function refusePointer(
  code: "E_CONFIG" | "E_DOCKERFILE",
  { text, file }: { readonly text: string; readonly file: string },
  clone: Host["clone"],
): void {
  if (text.length > LONGEST || !isPointer(text)) return;
  throw new ActionError(code, {
    what: `${file} is a pointer of Git LFS, and its content was not fetched.`,
    fix: fixOf(clone),
    at: { file },
  });
}

function isPointer(text: string): boolean {
  return text.startsWith(POINTER);
}

function fixOf(clone: Host["clone"]): string {
  return clone ? "Set git-lfs to true to fetch them" : "Set lfs: true for actions/checkout to fetch them";
}
