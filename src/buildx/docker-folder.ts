import { isRecord } from "../oci/manifest.ts";
import type { Files } from "../world.ts";

/** The folder of docker's configuration. @see https://docs.docker.com/reference/cli/docker/#change-the-docker-directory */
export function dockerFolder(env: Readonly<Record<string, string>>): string {
  return env.DOCKER_CONFIG || `${env.HOME ?? ""}/.docker`;
}

/** A file with a JSON object; `undefined` where there is none, or none that can be understood. */
export async function readJson(
  { readText }: Pick<Files, "readText">,
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const text = await readText(path);
    if (text === undefined) return undefined;
    const json: unknown = JSON.parse(text);
    return isRecord(json) ? json : undefined;
  } catch {
    // Docker itself warns about a file that it cannot read and goes on without.
    return undefined;
  }
}
