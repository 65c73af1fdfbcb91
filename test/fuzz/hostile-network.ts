import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Http, HttpFailure, HttpRequest, HttpResponse } from "../../src/registry/http.ts";
import type { openVirtualTime } from "./virtual-time.ts";

/** What is right: by host and path, `cache.test/v2/team/app/manifests/one`. */
export type Store = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly type: string }>;

/** One thing that happens to one request. */
export type Twist =
  | { readonly kind: "right"; readonly delay: number }
  | { readonly kind: "raw"; readonly status: number; readonly headers: HttpResponse["headers"]; readonly body: string }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "flipped"; readonly at: number }
  | { readonly kind: "marked" }
  | { readonly kind: "said otherwise"; readonly headers: HttpResponse["headers"] }
  | { readonly kind: "unmeasured" }
  | { readonly kind: "absent" }
  | { readonly kind: "sent on"; readonly to: string }
  | { readonly kind: "swapped"; readonly number: number }
  | { readonly kind: "failure"; readonly why: HttpFailure["why"]; readonly delay: number };

/** What the network remembers of a run. */
export type Told = {
  /** What was served as it is, whole and undisputed. */
  readonly proved: Set<string>;
  /** Whether a registry itself has said that something is not there. */
  absences: number;
  requests: number;
};

const NOT_FOUND = ["MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"];
const errors = (...codes: readonly string[]): string =>
  JSON.stringify({ errors: codes.map((code) => ({ code, message: "said so" })) });

const BODIES = [
  "",
  "{}",
  "[]",
  "null",
  "<html>Log in</html>",
  ...NOT_FOUND.map((code) => errors(code)),
  `\ufeff${errors("MANIFEST_UNKNOWN")}`,
  errors("SERVICE_UNKNOWN"),
  errors("MANIFEST_UNKNOWN", "UNAVAILABLE"),
  errors(),
  errors("DENIED"),
  errors("TOOMANYREQUESTS"),
  errors("MANIFEST_UNKNOWN").slice(0, 20),
  '{"token":"t"}',
  '{"access_token":"u","expires_in":1}',
  '{"schemaVersion":1}',
];
const STATUSES = [
  200, 200, 200, 201, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 404, 404, 404, 405, 410, 416, 429, 500, 503,
  504,
];
const TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/json",
  "text/html",
  "application/octet-stream",
];
const PLACES = [
  "https://storage.test/v2/same",
  "https://storage.test/gone",
  "https://evil.test/page",
  "http://plain.test/",
  "/elsewhere",
  "https://",
];
const digest = (text: string | Uint8Array): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const headers: fc.Arbitrary<HttpResponse["headers"]> = fc
  .record({
    "content-type": maybe(fc.constantFrom(...TYPES)),
    "content-length": maybe(fc.constantFrom("0", "5", "100", "many")),
    "content-range": maybe(fc.constantFrom("bytes 0-0/5", "bytes 0-0/*", "bytes 1-1/2", "x")),
    "docker-content-digest": maybe(fc.constantFrom(digest("other"), "sha256:x", "")),
    "www-authenticate": maybe(
      fc.constantFrom(
        'Bearer realm="https://auth.test/token"',
        "Basic realm=x",
        "Bearer",
        'Bearer realm="https://evil.test/t"',
      ),
    ),
    location: maybe(fc.constantFrom(...PLACES)),
    "retry-after": maybe(fc.constantFrom("0", "1", "20", "100", "soon")),
  })
  .map((all) =>
    Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  );

const right: fc.Arbitrary<Twist> = fc.record({ kind: fc.constant("right"), delay: fc.nat({ max: 400 }) });
const hostile: fc.Arbitrary<Twist> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("raw"),
      status: fc.constantFrom(...STATUSES),
      headers,
      body: fc.constantFrom(...BODIES),
    }),
  },
  fc.record({ kind: fc.constant("right"), delay: fc.constantFrom(20_000, 40_000, 100_000) }),
  fc.record({ kind: fc.constant("cut"), at: fc.nat({ max: 400 }) }),
  fc.record({ kind: fc.constant("flipped"), at: fc.nat({ max: 400 }) }),
  fc.constant<Twist>({ kind: "marked" }),
  fc.record({
    kind: fc.constant("said otherwise"),
    headers: fc.constantFrom<HttpResponse["headers"]>(
      { "docker-content-digest": digest("other") },
      { "content-type": "text/html" },
      { "content-type": "application/vnd.docker.distribution.manifest.v2+json" },
      { "docker-content-digest": [digest("other"), digest("more")] },
    ),
  }),
  fc.constant<Twist>({ kind: "unmeasured" }),
  { weight: 2, arbitrary: fc.constant<Twist>({ kind: "absent" }) },
  fc.record({
    kind: fc.constant("sent on"),
    to: fc.constantFrom("https://storage.test", "https://evil.test", "http://plain.test"),
  }),
  fc.record({ kind: fc.constant("swapped"), number: fc.nat({ max: 20 }) }),
  fc.record({
    kind: fc.constant("failure"),
    why: fc.constantFrom("certificate", "no-tls", "hung-up", "no-host", "time", "passing"),
    delay: fc.constantFrom(0, 100, 30_000),
  }),
);

/** From a network that fails once in a while to one of which nothing is right. */
export const twists: fc.Arbitrary<readonly Twist[]> = fc.constantFrom(30, 8, 2, 0).chain((weight) =>
  fc.array(fc.oneof({ weight, arbitrary: right }, { weight: 1, arbitrary: hostile }), {
    minLength: 1,
    maxLength: 40,
  }),
);

