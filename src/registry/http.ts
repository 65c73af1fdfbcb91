import type { BlobReader, Traffic } from "../world.ts";
import { openDeadline, timeFor } from "./deadline.ts";
import { openDirect } from "./direct.ts";
import { type Answered, type Asked, type Door, INNER, type TlsOptions } from "./door.ts";
import type { Visit } from "./origins.ts";
import { proxyFor } from "./proxy.ts";
import type { Trust } from "./trust.ts";

export type HttpRequest = Omit<Asked, "body" | "signal"> & {
  readonly body?: Uint8Array | string;
  /** The most that is read of an answer's body, in bytes. */
  readonly limit: number;
  /** Hangs up where the body begins: not even its first bytes are waited for. */
  readonly headersOnly?: boolean;
  /** Milliseconds for the whole exchange, whatever comes through. */
  readonly timeout?: number;
  /** Milliseconds for the exchange without what comes through, a minute at most: content has the time that it takes. */
  readonly patience?: number;
  /** Makes a reader that takes the body of an answer with status 200, whatever its length, in the place of this client. */
  readonly into?: () => BlobReader;
  /** Told of every piece of the answer's body, in bytes. */
  readonly onBytes?: (bytes: number) => void;
};

/** `truncated`: the body was longer than the limit, or its reader had enough, and is cut there. Header names are in lower case. */
export type HttpResponse = {
  readonly kind: "response";
  readonly status: number;
  readonly headers: Answered["headers"];
  readonly body: Uint8Array;
  readonly truncated: boolean;
};

/**
 * Nothing came back, or not all of it. `words` are the network's own. `why`: the other side's certificate does not hold, what it speaks is
 * no TLS, it hung up, there is no such host, the proxy wants another login, or the time was up; all else may pass.
 */
export type HttpFailure = {
  readonly kind: "failure";
  readonly words: string;
  readonly why: "certificate" | "no-tls" | "hung-up" | "no-host" | "proxy-login" | "inner" | "time" | "passing";
};

export type Http = {
  /** One request, redirects not followed. Never throws for what a network or a server does. */
  readonly send: (request: HttpRequest) => Promise<HttpResponse | HttpFailure>;
  /** Has so many connections to a host opened before anybody asks it. What goes wrong with that, whoever asks will hear. */
  readonly connect: (url: URL, count: number) => void;
  /** Waits at least so many milliseconds, and up to a fifth more: those who were turned away together do not come back together. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly traffic: () => Traffic;
  /** Ends what is still on its way; what is asked from now on fails. */
  readonly close: () => Promise<void>;
};

export type HttpOptions = {
  /** The environment, for the proxy's variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly trust: (host: string) => Promise<Trust>;
  /** Milliseconds without a byte, after which a request is given up. */
  readonly timeout?: number;
  /** Milliseconds for an exchange without content. */
  readonly whole?: number;
};

/** As many as a burst of look-ups has: who has to wait for a connection waits a whole round trip. */
const CONNECTIONS = 32;
const CONNECT_TIMEOUT = 10_000;
/** Between a probe and the push after a build. */
const IDLE = 30_000;
const WHOLE = 60_000;

/** Opens the one way to the network: pools of connections, the proxy of the environment, and a count of what goes through. */
export function openHttp({ env, userAgent, trust, timeout = 30_000, whole = WHOLE }: HttpOptions): Http {
  const doors = new Map<string, Promise<Door>>();
  const doorTo = async (url: URL, visit?: Visit): Promise<Door> => {
    const [{ client, ...anonymous }, proxy] = [await trust(url.host), proxyFor(url, env)];
    const trusted = visit === undefined && client ? { ...anonymous, client } : anonymous;
    const kind = JSON.stringify([trusted, proxy]);
    const door = doors.get(kind) ?? openDoor(trusted, proxy, timeout);
    doors.set(kind, door);
    return door;
  };
  const spent = { requests: 0, bytes: 0, waves: 0 };
  let finished = 0;

  const pauses = new Set<() => void>();
  let isOpen = true;
  const send = async (asked: HttpRequest): Promise<HttpResponse | HttpFailure> => {
    if (!isOpen) return { kind: "failure", words: "the run is over", why: "time" };
    const { method, url, headers, body, limit, visit } = asked;
    // A request can only have waited for those that had ended when it was sent.
    const wave = finished + 1;
    spent.requests++;
    spent.waves = Math.max(spent.waves, wave);
    spent.bytes += body?.length ?? 0;
    const patience = Math.min(whole, asked.patience ?? whole) + timeFor(body?.length ?? 0);
    const deadline = openDeadline(patience, asked.timeout ?? Number.POSITIVE_INFINITY);
    const { signal, race } = deadline;
    try {
      const door = await race(doorTo(url, visit));
      const own = { "user-agent": userAgent, ...headers };
      const answer = await race(door.ask({ method, url, headers: own, body, signal, visit }));
      if (asked.headersOnly) {
        answer.drop();
        const { status, headers: told } = answer;
        return { kind: "response", status, headers: told, body: new Uint8Array(), truncated: true };
      }
      const onBytes = (bytes: number): void => {
        deadline.heard(bytes);
        asked.onBytes?.(bytes);
      };
      const reader = answer.status === 200 ? asked.into?.() : undefined;
      const read = reader
        ? await race(pour(answer.body, reader, onBytes))
        : await race(readBody(answer.body, limit, onBytes));
      spent.bytes += "length" in read ? read.length : read.body.length;
      // A connection counts as busy until the next turn, and another one is opened for whoever asks before that.
      await new Promise(setImmediate);
      const { body: kept, truncated } = "length" in read ? { body: new Uint8Array(), truncated: read.isEnough } : read;
      return { kind: "response", status: answer.status, headers: answer.headers, body: kept, truncated };
    } catch (error) {
      return asFailure(error);
    } finally {
      deadline.close();
      finished = Math.max(finished, wave);
    }
  };

  const connect = async (url: URL, count: number): Promise<void> => {
    const door = await doorTo(url);
    if (isOpen) door.open(url, count);
  };

  return {
    send,
    connect: (url, count) => void connect(url, count).catch(() => undefined),
    pause: (milliseconds) =>
      new Promise((done) => {
        const end = (): void => {
          clearTimeout(timer);
          pauses.delete(end);
          done();
        };
        const timer = setTimeout(end, milliseconds * (1 + Math.random() / 5));
        pauses.add(end);
        if (!isOpen) end();
      }),
    traffic: () => ({ ...spent }),
    close: async () => {
      isOpen = false;
      // Who was told to come back later, and is not waited for, must not keep the step from ending.
      for (const end of [...pauses]) end();
      const opened = await Promise.allSettled(doors.values());
      await Promise.all(opened.map((door) => (door.status === "fulfilled" ? door.value.close() : undefined)));
    },
  };
}

