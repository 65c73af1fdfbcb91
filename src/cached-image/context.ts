import type { Context } from "../envbuilder/context.ts";
import { openContext as openCheckout } from "../envbuilder/files-context.ts";
import { gitFor } from "../sources/commit.ts";
import { filesWithin, openEffort } from "../sources/effort.ts";
import type { World } from "../world.ts";

/** What is in envbuilder's own folder nobody knows here; only the triggers of a base image ask. */
const SCRATCH: Context = {
  // The folder itself as well: whoever takes it whole takes what is in it.
  stat: async () => ({ kind: "unknown" }),
  list: async () => [],
  md5: async () => {
    throw new Error("nothing is known of envbuilder's own folder");
  },
};

/**
 * The build context as the builder's clone has it.
 * @param folder absolute; `undefined` for envbuilder's own.
 */
export async function openContext(
  folder: string | undefined,
  workspace: string,
  world: Pick<World, "files" | "exec" | "host" | "clock">,
): Promise<Context> {
  if (folder === undefined) return SCRATCH;
  const { host, clock } = world;
  const files = filesWithin(world.files, openEffort(clock).effort, workspace);
  const listed = await world.exec("git", [...gitFor(host), "-c", "core.fsmonitor=false", "ls-files", "-s", "-z"]);
  const index = listed?.code === 0 ? listed.stdout : undefined;
  const context = await openCheckout({ files, workspace, folder, index });
  return host.clone && folder === workspace ? withGit(context) : context;
}

/** Our own clone keeps what git knows elsewhere; the builder's has it among the files. */
function withGit(context: Context): Context {
  return {
    ...context,
    stat: async (path) => (path === ".git" ? { kind: "directory", mode: 0o755 } : context.stat(path)),
    list: async (path) => (path === "." ? [...(await context.list(path)), ".git"] : context.list(path)),
  };
}
