import { type Digest, openDigest } from "../oci/digest.ts";
import type { AddressContent, Answer, BlobReader, Clock, RegistryError } from "../world.ts";
import { kindOf } from "./download.ts";
import { malformed, nameRequest } from "./errors.ts";
import type { HttpResponse } from "./http.ts";
import { isInnerAddress, isLoopback, type Visit } from "./origins.ts";
import { within } from "./patience.ts";
import { type Failed, follow, persist, type Reply, type TimedHttp } from "./transport.ts";

/** What the workflow itself says of hosts: a commit says none of it. */
export type Visited = {
  /** The input insecure names it. */
  readonly isNamed: (host: string) => boolean;
  /** Certificates are looked at, except for hosts that are named. */
  readonly checksCertificates: boolean;
};

/**
 * Whether this run asks an address that a commit names. A request from here reaches what nobody outside does: this machine, its cloud's
 * metadata, a private network. Logins are never sent, and what a login would change is not asked for without it.
 * @returns how far it may be followed, or why it is not asked: the end of a sentence.
 */
function mayVisit(url: URL, { isNamed, checksCertificates }: Visited): Visit | { readonly wrong: string } {
  if (url.protocol !== "https:" && url.protocol !== "http:") return { wrong: "it is no http address" };
  if (url.username !== "" || url.password !== "") return { wrong: "it holds a login, and none is sent" };
  if (isNamed(url.host)) return "anywhere";
  if (isLoopback(url) || isInnerAddress(url))
    return {
      wrong: `${url.hostname} is not asked, for it is this machine or in an inner network, and the input insecure does not name it`,
    };
  return url.protocol === "https:" && checksCertificates ? "anywhere" : "public";
}

/** What a client of addresses is made of. */
export type Visiting = { readonly http: TimedHttp; readonly clock: Clock; readonly visited: Visited };

/** Milliseconds for one address, with all its redirects and tries: whoever is silent for longer cannot tell. */
const PATIENCE = 15_000;
/** Builders ask for gzip and unpack it; a validator that holds for the bytes themselves is told only who wants nothing packed. */
const HEADERS = { "accept-encoding": "identity" };
const LONGEST = 1024;
/** Of a redirect's or a refusal's body, in bytes. */
const OTHER_BODY = 64 * 1024;
/** Of content, in bytes: a commit names who sends it, and that need not end. */
const LARGEST = 4 * 1024 ** 3;

/**
 * Asks what tells one version of an address's content from another: a strong ETag, else a Last-Modified that is no weak one either. By HEAD;
 * a server that does not take it, or says too little, is asked by GET and left before it sends content. Anonymous, whatever the address is.
 * @param by GET where HEAD is to be left out.
 * @returns `absent` only where GET is answered with 404 or 410; `malformed` where there is no such validator.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8
 */
export async function readValidator(visiting: Visiting, address: string, by?: "GET"): Promise<Answer<string>> {
  const url = readAddress(address);
  if (!(url instanceof URL)) return url;
  const { http, clock } = visiting;
  const ask = (method: "HEAD" | "GET") =>
    follow(http, { ...requestTo(url, visiting), method, limit: 0, headersOnly: method === "GET" });
  const asking = async () => answerOf(await persist(http, clock, () => ask("GET")), url);
  const looking = async (): Promise<Answer<string>> => {
    if (by === "GET") return asking();
    const first = await ask("HEAD");
    const told = answerOf(first, url);
    if (told.kind === "found" || (first.kind === "failed" && !SAYS_NOTHING_OF_GET.has(first.why))) return told;
    return asking();
  };
  const answer = await within(PATIENCE, looking());
  if (answer !== "late") return answer;
  const words = `it has not answered within ${PATIENCE / 1000} s`;
  return { kind: "unavailable", request: withoutPath(nameRequest(by ?? "HEAD", url)), words };
}

const SAYS_NOTHING_OF_GET: ReadonlySet<Failed["why"]> = new Set(["hung-up", "passing"]);

/**
 * Reads what an address serves to its end and keeps none of it.
 * @returns its sha256, and the validator that came in the same answer, as `readValidator` tells it; `malformed` for more than 4 GiB.
 */
