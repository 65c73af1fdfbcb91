import type { Repository } from "../oci/reference.ts";
import type { Clock, StoredLogin } from "../world.ts";
import { type Challenge, chooseChallenge } from "./challenge.ts";
import { errorOf, failureOf, malformed } from "./errors.ts";
import type { HttpFailure } from "./http.ts";
import { askForChallenge } from "./ping.ts";
import { type Authorization, answerChallenge, refused, type Token } from "./tokens.ts";
import type { Reply, TimedHttp } from "./transport.ts";
import { knownChallenge } from "./well-known.ts";

export type AuthorizerOptions = {
  readonly http: TimedHttp;
  readonly clock: Clock;
  readonly mask: (secret: string) => void;
  readonly credentials: (name: Repository) => Promise<StoredLogin | undefined>;
  readonly pushes: (name: Repository) => boolean;
  /** What a registry is known to ask for; what `knownChallenge` says counts where nothing is said here. */
  readonly expects?: (registry: string) => Challenge | undefined;
};

/** What an authorization is for: a repository, and another one of the same registry that is read for a mount. */
export type Purpose = { readonly repository: Repository; readonly from?: string };

/** Headers are those that go to the registry's own origin, `origin`. */
export type Authorizer = {
  /** The header that is known to be good, or that can be had without having been refused first. */
  readonly header: (purpose: Purpose, origin: URL) => Promise<string | undefined>;
  /** The answer to a 401 that came from the registry's own origin; `used`: the header that was refused. */
  readonly answer: (
    purpose: Purpose,
    refused: { readonly origin: URL; readonly reply: Reply; readonly used: string | undefined },
  ) => Promise<Authorization>;
  /** With what to ask once more for what was not there for nobody in particular. Nothing where no login is known, or none is wanted. */
  readonly introduce: (purpose: Purpose, origin: URL) => Promise<Authorization | undefined>;
  /** What everyone may have, after a login has been refused. Nothing where no login was used. */
  readonly anonymous: (purpose: Purpose, origin: URL) => Promise<string | undefined>;
  /** Whether a login is known for a repository's registry. */
  readonly hasLogin: (name: Repository) => Promise<boolean>;
};

type Held = { readonly token: Promise<Token>; readonly challenge: Challenge; readonly foreseen: boolean };

/**
 * Keeps the tokens of a run, one for each repository and with the widest scope that the run will need: servers differ in what they make
 * of a token for several. What a registry once asked for is known for its other repositories. Whoever needs a token at the same time
 * shares the exchange.
 */