/** A network in which everything is there and whole, and each request has its twist, over and over. `storage.test` holds what the registries hold. */
export function openHostileNetwork(store: Store, script: readonly Twist[], time: ReturnType<typeof openVirtualTime>) {
  const told: Told = { proved: new Set(), absences: 0, requests: 0 };
  const isRegistry = (url: URL): boolean => [...store.keys()].some((key) => key.startsWith(`${url.host}/`));

  const rightAnswer = (request: HttpRequest): HttpResponse => {
    const { method, url, headers: asked, limit } = request;
    const there = store.get(`${url.host}${url.pathname}`) ?? store.get(url.pathname.slice(1));
    if (!there) return absent(request);
    const { bytes, type } = there;
    // Of a tag nothing else proves that no byte has changed on the way.
    const named = url.pathname.includes("/manifests/") ? { "docker-content-digest": digest(bytes) } : {};
    const measured = { "content-type": type, "content-length": String(bytes.length), ...named };
    if (method === "HEAD") return respond(200, measured, Buffer.alloc(0), limit);
    if (asked.range === undefined) return respond(200, measured, bytes, limit);
    const range = { "content-type": type, "content-range": `bytes 0-0/${bytes.length}` };
    return respond(206, range, bytes.subarray(0, 1), limit);
  };

  const twisted = (twist: Twist, request: HttpRequest): HttpResponse | HttpFailure => {
    const answer = rightAnswer(request);
    const { url, limit } = request;
    const { body } = answer;
    switch (twist.kind) {
      case "right":
        return answer;
      case "raw":
        return respond(twist.status, twist.headers, Buffer.from(request.method === "HEAD" ? "" : twist.body), limit);
      case "cut":
        return { ...answer, body: body.subarray(0, Math.min(twist.at, Math.max(0, body.length - 1))) };
      case "flipped": {
        const bytes = Uint8Array.from(body);
        if (bytes.length > 0) bytes[twist.at % bytes.length] = (bytes[twist.at % bytes.length] ?? 0) ^ 1;
        return { ...answer, body: bytes };
      }
      case "marked":
        return { ...answer, body: Buffer.concat([Buffer.from("\ufeff"), body]) };
      case "said otherwise":
        return { ...answer, headers: { ...answer.headers, ...twist.headers } };
      case "unmeasured": {
        const { "content-length": _, "content-range": __, ...rest } = answer.headers;
        return { ...answer, headers: rest };
      }
      case "absent":
        return absent(request);
      case "sent on":
        return respond(307, { location: `${twist.to}/${url.host}${url.pathname}` }, Buffer.alloc(0), limit);
      case "swapped": {
        const others = [...store].filter(([key]) => key.includes("sha256:") && !key.endsWith(url.pathname));
        const [, other] = others[twist.number % others.length] ?? [];
        // A tag may name anything: what is swapped is what a digest names.
        return other && url.pathname.includes("sha256:") ? { ...answer, body: other.bytes.subarray(0, limit) } : answer;
      }
      case "failure":
        return { kind: "failure", words: "the network failed", why: twist.why };
    }
  };

  const remember = (request: HttpRequest, answer: HttpResponse | HttpFailure): void => {
    if (answer.kind === "failure") return;
    const { url } = request;
    const key = store.has(`${url.host}${url.pathname}`) ? `${url.host}${url.pathname}` : url.pathname.slice(1);
    const there = store.get(key);
    if (there && isProof(request, answer, there.bytes)) told.proved.add(key);
    // The few bodies that say it, written down here once more: only from a registry, and only with 404.
    if (
      isRegistry(url) &&
      answer.status === 404 &&
      NOT_FOUND.some((code) => Buffer.from(answer.body).toString() === errors(code))
    )
      told.absences++;
  };

  const http: Http = {
    send: async (request) => {
      const twist = script[told.requests++ % script.length] ?? { kind: "right", delay: 0 };
      const delay = "delay" in twist ? twist.delay : 5;
      // As the real door: half a minute without a byte, or what the request is given.
      const longest = Math.min(30_000, request.patience ?? 60_000, request.timeout ?? 60_000);
      await time.sleep(Math.min(delay, longest));
      if (delay > longest)
        return { kind: "failure", words: "no whole answer in time", why: longest < 30_000 ? "time" : "passing" };
      const answer = twisted(twist, request);
      remember(request, answer);
      return answer;
    },
    connect: () => undefined,
    pause: (milliseconds) => time.sleep(milliseconds),
    traffic: () => ({ requests: told.requests, bytes: 0, waves: 0 }),
    close: async () => undefined,
  };
  return { http, told };
}

/** What a registry itself says of what is not there; to HEAD it has no words, as on any network. */
function absent({ method, limit }: HttpRequest): HttpResponse {
  const words = method === "HEAD" ? "" : errors("MANIFEST_UNKNOWN");
  return respond(404, { "content-type": "application/json" }, Buffer.from(words), limit);
}

/** Written down here once more, as plainly as it can be: all the bytes, or the length of all, and nothing said against it. */
function isProof({ method, headers: asked }: HttpRequest, answer: HttpResponse, bytes: Uint8Array): boolean {
  const { status, headers, body } = answer;
  const { "docker-content-digest": named = "" } = headers;
  if (named !== "" && named !== digest(bytes)) return false;
  if (method === "HEAD") return status === 200 && headers["content-length"] === String(bytes.length);
  if (status === 206) return headers["content-range"] === `bytes 0-0/${bytes.length}` && asked.range === "bytes=0-0";
  return status === 200 && Buffer.from(body).equals(bytes);
}

function respond(status: number, headers: HttpResponse["headers"], body: Uint8Array, limit: number): HttpResponse {
  return { kind: "response", status, headers, body: body.subarray(0, limit), truncated: body.length > limit };
}
