import { type Digest, digestOf, isDigest } from "../oci/digest.ts";
import { type Descriptor, isRecord, readManifest, type Served } from "../oci/manifest.ts";
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from "../oci/media-types.ts";
import type { Reference, Repository } from "../oci/reference.ts";
import type { Answer, Clock, Registry, RegistryError, StoredLogin } from "../world.ts";
import { openAuthorizer } from "./authorize.ts";
import { errorOf, failureOf, malformed, nameRequest } from "./errors.ts";
import type { Http, HttpRequest, HttpResponse } from "./http.ts";
import type { Authorization } from "./tokens.ts";

export type RegistryOptions = {
  readonly clock: Clock;
  readonly mask: (secret: string) => void;
  /** The login for a repository, asked for when its registry wants one. */
  readonly credentials: (name: Repository) => Promise<StoredLogin | undefined>;
  /** Whether the run may push there: then the first token is already one for that. */
  readonly pushes: (name: Repository) => boolean;
  /** Whether a registry may be spoken to over plain http; on loopback it always may. */
  readonly insecure: (registry: string) => boolean;
};

/** All four types, always: a registry that is not asked for one may answer with another, or say that there is nothing. */
const ACCEPT = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(", ");
const MANIFEST_LIMIT = 8 * 1024 * 1024;
const BLOB_LIMIT = 4 * 1024 * 1024;
const ERROR_LIMIT = 64 * 1024;
const REDIRECTS = 10;
const ATTEMPTS = 4;
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 60_000;
const OUT_OF_TIME = "all look-ups together took longer than they may; the rest was not asked";
const PASSING = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

type Call = {
  readonly method: HttpRequest["method"];
  readonly repository: Repository;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly limit?: number;
  /** An address that the registry gave, instead of a path. */
  readonly url?: URL;
};

type Reply = { readonly kind: "reply"; readonly response: HttpResponse; readonly name: string; readonly url: URL };

/**
 * Opens the registries of a run: reads and small pushes, with answers in three values. A look-up that is under way is shared by all who
 * ask the same.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export function openRegistry(http: Http, options: RegistryOptions): Registry {
  const budget: Budget = { until: undefined };
  const send = openSender(http, options, budget);
  const describe = (reference: Reference): Promise<Answer<Descriptor>> => describeManifest(send, reference);
  const manifest = (reference: Reference): Promise<Answer<Served>> => readServed(send, reference);
  return {
    describe: shared((reference) => `${reference.registry}/${reference.repository}/${nameOf(reference)}`, describe),
    manifest: shared((reference) => `${reference.registry}/${reference.repository}/${nameOf(reference)}`, manifest),
    hasBlob: (repository, blob) => hasBlob(send, repository, blob),
    blob: (repository, blob, limit = BLOB_LIMIT) => readBlob(send, repository, blob, limit),
    acceptsPush: (repository) => acceptsPush(send, repository),
    putBlob: (repository, bytes, mediaType) => putBlob(send, repository, bytes, mediaType),
    putManifest: (repository, bytes, mediaType, tag) => putManifest(send, repository, { bytes, mediaType, tag }),
    tags: (repository) => listTags(send, repository),
    mountBlob: (repository, from, blob) => mountBlob(send, repository, from, blob),
    deleteManifest: (reference) => deleteManifest(send, reference),
    limitTime: (milliseconds) => {
      budget.until = milliseconds === undefined ? undefined : options.clock() + milliseconds;
    },
    traffic: http.traffic,
    close: http.close,
  };
}

function shared<A, T>(keyOf: (argument: A) => string, work: (argument: A) => Promise<T>): (argument: A) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return (argument) => {
    const key = keyOf(argument);
    const flight = flights.get(key) ?? work(argument).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}

function nameOf(reference: Reference): string {
  return reference.digest ?? reference.tag ?? "latest";
}

/** Docker Hub's API has a host of its own. */
function hostOf({ registry }: Repository): string {
  return registry === "docker.io" ? "registry-1.docker.io" : registry;
}

/** What a TLS server answers to plain http: Go's own words, and those of others that just hang up. */
function speaksTls(reply: Reply | RegistryError): boolean {
  if (!("response" in reply))
    return reply.kind === "unavailable" && /other side closed|ECONNRESET|socket hang up/i.test(reply.words);
  const { status, body } = reply.response;
  return status === 400 && /HTTPS server|HTTPS port/i.test(new TextDecoder().decode(body));
}

/** Until when all requests together have to be done, in milliseconds since 1970. */
type Budget = { until: number | undefined };

type Send = (call: Call) => Promise<Reply | RegistryError>;

