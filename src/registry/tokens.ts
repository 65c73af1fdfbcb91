import { parseJson } from "../oci/json.ts";
import type { Repository } from "../oci/reference.ts";
import type { Clock, RegistryError, StoredLogin } from "../world.ts";
import type { Challenge } from "./challenge.ts";
import { errorOf, malformed } from "./errors.ts";
import { mayHearLogin } from "./origins.ts";
import { type Failed, follow, persist, type Reply, sendOnce, type TimedHttp } from "./transport.ts";

/** What goes into the `Authorization` header of a registry's own origin, or why there is none to be had. */
export type Authorization = { readonly kind: "header"; readonly value: string } | RegistryError;

/** `expires`: milliseconds since 1970. `login`: whether a login went into it, or it is what everyone gets. */
export type Token = { readonly authorization: Authorization; readonly expires: number; readonly login: boolean };

const TOKEN_LIMIT = 64 * 1024;
const SHORTEST_LIFE = 60_000;
const RENEW_BEFORE = 5_000;

export type TokenOptions = {
  readonly http: TimedHttp;
  readonly clock: Clock;
  readonly mask: (secret: string) => void;
};

export type TokenRequest = {
  readonly repository: Repository;
  /** `pull` or `pull,push`: the widest that the run will need, so that a repository costs one exchange. */
  readonly actions: string;
  /** A repository of the same registry that is to be read in the same request, for a mount. */
  readonly from?: string;
  readonly login: StoredLogin | undefined;
  /** The origin that sent the challenge, unredirected. */
  readonly origin: URL;
  readonly challenge: Challenge;
  /** How messages name the request that was refused. */
  readonly name: string;
};

/**
 * Answers a registry's 401: Basic with the login itself, Bearer by an exchange at the realm that the challenge names.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export async function answerChallenge(request: TokenRequest, options: TokenOptions): Promise<Token> {
  const { login, challenge, name } = request;
  const always = (value: string): Token => ({
    authorization: { kind: "header", value },
    expires: Number.POSITIVE_INFINITY,
    login: true,
  });
  if (challenge.scheme === "bearer")
    return login && "registryToken" in login
      ? always(`Bearer ${login.registryToken}`)
      : exchange(challenge, request, options);
  if (login && "username" in login) return always(basic(login));
  const words = "the registry wants a user name and a password, and none is known for it";
  return refused({ kind: "denied", request: name, status: 401, words }, options.clock);
}

/** A refusal is remembered as long as the shortest token: many who ask the same need not be refused one by one. */
export function refused(error: RegistryError, clock: Clock, login = false): Token {
  return { authorization: error, expires: error.kind === "denied" ? clock() + SHORTEST_LIFE : 0, login };
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)))}`;
}

async function exchange(challenge: Challenge, request: TokenRequest, options: TokenOptions): Promise<Token> {
  const { name, origin } = request;
  const { realm = "" } = challenge.params;
  if (realm === "" || !URL.canParse(realm, origin.href))
    return refused(malformed(name, "the registry's challenge names no realm", 401), options.clock);
  const url = new URL(realm, origin);
  if (!mayHearLogin(url, origin)) {
    const words = `the registry's challenge names the realm ${url.origin}, which is no https address that may be asked: no credentials go there`;
    return refused(malformed(name, words, 401), options.clock);
  }
  const first = await fetchToken(url, challenge, request, options);
  if (first.authorization.kind !== "denied") return first;
  // Some token servers refuse a scope that is too wide instead of granting less.
  return request.actions === "pull" ? first : fetchToken(url, challenge, { ...request, actions: "pull" }, options);
}

