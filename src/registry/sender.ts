import type { Repository } from "../oci/reference.ts";
import type { BlobReader, Clock, RegistryError } from "../world.ts";
import type { Authorizer, Purpose } from "./authorize.ts";
import { errorOf } from "./errors.ts";
import type { HttpRequest } from "./http.ts";
import { hostOf, type Scheme, schemesFor } from "./origins.ts";
import { type Failed, follow, persist, type Reply, type TimedHttp } from "./transport.ts";

/** What is asked of a repository: a path below it, or an address that the registry gave. */
export type Call = {
  readonly method: HttpRequest["method"];
  readonly repository: Repository;
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The most that is read of the answer, in bytes; 64 KiB where none is told, enough for every error. */
  readonly limit?: number;
  /** Makes the reader that takes what is served, where it is not to be kept. */
  readonly into?: () => BlobReader;
  /** The other repository of a mount. */
  readonly from?: string;
  /** Sent a single time, for what is started anew as a whole when it fails. */
  readonly once?: boolean;
  /** Asked before what failed in passing is sent again. */
  readonly isWanted?: () => Promise<boolean>;
};

/** Gives the registry's answer, whatever it says, or why there is none. */
export type Send = (call: Call) => Promise<Reply | RegistryError>;

export type SenderOptions = {
  readonly http: TimedHttp;
  readonly clock: Clock;
  readonly authorizer: Authorizer;
  readonly insecure: (registry: string) => boolean;
  readonly plain?: (registry: string) => boolean;
  /** What kind of login a registry takes, as a sentence, where that is known. */
  readonly takes?: (registry: string) => string | undefined;
};

const ERROR_LIMIT = 64 * 1024;

