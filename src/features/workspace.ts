import { pathWithin } from "../devcontainer/paths.ts";
import type { Files } from "../world.ts";

/**
 * Reads a file unless a link leads out of `folder`: a stranger's commit must not read the runner's files.
 * @returns the text, `undefined` where there is no such file, or that it lies outside.
 */
export async function readInside(
  files: Pick<Files, "readText" | "realPath" | "stat">,
  folder: string,
  file: string,
): Promise<string | undefined | { readonly kind: "outside" }> {
  const [realFolder, realFile] = await Promise.all([files.realPath(folder), files.realPath(file)]);
  if (realFile === undefined || (await files.stat(realFile))?.kind !== "file") return undefined;
  if (realFolder === undefined || pathWithin(realFolder, realFile) === undefined) return { kind: "outside" };
  return files.readText(realFile);
}
