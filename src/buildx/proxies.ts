import { digestOf, hexOf } from "../oci/digest.ts";
import { isRecord } from "../oci/manifest.ts";
import type { Files } from "../world.ts";
import { dockerFolder, readJson } from "./docker-folder.ts";

type Environment = Readonly<Record<string, string>>;

/** The keys of Docker's configuration, and what buildx calls them as build args. It knows no other ones. */
const NAMES = [
  ["httpProxy", "HTTP_PROXY"],
  ["httpsProxy", "HTTPS_PROXY"],
  ["noProxy", "NO_PROXY"],
  ["ftpProxy", "FTP_PROXY"],
] as const;

const USUAL_ENGINE = "unix:///var/run/docker.sock";

/**
 * The proxies that buildx makes build args of, by the names of these: a Dockerfile that declares one can bake it into the image.
 * @see https://github.com/docker/buildx/blob/v0.29.1/store/storeutil/storeutil.go (GetProxyConfig)
 */
export async function readProxies(files: Pick<Files, "readText">, env: Environment): Promise<Environment> {
  const proxies = await proxiesThatCount(files, env);
  return Object.fromEntries(
    NAMES.flatMap(([key, name]) => (proxies[key] === undefined ? [] : [[name, proxies[key]] as const])),
  );
}

/**
 * The proxies of Docker's configuration that a build is told: those of the engine that docker speaks to, else the default ones. The
 * configuration of a build names these alone, so that what is hashed and what is built are the same, however buildx calls the engine.
 * @see https://docs.docker.com/engine/cli/proxy/
 */
export async function proxiesThatCount(files: Pick<Files, "readText">, env: Environment): Promise<Environment> {
  const { proxies, currentContext } = (await readJson(files, `${dockerFolder(env)}/config.json`)) ?? {};
  if (!isRecord(proxies)) return {};
  const own = proxies[await engineOf(files, env, currentContext)] ?? proxies.default;
  // Go reads the keys of JSON without regard to case.
  const values = new Map(Object.entries(isRecord(own) ? own : {}).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.fromEntries(
    NAMES.flatMap(([key]) => {
      const value = values.get(key.toLowerCase());
      return typeof value === "string" && value !== "" ? [[key, value] as const] : [];
    }),
  );
}

/** @see https://docs.docker.com/engine/manage-resources/contexts/ */
async function engineOf(files: Pick<Files, "readText">, env: Environment, current: unknown): Promise<string> {
  if (env.DOCKER_HOST) return env.DOCKER_HOST;
  const context = env.DOCKER_CONTEXT || current;
  if (typeof context !== "string" || context === "" || context === "default") return USUAL_ENGINE;
  const meta = await readJson(files, `${dockerFolder(env)}/contexts/meta/${hexOf(digestOf(context))}/meta.json`);
  const endpoint = isRecord(meta?.Endpoints) && isRecord(meta.Endpoints.docker) ? meta.Endpoints.docker : {};
  return typeof endpoint.Host === "string" ? endpoint.Host : USUAL_ENGINE;
}
