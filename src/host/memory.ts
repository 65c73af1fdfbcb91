import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Memory } from "../world.ts";

/** What is kept is a few lines long. */
const LONGEST = 4096;

/**
 * The memory port on the runner's tool cache: machines that are kept remember from one job to the next.
 * @param env with `RUNNER_TOOL_CACHE` where there is one; without it nothing is remembered.
 */
export function openMemory(env: Readonly<Record<string, string>>): Memory {
  const folder = env.RUNNER_TOOL_CACHE ? join(env.RUNNER_TOOL_CACHE, "dev-container-cache", "memory") : undefined;
  return {
    recall: async (name) => {
      if (folder === undefined) return undefined;
      const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
      return text !== undefined && text.length <= LONGEST ? text : undefined;
    },
    remember: async (name, text) => {
      if (folder === undefined) return;
      try {
        await mkdir(folder, { recursive: true });
        // Two jobs on one machine may write the same: nobody sees half of it.
        const own = join(folder, `.${name}-${process.pid}`);
        await writeFile(own, text, { mode: 0o644 });
        await rename(own, join(folder, name));
      } catch {
        // A tool cache that cannot be written to remembers nothing.
      }
    },
  };
}
