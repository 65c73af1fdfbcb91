import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import type { Traffic } from "../world.ts";
import { isLoopback } from "./tokens.ts";
import type { Trust } from "./trust.ts";

export type HttpRequest = {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** The most that is read of an answer's body, in bytes. */
  readonly limit: number;
  /** Milliseconds for the whole exchange, where time is limited. */
  readonly timeout?: number;
};

/** `truncated`: the body was longer than the limit and is cut there. Header names are in lower case. */
export type HttpResponse = {
  readonly kind: "response";
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
  readonly truncated: boolean;
};

/** Nothing came back, or not all of it. `words` are the network's own. */
export type HttpFailure = { readonly kind: "failure"; readonly words: string };

export type Http = {
  /** One request, redirects not followed. Never throws for what a network or a server does. */
  readonly send: (request: HttpRequest) => Promise<HttpResponse | HttpFailure>;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly traffic: () => Traffic;
  readonly close: () => Promise<void>;
};

export type HttpOptions = {
  /** The environment, for the proxy's variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly trust: (host: string) => Promise<Trust>;
  /** Milliseconds without a byte, after which a request is given up. */
  readonly timeout?: number;
};

const CONNECTIONS = 16;
const CONNECT_TIMEOUT = 10_000;
const IDLE = 30_000;

/** Opens the one door to the network: pools of connections, the proxy of the environment, and a count of what goes through. */
export function openHttp({ env, userAgent, trust, timeout = 30_000 }: HttpOptions): Http {
  const pools = new Map<string, Promise<Dispatcher>>();
  const poolFor = async (url: URL): Promise<Dispatcher> => {
    const { certificates, insecure } = await trust(url.host);
    // Hosts that are trusted alike share one pool.
    const kind = JSON.stringify([certificates, insecure, isLoopback(url)]);
    const pool = pools.get(kind) ?? openPool({ env, timeout, certificates, insecure, direct: isLoopback(url) });
    pools.set(kind, pool);
    return pool;
  };
  const spent = { requests: 0, bytes: 0, waves: 0 };
  let finished = 0;

  const send = async ({
    method,
    url,
    headers,
    body,
    limit,
    timeout: whole,
  }: HttpRequest): Promise<HttpResponse | HttpFailure> => {
    // A request can only have waited for those that had ended when it was sent.
    const wave = finished + 1;
    spent.requests++;
    spent.waves = Math.max(spent.waves, wave);
    spent.bytes += body?.length ?? 0;
    try {
      const dispatcher = await poolFor(url);
      const answer = await request(url, {
        method,
        headers: { "user-agent": userAgent, ...headers },
        dispatcher,
        ...(body === undefined ? {} : { body }),
        ...(whole === undefined ? {} : { signal: AbortSignal.timeout(whole) }),
      });
      const read = await readBody(answer.body, limit);
      spent.bytes += read.body.length;
      return { kind: "response", status: answer.statusCode, headers: asHeaders(answer.headers), ...read };
    } catch (error) {
      return { kind: "failure", words: describe(error) };
    } finally {
      finished = Math.max(finished, wave);
    }
  };

  return {
    send,
    pause: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
    traffic: () => ({ ...spent }),
    close: async () => {
      await Promise.all([...pools.values()].map(async (pool) => (await pool).close()));
    },
  };
}

type PoolOptions = Trust & Pick<HttpOptions, "env"> & { readonly timeout: number; readonly direct: boolean };

/** Nothing on loopback goes through a proxy, as with docker and every other Go program. */
async function openPool({ env, timeout, certificates, insecure, direct }: PoolOptions): Promise<Dispatcher> {
  const tls = {
    ...(certificates.length === 0 ? {} : { ca: [...(await knownCertificates()), ...certificates] }),
    ...(insecure ? { rejectUnauthorized: false } : {}),
  };
  const options = {
    connections: CONNECTIONS,
    pipelining: 1,
    // The default of 4 s is too short between a probe and the push after a build.
    keepAliveTimeout: IDLE,
    connect: { timeout: CONNECT_TIMEOUT, ...tls },
    headersTimeout: timeout,
    bodyTimeout: timeout,
  };
  const [http, https] = [env.http_proxy || env.HTTP_PROXY, env.https_proxy || env.HTTPS_PROXY];
  if (direct || (!http && !https)) return new Agent(options);
  const proxied = {
    ...options,
    ...(http ? { httpProxy: http } : {}),
    ...(https ? { httpsProxy: https } : {}),
    noProxy: env.no_proxy || env.NO_PROXY || "",
    // Behind a proxy the registry's TLS is the inner one, and the proxy may have its certificate from the same place.
    requestTls: tls,
    proxyTls: tls,
  };
  return new EnvHttpProxyAgent(proxied);
}

/** Read only when they are needed: to import the module is to parse every root certificate, on every hit. */
async function knownCertificates(): Promise<readonly string[]> {
  return (await import("node:tls")).rootCertificates;
}

async function readBody(
  stream: AsyncIterable<Uint8Array> & { readonly destroy: () => unknown },
  limit: number,
): Promise<{ readonly body: Uint8Array; readonly truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) return { body: Buffer.concat(chunks).subarray(0, limit), truncated: true };
  }
  return { body: Buffer.concat(chunks), truncated: false };
}

function asHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  );
}

/** undici wraps what the system said: the innermost words are those that a person can look up. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  if (error.cause instanceof Error) return describe(error.cause);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return error.message === "" ? code : error.message;
}