async function openDoor(trust: Trust, proxy: string | undefined, quiet: number): Promise<Door> {
  const tls = await tlsOptions(trust);
  const options = { connections: CONNECTIONS, idle: IDLE, quiet, connect: CONNECT_TIMEOUT, tls };
  if (proxy === undefined) return openDirect(options);
  // Behind a proxy the registry's TLS is the inner one, and the proxy may have its certificate from the same place.
  const { client: _, ...shared } = trust;
  const { openProxied } = await import("./proxied.ts");
  return openProxied(proxy, { ...options, proxyTls: await tlsOptions(shared) });
}

/**
 * Certificates are made a context once: to read all of Node's own again for every connection takes longer than the rest of a handshake.
 * Where there are none to add, not even the module is imported.
 */
async function tlsOptions({ certificates, insecure, client }: Trust): Promise<TlsOptions> {
  const shown = client ? { cert: client.certificate, key: client.key } : {};
  const options = insecure ? { rejectUnauthorized: false } : {};
  if (certificates.length === 0) return { ...options, ...shown };
  const { createSecureContext, rootCertificates } = await import("node:tls");
  return { ...options, secureContext: createSecureContext({ ca: [...rootCertificates, ...certificates], ...shown }) };
}

async function readBody(
  stream: AsyncIterable<Uint8Array>,
  limit: number,
  onBytes: (bytes: number) => void,
): Promise<{ readonly body: Uint8Array; readonly truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    onBytes(chunk.length);
    if (size > limit) return { body: Buffer.concat(chunks).subarray(0, limit), truncated: true };
  }
  return { body: Buffer.concat(chunks), truncated: false };
}

async function pour(
  stream: AsyncIterable<Uint8Array>,
  reader: BlobReader,
  onBytes: (bytes: number) => void,
): Promise<{ readonly length: number; readonly isEnough: boolean }> {
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    onBytes(chunk.length);
    if ((await reader(chunk)) === "enough") return { length, isEnough: true };
  }
  return { length, isEnough: false };
}

/** What the system said may be wrapped: the innermost words are those that a person can look up. */
function asFailure(thrown: unknown): HttpFailure {
  if (!(thrown instanceof Error)) return { kind: "failure", words: String(thrown), why: "passing" };
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return asFailure(thrown.errors[0]);
  if (thrown.cause instanceof Error) return asFailure(thrown.cause);
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  if (thrown.name === "TimeoutError") return { kind: "failure", words: "no whole answer in time", why: "time" };
  return { kind: "failure", words: thrown.message === "" ? code : thrown.message, why: causeOf(code, thrown.message) };
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes and https://nodejs.org/api/errors.html */
function causeOf(code: string, words: string): HttpFailure["why"] {
  // ERR_OSSL_: a certificate or a key of our own is none.
  if (/CERT|SELF_SIGNED|VERIFY|UNABLE_TO_GET|TRUST|^ERR_OSSL_/.test(code)) return "certificate";
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) return "no-tls";
  if (code === "ENOTFOUND") return "no-host";
  if (code === INNER) return "inner";
  // undici has no code for it: lib/dispatcher/proxy-agent.js
  if (/^Proxy (?:response|Authentication Required) \(407\)/.test(words)) return "proxy-login";
  return /ECONNRESET|UND_ERR_SOCKET|EPIPE/.test(code) || /other side closed|hang up/.test(words)
    ? "hung-up"
    : "passing";
}
