import type { Place } from "../errors.ts";
import { placeInFile, type UserDockerfile } from "./failure.ts";
import type { BuildWarning } from "./rawjson.ts";

/** A remark of BuildKit's checks, for the line that it is about. */
export type Annotation = { readonly text: string; readonly at: Place };

/**
 * BuildKit's checks of the Dockerfile as annotations: each once, in the order of the lines.
 * @param warnings of all platforms: each build says them again.
 * @param dockerfile without one there is nothing of the user's to correct. What is said of lines past its last is not the user's either.
 * @see https://docs.docker.com/reference/build-checks/
 */
export function annotateWarnings(
  warnings: readonly BuildWarning[],
  dockerfile: UserDockerfile | undefined,
): Annotation[] {
  if (dockerfile === undefined) return [];
  const { file, lastLine } = dockerfile;
  const seen = new Map<string, BuildWarning>();
  for (const warning of warnings) seen.set(`${warning.line} ${warning.short}`, warning);
  return [...seen.values()]
    .filter(({ line }) => line === undefined || line <= lastLine)
    .sort((one, other) => (one.line ?? 0) - (other.line ?? 0))
    .map(({ short, url, line }) => ({
      text: `${short.replace(/ \(line \d+\)$/, "")}${url === undefined ? "" : ` (${url})`}`,
      at: line === undefined ? { file } : placeInFile(dockerfile, line),
    }));
}
