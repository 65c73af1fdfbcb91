import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Tools } from "../world.ts";

/**
 * The tools port on the runner's tool cache. The library is loaded only when something is asked for: a hit never does.
 * @param env with `RUNNER_TOOL_CACHE` where there is a cache. The library goes through the proxies that the environment names.
 */
export function openTools(env: Readonly<Record<string, string>>): Tools {
  const isCached = Boolean(env.RUNNER_TOOL_CACHE);
  return {
    machine: { os: process.platform, architecture: process.arch },
    find: async ({ name, version, program }) => {
      const folder = isCached ? (await load()).find(name, version) : "";
      return folder === "" ? undefined : join(folder, program);
    },
    download: async (url, to) => {
      await (await load()).downloadTool(url, to);
    },
    keep: async (file, { name, version, program }) => {
      const path = isCached ? join(await (await load()).cacheFile(file, program, name, version), program) : file;
      await chmod(path, 0o755);
      return path;
    },
  };
}

const load = (): Promise<typeof import("@actions/tool-cache")> => import("@actions/tool-cache");
