import type { Repository } from "../oci/reference.ts";
import type { Clock, RegistryError, StoredLogin } from "../world.ts";
import type { Challenge } from "./challenge.ts";
import { errorOf, failureOf, malformed, nameRequest } from "./errors.ts";
import type { Http, HttpResponse } from "./http.ts";

/** What goes into the `Authorization` header of a registry's own origin, or why there is none to be had. */
export type Authorization = { readonly kind: "header"; readonly value: string } | RegistryError;

/** `expires`: milliseconds since 1970. */
export type Token = { readonly authorization: Authorization; readonly expires: number };

const TOKEN_LIMIT = 64 * 1024;
const SHORTEST_LIFE = 60_000;
const RENEW_BEFORE = 5_000;
const REDIRECTS = 3;

export type TokenOptions = { readonly http: Http; readonly clock: Clock; readonly mask: (secret: string) => void };

export type TokenRequest = {
  readonly repository: Repository;
  /** `pull` or `pull,push`: the widest that the run will need, so that a repository costs one exchange. */
  readonly actions: string;
  readonly login: StoredLogin | undefined;
  /** The origin that sent the challenge, unredirected. */
  readonly origin: URL;
  readonly challenge: Challenge;
  /** How messages name the request that was refused. */
  readonly name: string;
};

/**
 * Answers a registry's 401: Basic with the login itself, Bearer by an exchange at the realm that the challenge names. Credentials go to
 * an https realm only, or on loopback to the realm of a loopback registry.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export async function answerChallenge(request: TokenRequest, options: TokenOptions): Promise<Token> {
  const { login, challenge, name } = request;
  if (challenge.scheme === "basic") {
    if (login && "username" in login)
      return { authorization: { kind: "header", value: basic(login) }, expires: Number.POSITIVE_INFINITY };
    const words = "the registry wants a user name and a password, and none is known for it";
    return never({ kind: "denied", request: name, status: 401, words });
  }
  if (login && "registryToken" in login)
    return {
      authorization: { kind: "header", value: `Bearer ${login.registryToken}` },
      expires: Number.POSITIVE_INFINITY,
    };
  return exchange(challenge, request, options);
}

function never(error: RegistryError): Token {
  return { authorization: error, expires: 0 };
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)))}`;
}

async function exchange(challenge: Challenge, request: TokenRequest, options: TokenOptions): Promise<Token> {
  const realm = challenge.params.realm ?? "";
  if (!URL.canParse(realm, request.origin.href))
    return never(malformed(request.name, "the registry's challenge names no realm", 401));
  const url = new URL(realm, request.origin);
  if (!mayHearLogin(url, request.origin))
    return never(
      malformed(
        request.name,
        `the registry's challenge names the realm ${url.origin}, which is not https: no credentials go there`,
        401,
      ),
    );
  const first = await fetchToken(url, challenge, request, request.login, options);
  if (first.authorization.kind !== "denied") return first;
  // Some token servers refuse a scope that is too wide instead of granting less.
  const narrow = { ...request, actions: "pull" };
  const second = request.actions === "pull" ? first : await fetchToken(url, challenge, narrow, request.login, options);
  // A stale login hides a public image: what everyone may read is asked for without it once.
  if (second.authorization.kind !== "denied" || !request.login) return second;
  const anonymous = await fetchToken(url, challenge, narrow, undefined, options);
  return anonymous.authorization.kind === "header" ? anonymous : second;
}

export function isLoopback({ hostname }: URL): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/** Whether a realm may be told a login: an https address that is not this machine itself, or for a registry on loopback one on loopback. */
export function mayHearLogin(realm: URL, origin: URL): boolean {
  if (realm.username !== "" || realm.password !== "") return false;
  if (realm.protocol === "https:") return !isLoopback(realm) || isLoopback(origin);
  return realm.protocol === "http:" && isLoopback(realm) && isLoopback(origin);
}

