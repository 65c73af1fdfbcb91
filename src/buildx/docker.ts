import { isRecord } from "../oci/manifest.ts";
import { readVersion, type Surroundings, type Version } from "./buildx.ts";

/** The engine that the docker client speaks to. */
export type Engine = { readonly store: "containerd" | "classic"; readonly version: Version | undefined };

/** A plugin of the docker client, as it is found by docker itself. */
export type Plugin = { readonly path: string; readonly version: Version | undefined };

/** What a machine's docker says of itself. Missing: there is none, or it cannot tell. */
export type Docker = { readonly buildx: Plugin | undefined; readonly engine: Engine | undefined };

const FORMAT = "[{{json .ClientInfo.Plugins}},{{json .DriverStatus}},{{json .ServerVersion}}]";

/** Milliseconds after which an engine that does not answer is one that cannot tell. */
const ANSWER_TIME = 10_000;

/**
 * Asks docker in one call where its buildx is and which engine is behind it. The plugin can then be run without docker, which would
 * look for it anew each time, and start it twice.
 * @see https://docs.docker.com/reference/cli/docker/system/info/
 */
export async function askDocker({ exec, env }: Surroundings): Promise<Docker> {
  // A machine that cannot start it (too many processes) will say so when it is needed.
  const info = await exec("docker", ["info", "--format", FORMAT], { env, timeout: ANSWER_TIME }).catch(() => undefined);
  const [plugins, status, version] = info?.code === 0 ? readList(info.stdout) : [];
  return { buildx: readPlugin(plugins), engine: readEngine(status, version) };
}

function readList(text: string): readonly unknown[] {
  try {
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? json : [];
  } catch {
    return [];
  }
}

/** One that docker found and could not use has an `Err`. */
function readPlugin(plugins: unknown): Plugin | undefined {
  const all: readonly unknown[] = Array.isArray(plugins) ? plugins : [];
  const found = all.find((one) => isRecord(one) && one.Name === "buildx");
  if (!isRecord(found) || typeof found.Path !== "string" || found.Err) return undefined;
  return { path: found.Path, version: readVersion(typeof found.Version === "string" ? found.Version : "") };
}

/** A client that cannot reach its engine says `null`. */
function readEngine(status: unknown, version: unknown): Engine | undefined {
  if (!Array.isArray(status)) return undefined;
  const store = JSON.stringify(status).includes("io.containerd.snapshotter") ? "containerd" : "classic";
  return { store, version: typeof version === "string" ? readVersion(version) : undefined };
}
