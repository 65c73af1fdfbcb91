import { ActionError } from "../errors.ts";
import { formatGitUrl } from "../git/url.ts";
import type { GitSource } from "../inputs/git-inputs.ts";
import type { Files } from "../world.ts";

/** What a clone may take on the disk, with all that belongs to it: what was received, and what is laid out of it. */
export type CloneSpace = {
  /** @throws ActionError E_LIMIT where that is more than is left. */
  readonly take: (bytes: number) => void;
  /** What is in these folders now; what was taken of it before is no more than once there. */
  readonly takeFolders: (folders: readonly string[], taken?: number) => Promise<void>;
  /** Whether these folders have grown past what is left. */
  readonly isPast: (folders: readonly string[], taken?: number) => Promise<boolean>;
  readonly tooMuch: () => ActionError;
};

/** Opens what the input git-clone-max-size gives. */
export function openCloneSpace(
  { most, url, depth, submodules, lfs }: GitSource,
  files: Pick<Files, "list" | "stat">,
): CloneSpace {
  let left = most;
  const tooMuch = (): ActionError => {
    const less = [
      ...(depth === 1 ? [] : ["set git-clone-depth to 1"]),
      ...(submodules === "false" && !lfs ? [] : ["leave submodules or LFS files out"]),
    ];
    return new ActionError("E_LIMIT", {
      what: `The clone of ${formatGitUrl(url)} takes more than the ${most / 1024 / 1024} MiB that git-clone-max-size allows, and was ended. Nothing is built.`,
      fix: `${["Raise git-clone-max-size where the machine has the space", ...less].join(", or ")}.`,
    });
  };
  const take = (bytes: number): void => {
    left -= bytes;
    if (left < 0) throw tooMuch();
  };
  const grown = async (folders: readonly string[], taken: number): Promise<number> => {
    let bytes = -taken;
    for (const folder of folders) bytes += await sizeOf(folder, files);
    return Math.max(bytes, 0);
  };
  return {
    take,
    takeFolders: async (folders, taken = 0) => take(await grown(folders, taken)),
    isPast: async (folders, taken = 0) => (await grown(folders, taken)) > left,
    tooMuch,
  };
}

/** Of all files below a folder. Git takes its own files away while they are counted. */
async function sizeOf(path: string, files: Pick<Files, "list" | "stat">): Promise<number> {
  const entry = await files.stat(path);
  if (entry?.kind !== "directory") return entry?.size ?? 0;
  let bytes = 0;
  for (const name of (await files.list(path)) ?? []) bytes += await sizeOf(`${path}/${name}`, files);
  return bytes;
}
