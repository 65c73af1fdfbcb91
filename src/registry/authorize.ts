import type { Repository } from "../oci/reference.ts";
import type { Clock, StoredLogin } from "../world.ts";
import { type Challenge, chooseChallenge } from "./challenge.ts";
import { malformed } from "./errors.ts";
import type { Http, HttpResponse } from "./http.ts";
import { type Authorization, answerChallenge, type Token } from "./tokens.ts";

export type AuthorizerOptions = {
  readonly http: Http;
  readonly clock: Clock;
  readonly mask: (secret: string) => void;
  readonly credentials: (name: Repository) => Promise<StoredLogin | undefined>;
  readonly pushes: (name: Repository) => boolean;
};

export type Authorizer = {
  /** The token that is known for a repository and still good. */
  readonly known: (name: Repository) => Promise<string | undefined>;
  /** A token without having been refused first, where it is known how the registry wants it. */
  readonly foresee: (name: Repository, origin: URL) => Promise<string | undefined>;
  /** The answer to a 401 that came from the registry's own origin. */
  readonly answer: (
    name: Repository,
    refused: { readonly origin: URL; readonly response: HttpResponse; readonly request: string },
  ) => Promise<Authorization>;
};

const bearer = (realm: string, service: string): Challenge => ({ scheme: "bearer", params: { realm, service } });

/** What these registries have answered for years: asking for the token at once saves the refusal, one round trip on every hit. */
const WELL_KNOWN: Readonly<Record<string, Challenge>> = {
  "docker.io": bearer("https://auth.docker.io/token", "registry.docker.io"),
  "ghcr.io": bearer("https://ghcr.io/token", "ghcr.io"),
  "quay.io": bearer("https://quay.io/v2/auth", "quay.io"),
  "registry.gitlab.com": bearer("https://gitlab.com/jwt/auth", "container_registry"),
};

/**
 * Keeps the tokens of a run, one for each repository and with the widest scope that the run will need: servers differ in what they make
 * of a token for several. What a registry once asked for is known for its other repositories.
 */
export function openAuthorizer({ http, clock, mask, credentials, pushes }: AuthorizerOptions): Authorizer {
  const tokens = new Map<string, Promise<Token>>();
  const learned = new Map<string, Challenge>();
  const keyOf = ({ registry, repository }: Repository): string => `${registry}/${repository}`;

  const fetch = (name: Repository, origin: URL, challenge: Challenge, request: string): Promise<Token> => {
    const asked = (async () => {
      const login = await credentials(name);
      const actions = pushes(name) ? "pull,push" : "pull";
      return answerChallenge(
        { repository: name, actions, login, origin, challenge, name: request },
        { http, clock, mask },
      );
    })();
    tokens.set(keyOf(name), asked);
    return asked;
  };
  const headerOf = (token: Token | undefined): string | undefined =>
    token?.authorization.kind === "header" && token.expires > clock() ? token.authorization.value : undefined;

  return {
    known: async (name) => headerOf(await tokens.get(keyOf(name))),
    foresee: async (name, origin) => {
      const challenge = learned.get(name.registry) ?? WELL_KNOWN[name.registry];
      // One that was tried is not tried again: the registry itself then says what it wants.
      if (!challenge || tokens.has(keyOf(name))) return undefined;
      return headerOf(await fetch(name, origin, challenge, `GET ${origin.origin}`));
    },
    answer: async (name, { origin, response, request }) => {
      const challenge = chooseChallenge(response.headers["www-authenticate"]);
      if (!challenge) return malformed(request, "the registry wants a login and does not say how", response.status);
      const { authorization } = await fetch(name, origin, challenge, request);
      const { scope: _, ...params } = challenge.params;
      if (authorization.kind === "header") learned.set(name.registry, { scheme: challenge.scheme, params });
      return authorization;
    },
  };
}
