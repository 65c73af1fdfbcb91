import { proxiesThatCount } from "../buildx/proxies.ts";
import { compileArguments } from "../envbuilder/compile.ts";
import { isLoopback } from "../registry/origins.ts";
import type { World } from "../world.ts";
import type { Definition } from "./definition.ts";

const NAMES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] as const;

type Asked = {
  readonly definition: Definition;
  /** What the builder's container is run with anyway. */
  readonly variables: ReadonlyMap<string, string>;
  /** The network of its container. */
  readonly network: string | undefined;
};

/**
 * The job's own proxies, for the builder: it asks registries through them, and no command of a build inherits them. Where Docker's
 * configuration has some for containers, those count, and what `extra-env` sets counts before either.
 * @returns none that would make another image than workspaces build: a build arg may read them.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/util/transport_util.go (MakeTransport), ../commands/run.go (runCommandInExec)
 */
export async function jobProxies(
  { definition, variables, network }: Asked,
  { files, host: { env }, log }: Pick<World, "files" | "host"> & { readonly log: Pick<World["log"], "warning"> },
): Promise<ReadonlyMap<string, string>> {
  const given = [...variables.keys()].map((name) => name.toUpperCase());
  const own = NAMES.flatMap((name) => {
    const value = env[name] ?? "";
    const isUsable = value !== "" && !/[\r\n]/.test(value) && !given.includes(name.toUpperCase());
    return isUsable ? [[name, value] as const] : [];
  });
  const none = new Map<string, string>();
  if (!own.some(([name]) => /^https?_proxy$/i.test(name))) return none;
  if (Object.keys(await proxiesThatCount(files, env).catch(() => ({}))).length > 0) return none;
  if (own.some(([name, value]) => isOnLoopback(name, value)) && network !== "host") {
    log.warning(
      "The job's proxy is on this machine's loopback, where the builder's container does not reach it, and is not handed to it. With network: host it is.",
    );
    return none;
  }
  if (isRead(definition, variables, own)) {
    log.warning(
      "A build arg reads the job's proxy by name, which workspaces do not have: the builder is not given it, or it would make another image. Set it in extra-env for both.",
    );
    return none;
  }
  return new Map(own);
}

/** As the builder's own client reads its address: `127.1` is one, and a password may hold an @. */
function isOnLoopback(name: string, value: string): boolean {
  if (/^no_proxy$/i.test(name)) return false;
  const address = `http://${value.replace(/^[a-z][a-z\d+.-]*:\/\//i, "")}`;
  return URL.canParse(address) && isLoopback(new URL(address));
}

function isRead(
  { specification, workspaceFolder }: Definition,
  variables: ReadonlyMap<string, string>,
  proxies: readonly (readonly [string, string])[],
): boolean {
  if (!specification) return false;
  const compiled = (all: ReadonlyMap<string, string>): string =>
    JSON.stringify(compileArguments(specification, workspaceFolder, { variables: all, unknown: new Set() }));
  return compiled(variables) !== compiled(new Map([...variables, ...proxies]));
}
