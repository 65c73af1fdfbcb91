import type { Inputs } from "./inputs/inputs.ts";
import { formatRepository } from "./oci/reference.ts";
import { openRegistry } from "./registry/client.ts";
import { openCredentials } from "./registry/credentials.ts";
import { openHttp } from "./registry/http.ts";
import { throughMirrors } from "./registry/mirrors.ts";
import { unusedProxies } from "./registry/proxy.ts";
import { isInsecure, openTrust } from "./registry/trust.ts";
import { GITEA_LOGIN, giteaChallenge } from "./registry/well-known.ts";
import type { World } from "./world.ts";

/** What a run reaches over the network; `close` lets the process end. */
export type Network = Pick<World, "registry" | "credentials" | "trust" | "web"> & {
  readonly close: () => Promise<void>;
};

/**
 * Opens the registries with the logins that they are given, and git's servers. Nothing is pushed but to the cache repository, and by a fork
 * nothing at all.
 */
export function openNetwork(
  inputs: Inputs,
  { files, exec, host, log }: Pick<World, "files" | "exec" | "host" | "log">,
): Network {
  const { cacheRepository, registryLogin, dockerConfiguration, push } = inputs;
  for (const text of unusedProxies(host.env)) log.warning(text);
  const credentials = openCredentials({
    files,
    exec,
    env: host.env,
    given: registryLogin && { registry: cacheRepository.registry, login: registryLogin },
    configuration: dockerConfiguration,
    mask: log.mask,
    warn: log.warning,
  });
  const mayPush = push !== "false" && !host.event.isFork;
  const { certificate, insecure } = inputs;
  const { ownRegistry } = host.capabilities;
  const own = ownRegistry === undefined ? undefined : new URL(ownRegistry);
  const trust = openTrust({ files, env: host.env, certificate, insecure, warn: log.warning });
  const direct = openRegistry(openHttp({ env: host.env, userAgent: "dev-container-cache", trust }), {
    clock: Date.now,
    mask: log.mask,
    credentials,
    pushes: (name) => mayPush && formatRepository(name) === formatRepository(cacheRepository),
    insecure: (registry) => isInsecure(inputs.insecure, registry),
    plain: (registry) => registry === host.capabilities.plainRegistry,
    expects: (registry) =>
      registry === own?.host ? giteaChallenge(own, host.name === "forgejo" ? "forgejo" : "gitea") : undefined,
    visited: {
      isNamed: (name) => insecure.kind === "hosts" && insecure.hosts.includes(name),
      checksCertificates: insecure.kind !== "all",
    },
    takes: (registry) => (registry === own?.host ? GITEA_LOGIN : undefined),
  });
  const registry = throughMirrors(direct, inputs.mirrors, { except: cacheRepository, tell: log.info });
  // A login of git's goes by git's own way, which may be another proxy.
  const proxy = inputs.git?.proxy;
  const env = proxy === undefined ? host.env : { http_proxy: proxy, https_proxy: proxy };
  const webHttp = openHttp({ env, userAgent: "dev-container-cache", trust });
  const web: World["web"] = (url, { headers, limit }) =>
    webHttp.send({ method: "GET", url: new URL(url), headers, limit });
  return {
    registry,
    credentials,
    trust,
    web,
    close: async () => {
      await Promise.all([registry.close(), webHttp.close()]);
    },
  };
}