export async function readContent(visiting: Visiting, address: string): Promise<Answer<AddressContent>> {
  const url = readAddress(address);
  if (!(url instanceof URL)) return url;
  let sum = openDigest();
  const into = (): BlobReader => {
    sum = openDigest();
    let size = 0;
    return async (bytes) => {
      size += bytes.length;
      if (size > LARGEST) return "enough";
      sum.add(bytes);
      return "more";
    };
  };
  const asked = { ...requestTo(url, visiting), method: "GET", limit: OTHER_BODY, into } as const;
  const reply = await persist(visiting.http, visiting.clock, () => follow(visiting.http, asked));
  if (reply.kind === "reply" && reply.response.status === 200 && reply.response.truncated)
    return { ...malformed(withoutPath(reply.name), "it sends more than 4 GiB"), fix: TOO_LARGE };
  const validator = answerOf(reply, url);
  return validator.kind === "found" ? contentOf(validator.value, sum.digest()) : validator;
}

const TOO_LARGE = "Add --checksum=sha256:… to it: then nothing is read of it but by the builder.";

function contentOf(validator: string, digest: Digest): Answer<AddressContent> {
  return { kind: "found", value: { validator, digest } };
}

function requestTo(url: URL, { visited }: Visiting) {
  return { url, headers: HEADERS, authorization: undefined, mayVisit: (hop: URL) => mayVisit(hop, visited) };
}

function readAddress(address: string): URL | RegistryError {
  return URL.canParse(address) ? new URL(address) : malformed("GET", "it is no address");
}

/** Build args may stand in the path, and what signs a redirect: messages have the address as it is written beside this. */
function withoutPath(request: string): string {
  return request.replace(/(:\/\/[^/]*).*$/s, "$1");
}

/** Validators tell versions of one resource apart: where another one has answered, it counts which. */
function answerOf(reply: Reply | Failed, asked: URL): Answer<string> {
  if (reply.kind === "failed") return { ...reply.error, request: withoutPath(reply.error.request) };
  const { response, url } = reply;
  const name = withoutPath(reply.name);
  const { status } = response;
  if (status !== 200) return { kind: kindOf(status), request: name, status, words: `status ${status}` };
  const validator = validatorOf(response);
  if (typeof validator !== "string") return malformed(name, validator.wrong, status);
  return { kind: "found", value: url.href === asked.href ? validator : `${validator} of ${unsigned(url)}` };
}

/** With these an address of a storage says who may read it until when, anew with each redirect, and not what it is. */
const SIGNATURE =
  /^(?:x-(?:amz|goog)-.*|s[pretv]|spr|sig|sko?id|skt(?:id)?|sk[esv]|jwt|expires|signature|policy|key-pair-id|awsaccesskeyid|googleaccessid)$/i;

function unsigned({ origin, pathname, searchParams }: URL): string {
  const counted = [...searchParams].filter(([name]) => !SIGNATURE.test(name));
  return `${origin}${pathname}?${new URLSearchParams(counted)}`;
}

function validatorOf({ headers }: HttpResponse): string | { readonly wrong: string } {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity")
    return { wrong: "it is sent packed to whoever does not want that, and builders unpack it" };
  const { etag, date } = headers;
  const modified = headers["last-modified"];
  if (typeof etag === "string" && STRONG.test(etag)) return `ETag ${etag}`;
  if (typeof modified === "string" && !isOwnDate(modified)) return { wrong: "its Last-Modified is no date of its own" };
  if (typeof modified === "string" && isSettled(modified, date)) return `Last-Modified ${modified}`;
  if (typeof modified === "string") return { wrong: "its Last-Modified is too young, or there is no Date beside it" };
  return { wrong: etag === undefined ? "it has no ETag and no Last-Modified" : "its ETag is a weak one" };
}

const STRONG = new RegExp(`^"[\\x21\\x23-\\x7e\\x80-\\xff]{1,${LONGEST}}"$`);

/** In milliseconds. What was changed in this very minute may change once more without its date doing so. */
const SETTLED = 60_000;

/** https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2 */
function isSettled(modified: string, date: string | readonly string[] | undefined): boolean {
  const age = Date.parse(typeof date === "string" ? date : "") - Date.parse(modified);
  return age >= SETTLED;
}

/** What makes packages to be alike each time gives all files one date: the first one of Unix (1970), of zip (1980), or npm's (1985). */
const OLDEST = Date.UTC(1990);

/** Other forms than this one are read as some date too, be it a plain number. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
function isOwnDate(modified: string): boolean {
  return (
    /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(modified) && Date.parse(modified) >= OLDEST
  );
}
