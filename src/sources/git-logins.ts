import { ActionError } from "../errors.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { Files } from "../world.ts";
import type { HoldsSecret } from "./known-secrets.ts";

/** What a build takes from a folder. */
type Taken = { readonly root: string; readonly entries: readonly Pick<ContextEntry, "path" | "kind">[] };

/** Of the repository, of its submodules, and of a worktree. */
const CONFIG = /(?:^|\/)\.git\/(?:(?:modules|worktrees)\/.*\/)?config(?:\.worktree)?$/;

/** A header that logs in, as actions/checkout writes it, or an address with a password in it. */
const LOGIN = /extraheader\s*=\s*"?\s*(?:proxy-)?authorization\s*:|:\/\/[^\s/@]*:[^\s/@]+@/i;

/**
 * Refuses a build that would take git's own login, with which the job may write to the repository, into the image, or hand it to whatever
 * RUN starts: actions/checkout leaves it in `.git/config` up to its fifth version, unless it is told not to.
 * @throws ActionError E_CONTEXT naming the file.
 */
export async function refuseGitLogins(
  taken: readonly Taken[],
  files: Pick<Files, "readText" | "realPath">,
  holdsSecret: HoldsSecret,
): Promise<void> {
  for (const { root, entries } of taken) {
    // The context may be git's folder itself or one in it, under whatever name.
    const real = (await files.realPath(root)) ?? root;
    for (const { path, kind } of entries) {
      const [found] = (kind === "file" && CONFIG.exec(`${real}/${path}`)) || [];
      if (found === undefined) continue;
      const text = (await files.readText(`${root}/${path}`)) ?? "";
      if (LOGIN.test(text) || holdsSecret(text)) throw takenLogin(CONFIG.test(path) ? path : found.replace(/^\//, ""));
    }
  }
}

function takenLogin(path: string): ActionError {
  return new ActionError("E_CONTEXT", {
    what: `The build would take ${path} from its context, and that holds a login to git.`,
    fix: "Name .git in .dockerignore, or set persist-credentials: false for actions/checkout.",
  });
}