export function openAuthorizer({ http, clock, mask, credentials, pushes, expects }: AuthorizerOptions): Authorizer {
  const tokens = new Map<string, Held>();
  const learned = new Map<string, Challenge>();
  const doors = new Map<string, ReturnType<typeof askForChallenge>>();
  const keyOf = ({ repository: { registry, repository }, from = "" }: Purpose): string =>
    [registry, repository, from].join("\n");
  const isFresh = (token: Token): boolean => token.expires > clock();

  const ask = async (purpose: Purpose, origin: URL, challenge: Challenge, login: StoredLogin | undefined) => {
    const { repository, from } = purpose;
    const actions = pushes(repository) || from !== undefined ? "pull,push" : "pull";
    const name = nameOf(origin);
    const request = { repository, actions, login, origin, challenge, name, ...(from === undefined ? {} : { from }) };
    return answerChallenge(request, { http, clock, mask });
  };
  /** The login, if there is one; a failure where a helper program still thinks when the time is up: it has not said that there is none. */
  const loginFor = (name: Repository): Promise<StoredLogin | HttpFailure | undefined> => http.inTime(credentials(name));
  const askWithLogin = async (purpose: Purpose, origin: URL, challenge: Challenge): Promise<Token> => {
    const login = await loginFor(purpose.repository);
    return login && "kind" in login
      ? refused(failureOf(nameOf(origin), login), clock)
      : ask(purpose, origin, challenge, login);
  };
  /** One that a redirect has parted from its login shows what everyone sees, and nobody has asked for it. */
  const foresee = async (purpose: Purpose, origin: URL, challenge: Challenge): Promise<Token> => {
    const token = await askWithLogin(purpose, origin, challenge);
    if (token.login || token.authorization.kind !== "header") return token;
    const isMeant = (await loginFor(purpose.repository)) === undefined;
    return isMeant ? token : refused(malformed(nameOf(origin), "the login was sent elsewhere"), clock);
  };
  const exchange = (purpose: Purpose, origin: URL, challenge: Challenge, foreseen: boolean): Promise<Token> => {
    const token = (foreseen ? foresee : askWithLogin)(purpose, origin, challenge);
    tokens.set(keyOf(purpose), { token, challenge, foreseen });
    return token;
  };

  /** The token that is held, else the one that somebody else asked for meanwhile, else what `fetch` asks for. */
  const tokenFor = async <T extends Token | undefined>(purpose: Purpose, fetch: () => Promise<T>) => {
    const held = tokens.get(keyOf(purpose));
    const token = await held?.token;
    if (token && isFresh(token)) return token;
    const other = tokens.get(keyOf(purpose));
    return other === undefined || other === held ? fetch() : other.token;
  };

  const header = async (purpose: Purpose, origin: URL): Promise<string | undefined> => {
    const token = await tokenFor(purpose, async () => {
      const { registry } = purpose.repository;
      const foreseen = tokens.has(keyOf(purpose)) ? undefined : (expects?.(registry) ?? knownChallenge(registry));
      const challenge = learned.get(registry) ?? foreseen;
      return challenge && exchange(purpose, origin, challenge, true);
    });
    return token && headerOf(token);
  };

  const answer: Authorizer["answer"] = async (purpose, { origin, reply, used }) => {
    const held = tokens.get(keyOf(purpose));
    const token = await held?.token;
    // A refusal that was only foreseen proves nothing: the registry itself has now said what it wants.
    const counts =
      token !== undefined && isFresh(token) && (headerOf(token) ? headerOf(token) !== used : !held?.foreseen);
    if (counts) return token.authorization;
    const other = tokens.get(keyOf(purpose));
    if (other && other !== held) return (await other.token).authorization;
    const challenge = chooseChallenge(reply.response.headers["www-authenticate"]);
    if (!challenge) return withoutChallenge(reply);
    return learn(purpose, challenge, await exchange(purpose, origin, challenge, false));
  };

  const learn = ({ repository }: Purpose, challenge: Challenge, { authorization }: Token): Authorization => {
    const { scope: _, ...params } = challenge.params;
    if (authorization.kind === "header") learned.set(repository.registry, { scheme: challenge.scheme, params });
    return authorization;
  };

  const introduce: Authorizer["introduce"] = async (purpose, origin) => {
    const login = await loginFor(purpose.repository);
    if (login === undefined) return undefined;
    if ("kind" in login) return failureOf(nameOf(origin), login);
    const door = doors.get(origin.origin) ?? askForChallenge(http, clock, origin);
    doors.set(origin.origin, door);
    const challenge = await door;
    if (challenge === undefined) return undefined;
    if ("kind" in challenge) {
      doors.delete(origin.origin);
      return challenge;
    }
    return learn(purpose, challenge, await tokenFor(purpose, () => exchange(purpose, origin, challenge, false)));
  };

  const anonymous: Authorizer["anonymous"] = async (purpose, origin) => {
    const held = tokens.get(keyOf(purpose));
    const token = await held?.token;
    if (!held || !token?.login || held.challenge.scheme !== "bearer") return undefined;
    const key = `${keyOf(purpose)}\nanonymous`;
    const before = tokens.get(key);
    const known = await before?.token;
    if (known && isFresh(known)) return headerOf(known);
    if (tokens.get(key) === before)
      tokens.set(key, { ...held, token: ask(purpose, origin, held.challenge, undefined) });
    const fetched = await tokens.get(key)?.token;
    return fetched && headerOf(fetched);
  };

  const hasLogin = async (name: Repository): Promise<boolean> => {
    const login = await loginFor(name);
    return login !== undefined && !("kind" in login);
  };
  return { header, answer, introduce, anonymous, hasLogin };
}

/** How messages name what a registry as a whole was asked. */
function nameOf(origin: URL): string {
  return `GET ${origin.origin}/v2/`;
}

function headerOf({ authorization }: Token): string | undefined {
  return authorization.kind === "header" ? authorization.value : undefined;
}

/** A 401 that asks for nothing is a refusal all the same. */
function withoutChallenge(reply: Reply): Authorization {
  const error = errorOf(reply);
  return { ...error, words: `${error.words} (the registry wants a login and does not say how)` };
}