/** Opens the way to the registries of a run: by the scheme that each speaks, with the authorization that it asks for, as often as it takes. */
export function openSender(options: SenderOptions): Send {
  const { http, clock, authorizer, insecure, plain, takes = () => undefined } = options;
  const spoken = new Map<string, Scheme>();
  const schemes = (name: Repository): readonly [Scheme, ...Scheme[]] => {
    const known = spoken.get(name.registry);
    return known ? [known] : schemesFor(name, insecure, plain);
  };
  const originOf = (name: Repository): URL => new URL(`${schemes(name)[0]}://${hostOf(name)}`);

  const place = (call: Call, origin: URL, authorization: string | undefined): (() => Promise<Reply | Failed>) => {
    const url =
      call.path instanceof URL ? call.path : new URL(`/v2/${call.repository.repository}/${call.path}`, origin);
    const own = authorization === undefined ? undefined : { value: authorization, origin: origin.origin };
    const { method, headers = {}, limit = ERROR_LIMIT, body, into } = call;
    const given = { ...(body ? { body } : {}), ...(into ? { into } : {}) };
    return () => follow(http, { method, url, headers, limit, authorization: own, ...given });
  };
  const ask = async (call: Call, authorization: string | undefined): Promise<Reply | Failed> => {
    const name = call.repository;
    const [scheme, other] = schemes(name);
    const send = place(call, new URL(`${scheme}://${hostOf(name)}`), authorization);
    const insist = (again: typeof send, first?: Reply | Failed) =>
      call.once ? (first ?? again()) : persist(http, clock, again, { first, isWanted: call.isWanted });
    if (!other) return insist(send);
    const answer = await send();
    const doubt = doubtOf(answer, scheme, hostOf(name));
    if (doubt === "none") {
      if (answer.kind === "reply") spoken.set(name.registry, scheme);
      return insist(send, answer);
    }
    const sendOther = place(call, new URL(`${other}://${hostOf(name)}`), authorization);
    const answerOther = await sendOther();
    if (answerOther.kind === "reply") spoken.set(name.registry, other);
    // Where neither works, what went wrong is what the scheme said that came closer.
    const isCloser = answerOther.kind === "reply" || doubt === "certain" || answerOther.why === "certificate";
    return isCloser ? insist(sendOther, answerOther) : insist(send, answer);
  };

  const askAuthorized = async (call: Call): Promise<Reply | RegistryError> => {
    const { repository, from } = call;
    const purpose: Purpose = { repository, ...(from === undefined ? {} : { from }) };
    const used = await authorizer.header(purpose, originOf(repository));
    const reply = await ask(call, used);
    if (reply.kind === "failed") return reply.error;
    const origin = originOf(repository);
    // Only the registry's own challenge is answered: whoever it redirected to must not name a place for the login.
    if (reply.url.origin !== origin.origin && reply.response.status !== 404) return reply;
    const authorization = await authorizationAfter(reply, purpose, used);
    if (authorization === undefined) return orAnonymously(call, purpose, reply);
    if (authorization.kind !== "header") return orAnonymously(call, purpose, authorization);
    const second = await ask(call, authorization.value);
    return second.kind === "failed" ? second.error : orAnonymously(call, purpose, second);
  };

  const authorizationAfter = async (reply: Reply, purpose: Purpose, used: string | undefined) => {
    const origin = originOf(purpose.repository);
    if (reply.response.status === 401) return authorizer.answer(purpose, { origin, reply, used });
    // Some registries show everyone what is public and say 404 of all else, and never ask who is there.
    return reply.response.status === 404 && used === undefined ? authorizer.introduce(purpose, origin) : undefined;
  };

  /** A stale or narrow login must not hide what everyone may read. That nobody in particular is told "not found" proves nothing. */
  const orAnonymously = async <T extends Reply | RegistryError>(call: Call, purpose: Purpose, told: T) => {
    if (!isRefusal(told) || (call.method !== "GET" && call.method !== "HEAD")) return told;
    const header = await authorizer.anonymous(purpose, originOf(call.repository));
    const reply = header === undefined ? undefined : await ask(call, header);
    return reply?.kind === "reply" && reply.response.status < 300 ? reply : told;
  };

  return async (call) => {
    const told = await askAuthorized(call);
    if (!isRefusal(told)) return told;
    const error = "response" in told ? errorOf(told) : told;
    const { registry } = call.repository;
    const advice = [refusalAdvice(registry, await authorizer.hasLogin(call.repository)), takes(registry) ?? []].flat();
    return { ...error, fix: error.fix ?? advice.join(" ") };
  };
}

function isRefusal(told: Reply | RegistryError): boolean {
  if (!("response" in told)) return told.kind === "denied";
  const { status } = told.response;
  return (status === 401 || status === 403) && errorOf(told).kind === "denied";
}

function refusalAdvice(registry: string, hasLogin: boolean): string {
  if (!hasLogin)
    return `No login is known for ${registry}: log in before this step (docker/login-action), or set registry-username and registry-password.`;
  const own =
    registry === "ghcr.io"
      ? " The job's own token needs permissions: packages: read to look and packages: write to push, and the package's settings have to give this repository access."
      : "";
  return `The login that is known for ${registry} may be stale, or may not do that.${own}`;
}

/**
 * Whether a server was spoken to in the wrong scheme. It sends to the other one; or says so in Go's or nginx's own words; or nothing,
 * hanging up; or to HEAD a 400 without a word.
 */
function doubtOf(answer: Reply | Failed, scheme: Scheme, host: string): "certain" | "some" | "none" {
  if (answer.kind === "failed") {
    // With TLS the way may be another one too: through no proxy, or to another port.
    const mayBeOther =
      scheme === "https" ? !["certificate", "time", "refused"].includes(answer.why) : answer.why === "hung-up";
    return mayBeOther ? "some" : "none";
  }
  const { status, body } = answer.response;
  if (scheme === "https") return "none";
  if (answer.url.protocol === "https:" && answer.url.hostname === new URL(`http://${host}`).hostname) return "certain";
  if (status !== 400) return "none";
  if (body.length === 0) return "some";
  return /HTTPS server|HTTPS port/i.test(new TextDecoder().decode(body)) ? "certain" : "none";
}