async function fetchToken(
  realm: URL,
  { params }: Challenge,
  { repository, actions, from, login: known }: TokenRequest,
  { http, clock, mask }: TokenOptions,
): Promise<Token> {
  const needed = [`repository:${repository.repository}:${actions}`, ...(from ? [`repository:${from}:pull`] : [])];
  const wanted = { service: params.service, scopes: mergeScopes([...(params.scope?.split(" ") ?? []), ...needed]) };
  // Counted from before the exchange. The server's own `issued_at` is not used: its clock may be another, and 401 tells in any case.
  const sent = clock();
  const reply = await persist(http, clock, () =>
    known && "identityToken" in known
      ? askOAuth(http, realm, wanted, known.identityToken)
      : askRealm(http, withQuery(realm, wanted), known && "username" in known ? basic(known) : undefined),
  );
  const hasLogin = known !== undefined;
  if (reply.kind === "failed") return refused(reply.error, clock, hasLogin);
  const { response, name, url } = reply;
  if (response.status !== 200) return refused(refusalOf(reply), clock, hasLogin);
  const token = response.truncated ? undefined : readToken(response.body);
  if (token === undefined)
    return refused(malformed(name, "the token server's answer holds no token", 200), clock, hasLogin);
  mask(token.value);
  const authorization: Authorization = { kind: "header", value: `Bearer ${token.value}` };
  // A redirect to elsewhere has left the login behind.
  const login = hasLogin && url.origin === realm.origin;
  return { authorization, expires: sent + token.life - RENEW_BEFORE, login };
}

/**
 * One scope for each repository, with the actions of all; the one that the registry asked for stays first, for some look at no other.
 * `*`, which Gitea says, asks for nothing that could be named.
 */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.filter((one) => one !== "*" && one !== "")) {
    // A bare word is a scope of its own: Amazon's public registry says `aws`.
    const colon = scope.includes(":") ? scope.lastIndexOf(":") : scope.length;
    const known = actions.get(scope.slice(0, colon)) ?? new Set();
    for (const action of scope.slice(colon + 1).split(",")) if (action !== "") known.add(action);
    actions.set(scope.slice(0, colon), known);
  }
  return [...actions].map(([resource, known]) => (known.size === 0 ? resource : `${resource}:${[...known].join(",")}`));
}

type Scoped = { readonly service: string | undefined; readonly scopes: readonly string[] };

function withQuery(realm: URL, { service, scopes }: Scoped): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return url;
}

/** The login stays behind when a redirect leaves the realm's origin. */
function askRealm(http: TimedHttp, url: URL, login: string | undefined): Promise<Reply | Failed> {
  const authorization = login === undefined ? undefined : { value: login, origin: url.origin };
  return follow(http, { method: "GET", url, headers: {}, limit: TOKEN_LIMIT, authorization });
}

/**
 * Exchanges an identity token, which no redirect gets to see. A server that knows no POST has refused it: there is no other form for it.
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
function askOAuth(http: TimedHttp, realm: URL, wanted: Scoped, identityToken: string): Promise<Reply | Failed> {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: "dev-container-cache",
    service: wanted.service ?? realm.hostname,
    scope: wanted.scopes.join(" "),
    refresh_token: identityToken,
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return sendOnce(http, { method: "POST", url: realm, headers, body: form.toString(), limit: TOKEN_LIMIT });
}

/** That a token server knows nothing of a repository is no absence: it speaks of rights only. */
function refusalOf(reply: Reply): RegistryError {
  const error = errorOf(reply);
  const { status } = reply.response;
  const isRefusal = status >= 400 && status < 500;
  return isRefusal && error.kind !== "limited" && error.kind !== "unavailable" ? { ...error, kind: "denied" } : error;
}

function readToken(body: Uint8Array): { readonly value: string; readonly life: number } | undefined {
  const json = parseJson(body);
  if (typeof json !== "object" || json === null) return undefined;
  const value =
    "access_token" in json && json.access_token !== "" ? json.access_token : "token" in json ? json.token : undefined;
  // Whatever else there is in it would not go through as a header.
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) return undefined;
  const seconds = "expires_in" in json && typeof json.expires_in === "number" ? json.expires_in : 60;
  return { value, life: Math.max(SHORTEST_LIFE, seconds * 1000) };
}
