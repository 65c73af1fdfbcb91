import type { Challenge } from "./challenge.ts";

const bearer = (realm: string, service: string, scope?: string): Challenge => ({
  scheme: "bearer",
  params: { realm, service, ...(scope === undefined ? {} : { scope }) },
});

const HOSTS: Readonly<Record<string, Challenge>> = {
  "docker.io": bearer("https://auth.docker.io/token", "registry.docker.io"),
  "ghcr.io": bearer("https://ghcr.io/token", "ghcr.io"),
  "quay.io": bearer("https://quay.io/v2/auth", "quay.io"),
  "registry.gitlab.com": bearer("https://gitlab.com/jwt/auth", "container_registry"),
  "public.ecr.aws": bearer("https://public.ecr.aws/token/", "public.ecr.aws", "aws"),
};

/**
 * What some registries have asked for, for years: to ask for the token at once saves the refusal, a round trip on every hit. Where one of
 * them has changed its mind, the exchange fails, the registry is asked without a token, and its own challenge counts.
 */
export function knownChallenge(registry: string): Challenge | undefined {
  const known = HOSTS[registry];
  if (known) return known;
  if (/^[a-z0-9-]+\.azurecr\.io$/.test(registry)) return bearer(`https://${registry}/oauth2/token`, registry);
  if (/^(?:[a-z0-9-]+\.)?gcr\.io$|^[a-z0-9-]+-docker\.pkg\.dev$/.test(registry))
    return bearer(`https://${registry}/v2/token`, registry);
  // A private registry of Amazon's takes the login itself, with every request.
  if (/^\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/.test(registry))
    return { scheme: "basic", params: {} };
  return undefined;
}

/**
 * What the registry of a Gitea or Forgejo asks for: a token. Gitea's is at the root of its host, whatever path the server itself has;
 * Forgejo names its own address.
 * @param server its address, which may have a path.
 * @see https://github.com/go-gitea/gitea/blob/v1.27.3/routers/api/packages/container/container.go (APIUnauthorizedError)
 */
export function giteaChallenge(server: URL, name: "gitea" | "forgejo"): Challenge {
  const address = name === "gitea" ? server.origin : server.href.replace(/\/+$/, "");
  return bearer(`${address}/v2/token`, "container_registry", "*");
}

/** https://github.com/go-gitea/gitea/issues/23642 */
export const GITEA_LOGIN =
  "The job's own token is no login there: registry-password has to be a personal access token with the scope write:package, of somebody who may write packages of the owner, or read:package to look only.";

/**
 * Whether every manifest that is fetched counts against a limit, and one that is only looked at does not.
 * @see https://docs.docker.com/docker-hub/usage/pulls/
 */
export function countsPulls(registry: string): boolean {
  return registry === "docker.io";
}