async function fetchToken(
  realm: URL,
  { params }: Challenge,
  { repository, actions }: TokenRequest,
  login: StoredLogin | undefined,
  options: TokenOptions,
): Promise<Token> {
  const own = `repository:${repository.repository}:${actions}`;
  const wanted = { service: params.service, scopes: mergeScopes([...(params.scope?.split(" ") ?? []), own]) };
  const reply =
    login && "identityToken" in login
      ? await askOAuth(realm, wanted, login.identityToken, options.http)
      : await askRealm(withQuery(realm, wanted), login && "username" in login ? basic(login) : undefined, options.http);
  if (!("response" in reply)) return never(reply);
  const { response, name } = reply;
  if (response.status !== 200) return never(refusalOf(name, response));
  const token = readToken(response.body);
  if (token === undefined) return never(malformed(name, "the token server's answer holds no token", 200));
  options.mask(token.value);
  return {
    authorization: { kind: "header", value: `Bearer ${token.value}` },
    expires: options.clock() + token.life - RENEW_BEFORE,
  };
}

/**
 * One scope for each repository, with the actions of all; the one that the registry asked for stays first, for some look at no other.
 * `*`, which Gitea says, asks for nothing that could be named.
 */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.filter((one) => one.includes(":"))) {
    const colon = scope.lastIndexOf(":");
    const known = actions.get(scope.slice(0, colon)) ?? new Set();
    for (const action of scope.slice(colon + 1).split(",")) known.add(action);
    actions.set(scope.slice(0, colon), known);
  }
  return [...actions].map(([resource, known]) => `${resource}:${[...known].join(",")}`);
}

type Scoped = { readonly service: string | undefined; readonly scopes: readonly string[] };

function withQuery(realm: URL, { service, scopes }: Scoped): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return url;
}

/**
 * Exchanges an identity token. A server that does not know this form is asked the other way, without the token.
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
async function askOAuth(
  realm: URL,
  wanted: Scoped,
  identityToken: string,
  http: Http,
): Promise<RealmReply | RegistryError> {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: "dev-container-cache",
    service: wanted.service ?? realm.hostname,
    scope: wanted.scopes.join(" "),
    refresh_token: identityToken,
  });
  const name = nameRequest("POST", realm);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const answer = await http.send({ method: "POST", url: realm, headers, body: form.toString(), limit: TOKEN_LIMIT });
  if (answer.kind === "failure") return failureOf(name, answer);
  if (answer.status === 404 || answer.status === 405) return askRealm(withQuery(realm, wanted), undefined, http);
  return { response: answer, name };
}

/** That a token server knows nothing of a repository is no absence: it speaks of rights only. */
function refusalOf(name: string, response: HttpResponse): RegistryError {
  const error = errorOf(name, response);
  const isRefusal =
    response.status >= 400 && response.status < 500 && error.kind !== "limited" && error.kind !== "unavailable";
  return isRefusal ? { ...error, kind: "denied" } : error;
}

type RealmReply = { readonly response: HttpResponse; readonly name: string };

/** Follows the token server's redirects; the login stays behind when one leaves its origin. */
async function askRealm(realm: URL, login: string | undefined, http: Http): Promise<RealmReply | RegistryError> {
  let url = realm;
  let authorization = login;
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    const name = nameRequest("GET", url);
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await http.send({ method: "GET", url, headers, limit: TOKEN_LIMIT });
    if (answer.kind === "failure") return failureOf(name, answer);
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || typeof location !== "string") return { response: answer, name };
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next?.protocol !== url.protocol) return malformed(name, "redirected to another kind of address", answer.status);
    if (next.origin !== url.origin) authorization = undefined;
    url = next;
  }
  return malformed(nameRequest("GET", realm), "the token server redirects without end");
}

function readToken(body: Uint8Array): { readonly value: string; readonly life: number } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const value =
    "access_token" in json && json.access_token !== "" ? json.access_token : "token" in json ? json.token : undefined;
  if (typeof value !== "string" || value === "") return undefined;
  const seconds = "expires_in" in json && typeof json.expires_in === "number" ? json.expires_in : 60;
  return { value, life: Math.max(SHORTEST_LIFE, seconds * 1000) };
}