/** Sends with the authorization that the registry asks for, follows redirects, and tries again what may pass. */
function openSender(http: Http, options: RegistryOptions, budget: Budget): Send {
  const authorizer = openAuthorizer({ http, ...options });
  const speakTls = new Set<string>();
  const originOf = (name: Repository): URL => {
    const plain = options.insecure(name.registry) && !speakTls.has(name.registry);
    return new URL(`${plain ? "http" : "https"}://${hostOf(name)}`);
  };
  /** Where plain http is allowed it is tried first, before any credentials are sent; a server that wants TLS says so. */
  const ask = async (call: Call, authorization: string | undefined): Promise<Reply | RegistryError> => {
    const origin = originOf(call.repository);
    const left = (): number | undefined => (budget.until === undefined ? undefined : budget.until - options.clock());
    const reply = await attempt(http, { ...call, origin, left }, authorization);
    if (origin.protocol === "https:" || !speaksTls(reply)) return reply;
    speakTls.add(call.repository.registry);
    return attempt(http, { ...call, origin: originOf(call.repository), left }, authorization);
  };

  return async (call) => {
    const { repository } = call;
    const used = (await authorizer.known(repository)) ?? (await authorizer.foresee(repository, originOf(repository)));
    const first = await ask(call, used);
    if (!("response" in first) || first.response.status !== 401) return first;
    const origin = originOf(repository);
    // Only the registry's own challenge is answered: whoever it redirected to must not name a place for the login.
    if (first.url.origin !== origin.origin) return first;
    // Whoever was refused at the same time shares the exchange: only the one with the token that failed asks for another.
    const now = await authorizer.known(repository);
    const pending: Authorization | undefined =
      now === used || now === undefined ? undefined : { kind: "header", value: now };
    const refused = { origin, response: first.response, request: first.name };
    const authorization = pending ?? (await authorizer.answer(repository, refused));
    return authorization.kind === "header" ? ask(call, authorization.value) : authorization;
  };
}

/** `left`: the milliseconds that are left, where time is limited. */
type Placed = Call & { readonly origin: URL; readonly left: () => number | undefined };

async function attempt(http: Http, call: Placed, authorization: string | undefined): Promise<Reply | RegistryError> {
  for (let tried = 1; ; tried++) {
    const reply = await follow(http, call, authorization);
    const passing = "response" in reply ? PASSING.has(reply.response.status) : reply.kind === "unavailable";
    const wait = "response" in reply ? retryAfter(reply.response) : undefined;
    const pause = wait ?? FIRST_PAUSE * 3 ** (tried - 1);
    const longest = Math.min(LONGEST_PAUSE, call.left() ?? LONGEST_PAUSE);
    if (!passing || tried === ATTEMPTS || pause > longest) return reply;
    await http.pause(pause);
  }
}

/** Seconds, or a date. @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfter({ headers }: HttpResponse): number | undefined {
  const value = headers["retry-after"];
  if (typeof value !== "string") return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Credentials go to the registry's own origin and are dropped when a redirect leaves it: storage hosts refuse them, others must not see them. */
async function follow(http: Http, call: Placed, authorization: string | undefined): Promise<Reply | RegistryError> {
  let url = call.url ?? new URL(`/v2/${call.repository.repository}/${call.path}`, call.origin);
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    const name = nameRequest(call.method, url);
    const left = call.left();
    if (left !== undefined && left <= 0) return { kind: "unavailable", request: name, words: OUT_OF_TIME };
    const own = url.origin === call.origin.origin && authorization !== undefined ? { authorization } : {};
    const answer = await http.send({
      method: call.method,
      url,
      headers: { ...call.headers, ...own },
      limit: call.limit ?? ERROR_LIMIT,
      ...(call.body ? { body: call.body } : {}),
      ...(left === undefined ? {} : { timeout: left }),
    });
    if (answer.kind === "failure") return failureOf(name, answer);
    const next = redirectOf(answer, url, name);
    if (next === undefined) return { kind: "reply", response: answer, name, url };
    if (!(next instanceof URL)) return next;
    url = next;
  }
  return malformed(nameRequest(call.method, url), "it redirects without end");
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

