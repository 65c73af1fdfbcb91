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
  files: Pick<Files, "readText">,
  holdsSecret: HoldsSecret,
): Promise<void> {
  const configs = taken.flatMap(({ root, entries }) =>
    entries.filter(({ path, kind }) => kind === "file" && CONFIG.test(path)).map(({ path }) => ({ root, path })),
  );
  for (const { root, path } of configs) {
    const text = (await files.readText(`${root}/${path}`)) ?? "";
    if (!LOGIN.test(text) && !holdsSecret(text)) continue;
    throw new ActionError("E_CONTEXT", {
      what: `The build would take ${path} from its context, and that holds a login to git.`,
      fix: "Name .git in .dockerignore, or set persist-credentials: false for actions/checkout.",
    });
  }
}
