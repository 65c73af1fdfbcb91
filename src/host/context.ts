import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { digestOf } from "../oci/digest.ts";
import type { Host } from "../world.ts";
import { defaultCacheRepository, nameHost, nodePlatform, readCapabilities } from "./capabilities.ts";
import { readEvent } from "./event.ts";

/**
 * Reads what the runner tells this step: the environment and the event's payload.
 * @param program the file that was started.
 */
export function readHost(env: NodeJS.ProcessEnv, cwd: string, program: string): Host {
  const told = Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("INPUT_"),
    ),
  );
  return {
    name: nameHost(told),
    env: told,
    program: () => digestOfFolder(dirname(program)),
    workspace: told.GITHUB_WORKSPACE || cwd,
    defaultCacheRepository: defaultCacheRepository(told),
    event: readEvent(told, readPayload(told.GITHUB_EVENT_PATH)),
    capabilities: readCapabilities(told, process.getuid?.()),
    platform: nodePlatform(process.platform, process.arch),
  };
}

/** The names of what the step gives under `with:`, as the runner writes them: `ON-MISS`. */
export function givenInputs(env: NodeJS.ProcessEnv): readonly string[] {
  return Object.keys(env).flatMap((name) => (name.startsWith("INPUT_") ? [name.slice("INPUT_".length)] : []));
}

/** The bundle lies in files of its own, one beside the other. */
function digestOfFolder(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith(".js"));
  return digestOf(
    files
      .sort()
      .map((name) => `${name} ${digestOf(readFileSync(`${folder}/${name}`))}`)
      .join("\n"),
  );
}

/** A terminal has no payload; what cannot be read as one counts as missing. */
function readPayload(path: string | undefined): unknown {
  if (!path) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
