import type { Http, HttpFailure, HttpRequest, HttpResponse } from "../../src/registry/http.ts";

export type Told = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
};

/** What was sent where, as the network saw it. */
export type Seen = {
  readonly line: string;
  readonly origin: string;
  readonly authorization: string | undefined;
  readonly request: HttpRequest;
};

/** Answers a request to an origin; an `HttpFailure` is a network that fails. */
export type Server = (request: HttpRequest) => Told | HttpFailure;

/**
 * A network of scripted servers behind the port of the client, for what no server on loopback can play: registries by their real names,
 * with TLS. Who is not in it does not exist. A whole wave of requests is answered together, as a network with latency does.
 * @param servers by origin: `https://ghcr.io`
 */
export function openFakeNetwork(servers: Readonly<Record<string, Server>>) {
  const seen: Seen[] = [];
  const pauses: number[] = [];
  let wave: Promise<void> | undefined;
  const answer = (request: HttpRequest): HttpResponse | HttpFailure => {
    const told = servers[request.url.origin]?.(request);
    if (!told) return { kind: "failure", words: `getaddrinfo ENOTFOUND ${request.url.hostname}`, why: "no-host" };
    if ("kind" in told) return told;
    const body = request.method === "HEAD" ? new Uint8Array() : Buffer.from(told.body ?? "");
    return {
      kind: "response",
      status: told.status,
      headers: told.headers ?? {},
      body: body.subarray(0, request.limit),
      truncated: body.length > request.limit,
    };
  };
  const http: Http = {
    send: async (request) => {
      const { authorization } = request.headers;
      const { origin, pathname, search } = request.url;
      seen.push({ line: `${request.method} ${origin}${pathname}${search}`, origin, authorization, request });
      wave ??= new Promise((done) =>
        setTimeout(() => {
          wave = undefined;
          done();
        }, 1),
      );
      await wave;
      return answer(request);
    },
    connect: () => undefined,
    pause: async (milliseconds) => void pauses.push(milliseconds),
    traffic: () => ({ requests: seen.length, bytes: 0, waves: 0 }),
    close: async () => undefined,
  };
  return {
    http,
    seen,
    /** How long the client wanted to wait, in milliseconds; it did not. */
    pauses,
    lines: (): string[] => seen.map(({ line }) => line),
  };
}

/** The registry's own way of saying no. */
export function refusal(status: number, code: string, headers: Told["headers"] = {}): Told {
  const body = JSON.stringify({ errors: [{ code, message: `${code.toLowerCase()} said the registry` }] });
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}