async function readServed(send: Send, reference: Reference): Promise<Answer<Served>> {
  const reply = await send({
    method: "GET",
    repository: reference,
    path: `manifests/${nameOf(reference)}`,
    headers: { accept: ACCEPT },
    limit: MANIFEST_LIMIT,
  });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status !== 200) return errorOf(name, response);
  if (response.truncated) return malformed(name, `the manifest is longer than ${MANIFEST_LIMIT} bytes`, 200);
  const digest = digestOf(response.body);
  if (reference.digest !== undefined && reference.digest !== digest)
    return malformed(name, `it was answered with another content, ${digest}`, 200);
  const json = parseJson(response.body);
  if (json === undefined) return malformed(name, "the manifest is no JSON", 200);
  const mediaType = mediaTypeOf(response);
  const body = readManifest(json, mediaType);
  if ("wrong" in body) return malformed(name, body.wrong, 200);
  return {
    kind: "found",
    value: { bytes: response.body, body, descriptor: { mediaType, digest, size: response.body.length } },
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function mediaTypeOf({ headers }: HttpResponse): string {
  return (
    String(headers["content-type"] ?? "")
      .split(";", 1)[0]
      ?.trim() ?? ""
  );
}

/** HEAD does not count as a pull where pulls are counted. Where it does not tell, or is not allowed, GET does. */
async function describeManifest(send: Send, reference: Reference): Promise<Answer<Descriptor>> {
  const path = `manifests/${nameOf(reference)}`;
  const reply = await send({ method: "HEAD", repository: reference, path, headers: { accept: ACCEPT } });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  const digest = response.headers["docker-content-digest"];
  const size = Number(response.headers["content-length"]);
  if (
    response.status === 200 &&
    isDigest(digest) &&
    Number.isSafeInteger(size) &&
    (reference.digest ?? digest) === digest
  )
    return { kind: "found", value: { mediaType: mediaTypeOf(response), digest, size } };
  if (response.status === 404 || response.status === 401 || response.status === 403 || response.status === 429)
    return errorOf(name, response);
  const served = await readServed(send, reference);
  return served.kind === "found" ? { kind: "found", value: served.value.descriptor } : served;
}

async function hasBlob(send: Send, repository: Repository, blob: Descriptor): Promise<Answer<true>> {
  const reply = await send({ method: "HEAD", repository, path: `blobs/${blob.digest}` });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status === 200) {
    const length = response.headers["content-length"];
    if (length !== undefined && Number(length) !== blob.size)
      return malformed(name, `it is ${String(length)} bytes long and should be ${blob.size}`, 200);
    return { kind: "found", value: true };
  }
  if (response.status === 404) return errorOf(name, response);
  return hasBlobByRange(send, repository, blob);
}

/** Some registries refuse HEAD on a blob and serve it all the same: one byte tells. */
async function hasBlobByRange(send: Send, repository: Repository, blob: Descriptor): Promise<Answer<true>> {
  const reply = await send({
    method: "GET",
    repository,
    path: `blobs/${blob.digest}`,
    headers: { range: "bytes=0-0" },
    limit: 1024,
  });
  if (!("response" in reply)) return reply;
  return reply.response.status === 206 || reply.response.status === 200
    ? { kind: "found", value: true }
    : errorOf(reply.name, reply.response);
}

async function readBlob(
  send: Send,
  repository: Repository,
  blob: Descriptor,
  limit: number,
): Promise<Answer<Uint8Array>> {
  const reply = await send({
    method: "GET",
    repository,
    path: `blobs/${blob.digest}`,
    limit: Math.max(ERROR_LIMIT, Math.min(limit, blob.size)),
  });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status !== 200) return errorOf(name, response);
  if (blob.size > limit) return malformed(name, `it is longer than ${limit} bytes`, 200);
  if (response.truncated || response.body.length !== blob.size)
    return malformed(name, `it is not ${blob.size} bytes long`, 200);
  const digest = digestOf(response.body);
  return digest === blob.digest
    ? { kind: "found", value: response.body }
    : malformed(name, `it was answered with another content, ${digest}`, 200);
}

async function openUpload(send: Send, repository: Repository): Promise<{ readonly location: URL } | RegistryError> {
  const reply = await send({ method: "POST", repository, path: "blobs/uploads/", headers: { "content-length": "0" } });
  if (!("response" in reply)) return reply;
  const { response, name, url } = reply;
  const { location } = response.headers;
  if (response.status !== 202) return errorOf(name, response);
  if (typeof location !== "string" || !URL.canParse(location, url.href))
    return malformed(name, "the upload was opened and has no address", 202);
  const next = new URL(location, url);
  if (next.protocol !== "https:" && next.protocol !== url.protocol)
    return malformed(name, `the upload was opened at ${next.origin}, without TLS`, 202);
  return { location: next };
}

async function acceptsPush(send: Send, repository: Repository): Promise<Answer<true>> {
  const upload = await openUpload(send, repository);
  if (!("location" in upload)) return upload;
  await send({ method: "DELETE", repository, path: "", url: upload.location });
  return { kind: "found", value: true };
}

