import type { World } from "../world.ts";
import { containerOf, isOwnName, removeContainer } from "./builder-own.ts";

/**
 * Removes what runs have left on this machine that were killed and could not: their private folders (Docker configurations with logins
 * among them) and the builders that these know of.
 */
export async function removeLeftovers(
  folders: readonly string[],
  removeFolder: (path: string) => void,
  { files, exec, host: { env } }: Pick<World, "files" | "exec" | "host">,
): Promise<void> {
  for (const folder of folders) {
    // Buildx's own notes of builders, as it was told to keep them there.
    const builders = (await files.list(`${folder}/buildx/instances`)) ?? [];
    for (const name of builders.filter(isOwnName)) await removeContainer(containerOf(name), { exec, env });
    removeFolder(folder);
  }
}
