import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobCache, Memory } from "../world.ts";

/** What is kept is a few lines long. */
const LONGEST = 4096;

const FILE = "text";

/**
 * The memory port: on the runner's tool cache, which machines that are kept have from one job to the next, and beside it in the host's cache
 * between jobs, where there is one.
 * @param env with `RUNNER_TOOL_CACHE` or `RUNNER_TEMP`; without either nothing is remembered.
 */
export function openMemory(env: Readonly<Record<string, string>>, jobCache: JobCache | undefined): Memory {
  const home = env.RUNNER_TOOL_CACHE || (jobCache ? env.RUNNER_TEMP : undefined);
  // The host's cache knows a folder by its path, and packs all of it.
  const folderOf = (name: string): string | undefined =>
    home ? join(home, "dev-container-cache-memory", name) : undefined;
  const keyOf = (name: string): string => `dev-container-cache-memory-${name}`;
  return {
    recall: async (name) => {
      const folder = folderOf(name);
      if (folder === undefined) return undefined;
      const text = await read(folder);
      if (text !== undefined || !(await jobCache?.restore(folder, keyOf(name)))) return text;
      return read(folder);
    },
    remember: async (name, text) => {
      const folder = folderOf(name);
      if (folder === undefined || !(await write(folder, text))) return;
      await jobCache?.save(folder, keyOf(name));
    },
  };
}

async function read(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, FILE), "utf8").catch(() => undefined);
  return text !== undefined && text.length <= LONGEST ? text : undefined;
}

/** Two jobs on one machine may write the same: nobody sees half of it. A folder that cannot be written to remembers nothing. */
async function write(folder: string, text: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true });
    const own = join(folder, `.${FILE}-${Date.now()}`);
    await writeFile(own, text, { mode: 0o644 });
    await rename(own, join(folder, FILE));
    return true;
  } catch {
    return false;
  }
}
