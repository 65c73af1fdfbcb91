import type { Clock, RegistryError } from "../world.ts";
import { failureOf, malformed, nameRequest, type Said } from "./errors.ts";
import type { Http, HttpFailure, HttpRequest, HttpResponse } from "./http.ts";
import type { Visit } from "./origins.ts";
import { openPatience, type Patience, within } from "./patience.ts";

/** An answer, by the name of the request that got it and the address that it came from. */
export type Reply = Said & { readonly kind: "reply"; readonly url: URL };

/** No answer, or none that may be followed. */
export type Failed = {
  readonly kind: "failed";
  readonly error: RegistryError;
  readonly why: HttpFailure["why"] | "refused";
};

export type TimedHttp = Http & {
  /** How many milliseconds all requests together may still take, without end where nothing is limited. */
  readonly left: () => number;
  /** What some other work gives, or a failure where that takes longer than is left. The work itself goes on, for who asks later. */
  readonly inTime: <T>(work: Promise<T>) => Promise<T | HttpFailure>;
};

const REDIRECTS = 10;
const ATTEMPTS = 4;
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 60_000;
const PASSING = new Set([408, 429, 499, 500, 502, 503, 504, 522]);
/** In milliseconds: how long a host may say nothing that counts, and how long all of them together may be waited for. */
const LIMITS: TimeLimits = { silence: 60_000, all: 600_000 };
const OUT_OF_TIME: HttpFailure = {
  kind: "failure",
  words: "all look-ups together took longer than they may; the rest was not asked",
  why: "time",
};

export type TimeLimits = { readonly silence: number; readonly all: number };

/**
 * Gives all requests together an end, and those to each host. Past it nothing is sent, and what is under way is given up. A host that fell
 * silent is not waited for a second time, whoever asks: else each step of a run would wait as long as the first one did.
 */
export function limitTime(
  http: Http,
  clock: Clock,
  { silence, all }: TimeLimits = LIMITS,
): TimedHttp & { readonly limit: (until: number | undefined) => void } {
  let end: number | undefined;
  const together = openPatience(all, clock);
  const hosts = new Map<string, Patience>();
  const patienceWith = (host: string): Patience => {
    const patience = hosts.get(host) ?? openPatience(silence, clock);
    hosts.set(host, patience);
    return patience;
  };
  const left = (): number => Math.min(together.left(), end === undefined ? Number.POSITIVE_INFINITY : end - clock());
  const waiting = async <T>(patiences: readonly Patience[], work: () => Promise<T>): Promise<T> => {
    for (const one of patiences) one.begin();
    try {
      return await work();
    } finally {
      for (const one of patiences) one.end();
    }
  };
  return {
    ...http,
    left,
    inTime: async (work) => {
      const rest = left();
      const done = await waiting([together], () => within(rest, work));
      return done === "late" ? OUT_OF_TIME : done;
    },
    limit: (milliseconds) => {
      end = milliseconds === undefined ? undefined : clock() + milliseconds;
    },
    pause: (milliseconds) => waiting([together], () => http.pause(milliseconds)),
    send: async (request) => {
      const host = patienceWith(request.url.host);
      const rest = left();
      if (rest <= 0) return OUT_OF_TIME;
      if (host.left() <= 0) return silentFor(silence);
      const onBytes = (bytes: number): void => {
        for (const one of [host, together]) one.heard(bytes);
      };
      // What the run may take at most moves on with what comes through; a look-up's limit does not.
      const timeout = end === undefined ? {} : { timeout: rest };
      const patience = Math.min(host.left(), rest);
      return waiting([host, together], async () => {
        const answer = await http.send({ ...request, ...timeout, patience, onBytes });
        // A gateway that answers for what is behind it has not said anything.
        if (answer.kind === "response" && !PASSING.has(answer.status)) host.renew();
        return answer;
      });
    },
  };
}

function silentFor(milliseconds: number): HttpFailure {
  const words = `it has said nothing that counts for ${milliseconds / 1000} s, and is not asked any more`;
  return { kind: "failure", words, why: "time" };
}

