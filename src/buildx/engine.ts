import { readVersion, type Surroundings, type Version } from "./buildx.ts";

/** The engine that docker speaks to. */
export type Engine = { readonly store: "containerd" | "classic"; readonly version: Version | undefined };

const FORMAT = "[{{json .DriverStatus}},{{json .ServerVersion}}]";

/** Milliseconds after which an engine that does not answer is one that cannot tell. */
const ANSWER_TIME = 60_000;

/**
 * Asks docker which engine is behind it.
 * @returns `undefined` where there is no docker, or it cannot tell.
 * @see https://docs.docker.com/reference/cli/docker/system/info/
 */
export async function askEngine({ exec, env }: Surroundings): Promise<Engine | undefined> {
  // A machine that cannot start it (too many processes) will say so when it is needed.
  const info = await exec("docker", ["info", "--format", FORMAT], { env, timeout: ANSWER_TIME }).catch(() => undefined);
  const [status, version] = info?.code === 0 ? readList(info.stdout) : [];
  // A client that cannot reach its engine tells an empty version; a driver that has no status (vfs) tells `null`.
  if (typeof version !== "string" || version === "") return undefined;
  const store = JSON.stringify(status).includes("io.containerd.snapshotter") ? "containerd" : "classic";
  return { store, version: readVersion(version) };
}

function readList(text: string): readonly unknown[] {
  try {
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? json : [];
  } catch {
    return [];
  }
}
