import { error, type FakeRegistry, type Reply } from "./registry.ts";

/** What a personal access token may do. One for repositories alone is a login, and none for packages. */
export type Scope = "write:package" | "read:package" | "write:repository";

/**
 * Makes a registry ask for logins as Gitea's own does: whoever says nothing is refused and told where to get a token, which everybody gets,
 * but who logs in with what is no token, or with one that has no scope for packages; and what a token may not do is refused in words that
 * are no registry's, with another challenge.
 * @param tokens personal access tokens, with any user's name.
 * @see https://github.com/go-gitea/gitea/blob/v1.27.3/routers/api/packages/container/container.go (APIUnauthorizedError, Authenticate)
 * @see https://github.com/go-gitea/gitea/blob/v1.27.3/routers/api/packages/api.go (reqPackageAccess)
 */
export function askAsGitea(registry: FakeRegistry, tokens: Readonly<Record<string, Scope>>): void {
  const unauthorized: Reply = {
    ...error(401, "UNAUTHORIZED"),
    headers: {
      "content-type": "application/json",
      "www-authenticate": `Bearer realm="http://${registry.host}/v2/token",service="container_registry",scope="*"`,
    },
  };
  const lacksAccess: Reply = {
    status: 401,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "www-authenticate": 'Basic realm="Gitea Package API"',
    },
    body: "reqPackageAccess\n",
  };
  const scopeOf = (authorization: string): Scope | "nobody" | undefined => {
    const [kind, value = ""] = authorization.split(" ");
    if (kind !== "Basic") return JSON.parse(Buffer.from(value, "base64url").toString()).scope;
    return tokens[
      Buffer.from(value, "base64")
        .toString()
        .replace(/^[^:]*:/, "")
    ];
  };
  registry.override(
    () => true,
    ({ method, url, headers: { authorization } }, right) => {
      const isToken = url.pathname === "/v2/token";
      if (authorization === undefined && !isToken) return unauthorized;
      const scope = authorization === undefined ? "nobody" : scopeOf(authorization);
      if (scope === undefined) return unauthorized;
      if (isToken) {
        if (scope === "write:repository") return unauthorized;
        // It tells no life: a day.
        return {
          status: 200,
          body: JSON.stringify({ token: Buffer.from(JSON.stringify({ scope })).toString("base64url") }),
        };
      }
      const isLook = /^(GET|HEAD)$/.test(method) && !url.pathname.includes("/blobs/uploads/");
      const may = scope === "write:package" || (isLook && scope !== "write:repository");
      return may ? right() : lacksAccess;
    },
  );
}