/** Sends one request, and follows nothing. */
export async function sendOnce(http: Http, request: HttpRequest): Promise<Reply | Failed> {
  const name = nameRequest(request.method, request.url);
  const answer = await http.send(request);
  return answer.kind === "failure"
    ? { kind: "failed", error: failureOf(name, answer), why: answer.why }
    : { kind: "reply", response: answer, name, url: request.url, isElsewhere: false };
}

type Hops = HttpRequest & {
  /** Goes to this one origin only, and is dropped for good when a redirect leaves it: storage hosts refuse it, others must not see it. */
  readonly authorization: { readonly value: string; readonly origin: string } | undefined;
  /** Decides about each address on the way, where a commit names the first of them. */
  readonly mayVisit?: (url: URL) => Visit | { readonly wrong: string };
};

/**
 * Sends a request and follows its redirects, with method and body as they are; TLS may not be left. A 303, which would turn a push into
 * a look at some page, is followed by what looks only.
 */
export async function follow(http: Http, { authorization, mayVisit, ...hops }: Hops): Promise<Reply | Failed> {
  let request: HttpRequest = hops;
  let secret = authorization;
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    const { method, url, headers } = request;
    const visit = mayVisit?.(url);
    if (typeof visit === "object")
      return { kind: "failed", error: malformed(nameRequest(method, url), visit.wrong), why: "refused" };
    if (secret?.origin !== url.origin) secret = undefined;
    const own = secret ? { authorization: secret.value } : {};
    const reply = await sendOnce(http, { ...request, headers: { ...headers, ...own }, visit });
    if (reply.kind === "failed") return reply;
    const looks = method === "GET" || method === "HEAD";
    const next = reply.response.status === 303 && !looks ? undefined : redirectOf(reply.response, url, reply.name);
    if (next === undefined) return { ...reply, isElsewhere: url.origin !== hops.url.origin };
    if (!(next instanceof URL)) return { kind: "failed", error: next, why: "refused" };
    request = { ...request, url: next };
  }
  const error = malformed(nameRequest(hops.method, request.url), "it redirects without end");
  return { kind: "failed", error, why: "refused" };
}

/** Where an answer sends on to; nothing where it does not; an error where nobody should follow. */
function redirectOf({ status, headers }: HttpResponse, from: URL, name: string): URL | RegistryError | undefined {
  const { location } = headers;
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== "string") return undefined;
  if (!URL.canParse(location, from.href)) return malformed(name, "redirected to something that is no address", status);
  const next = new URL(location, from);
  if (next.protocol === "https:" || next.protocol === from.protocol) return next;
  return malformed(name, `redirected from ${from.protocol} to ${next.protocol}`, status);
}

/**
 * Tries again what may pass, a few times, and as late as the server asks for; what was answered last counts.
 * @param first what was answered already, which counts as the first try.
 * @param isWanted asked before each further try.
 */
export async function persist(
  http: TimedHttp,
  clock: Clock,
  ask: () => Promise<Reply | Failed>,
  {
    first,
    isWanted,
  }: { readonly first?: Reply | Failed | undefined; readonly isWanted?: (() => Promise<boolean>) | undefined } = {},
): Promise<Reply | Failed> {
  let waited = 0;
  for (let tried = 1; ; tried++) {
    const began = clock();
    const answer = tried === 1 && first ? first : await ask();
    waited += clock() - began;
    const wait = answer.kind === "reply" ? retryAfter(answer.response, clock) : undefined;
    const pause = wait ?? FIRST_PAUSE * 3 ** (tried - 1);
    // Who asks for an hour is not waited for, and nobody sleeps past the end of the time.
    // What is asked between two tries may be answered, and would give a host that is silent to this one its patience back.
    const isSilent = isWanted !== undefined && waited >= LIMITS.silence;
    const tooLong = pause > LONGEST_PAUSE || pause >= http.left() || isSilent;
    if (!mayPass(answer) || tried === ATTEMPTS || tooLong) return answer;
    await http.pause(pause);
    if (isWanted && !(await isWanted())) return answer;
  }
}

function mayPass(answer: Reply | Failed): boolean {
  if (answer.kind === "reply") return PASSING.has(answer.response.status);
  return answer.why === "passing" || answer.why === "hung-up";
}

/** Seconds, or a date. @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfter({ headers }: HttpResponse, clock: Clock): number | undefined {
  const value = headers["retry-after"];
  if (typeof value !== "string") return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock());
}