async function putBlob(
  send: Send,
  repository: Repository,
  bytes: Uint8Array,
  mediaType: string,
): Promise<Answer<Descriptor>> {
  const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  const there = await hasBlob(send, repository, descriptor);
  if (there.kind === "found") return { kind: "found", value: descriptor };
  const upload = await openUpload(send, repository);
  if (!("location" in upload)) return upload;
  upload.location.searchParams.set("digest", descriptor.digest);
  const reply = await send({
    method: "PUT",
    repository,
    path: "",
    url: upload.location,
    headers: { "content-type": "application/octet-stream" },
    body: bytes,
  });
  if (!("response" in reply)) return reply;
  return reply.response.status === 201 ? { kind: "found", value: descriptor } : errorOf(reply.name, reply.response);
}

type Manifest = { readonly bytes: Uint8Array; readonly mediaType: string; readonly tag: string | undefined };

async function putManifest(
  send: Send,
  repository: Repository,
  { bytes, mediaType, tag }: Manifest,
): Promise<Answer<Descriptor>> {
  const digest: Digest = digestOf(bytes);
  const reply = await send({
    method: "PUT",
    repository,
    path: `manifests/${tag ?? digest}`,
    headers: { "content-type": mediaType },
    body: bytes,
  });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status < 200 || response.status > 202) return errorOf(name, response);
  return { kind: "found", value: { mediaType, digest, size: bytes.length } };
}

const MOST_PAGES = 100;

/** Follows the pages that a registry makes of a long list; what a page points to on another host is not asked. */
async function listTags(send: Send, repository: Repository): Promise<Answer<readonly string[]>> {
  const tags: string[] = [];
  let url: URL | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const reply = await send({
      method: "GET",
      repository,
      path: "tags/list?n=1000",
      limit: MANIFEST_LIMIT,
      ...(url ? { url } : {}),
    });
    if (!("response" in reply)) return reply;
    const { response, name } = reply;
    if (response.status !== 200) return errorOf(name, response);
    const json = parseJson(response.body);
    // An empty repository is `null` to some.
    const list: unknown = isRecord(json) ? (json.tags ?? []) : undefined;
    if (!Array.isArray(list) || !list.every((tag) => typeof tag === "string"))
      return malformed(name, "it is no list of tags", 200);
    tags.push(...list);
    const next = nextPage(response, reply.url);
    if (next === undefined || next.href === url?.href) return { kind: "found", value: tags };
    if (next.origin !== reply.url.origin) return malformed(name, `the list goes on at ${next.origin}`, 200);
    url = next;
  }
  return malformed(
    nameRequest("GET", url ?? new URL(`https://${hostOf(repository)}`)),
    `the list has more than ${MOST_PAGES} pages`,
  );
}

/** https://www.rfc-editor.org/rfc/rfc8288 */
function nextPage({ headers }: HttpResponse, from: URL): URL | undefined {
  const link = typeof headers.link === "string" ? /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(headers.link)?.[1] : undefined;
  return link !== undefined && URL.canParse(link, from.href) ? new URL(link, from) : undefined;
}

/** Has a blob of another repository of the same registry put into this one; where the registry does not, it is fetched and uploaded. */
async function mountBlob(
  send: Send,
  repository: Repository,
  from: Repository,
  blob: Descriptor,
): Promise<Answer<Descriptor>> {
  const query = new URLSearchParams({ mount: blob.digest, from: from.repository });
  const reply = await send({
    method: "POST",
    repository,
    path: `blobs/uploads/?${query}`,
    headers: { "content-length": "0" },
  });
  if ("response" in reply && reply.response.status === 201) return { kind: "found", value: blob };
  const location = "response" in reply && reply.response.status === 202 ? reply.response.headers.location : undefined;
  // The registry opened an upload instead: it is not left open.
  if ("response" in reply && typeof location === "string" && URL.canParse(location, reply.url.href))
    await send({ method: "DELETE", repository, path: "", url: new URL(location, reply.url) });
  const bytes = await readBlob(send, from, blob, BLOB_LIMIT);
  return bytes.kind === "found" ? putBlob(send, repository, bytes.value, blob.mediaType) : bytes;
}

/** Deletes a manifest by its digest, or a tag where the registry can: many refuse both. */
async function deleteManifest(send: Send, reference: Reference): Promise<Answer<true>> {
  const reply = await send({ method: "DELETE", repository: reference, path: `manifests/${nameOf(reference)}` });
  if (!("response" in reply)) return reply;
  const { status } = reply.response;
  return status === 200 || status === 202 || status === 204
    ? { kind: "found", value: true }
    : errorOf(reply.name, reply.response);
}
