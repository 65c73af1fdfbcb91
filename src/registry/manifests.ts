import { digestOf, isDigest } from "../oci/digest.ts";
import { parseJson } from "../oci/json.ts";
import { type Descriptor, readManifest, type Served } from "../oci/manifest.ts";
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from "../oci/media-types.ts";
import type { Reference, Repository } from "../oci/reference.ts";
import type { Answer } from "../world.ts";
import { errorOf, malformed, nameRequest } from "./errors.ts";
import type { HttpResponse } from "./http.ts";
import { disputedDigest } from "./proof.ts";
import type { Send } from "./sender.ts";
import { countsPulls } from "./well-known.ts";

/** All four types, always: a registry that is not asked for one may answer with another, or say that there is nothing. */
const TYPES = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST];
const ACCEPT = TYPES.join(", ");
const MANIFEST_LIMIT = 8 * 1024 * 1024;
/** More than that distribution does not take: https://github.com/distribution/distribution/blob/v3.0.0/registry/handlers/manifests.go */
const PUSH_LIMIT = 4 * 1024 * 1024;

/** How a reference is named in a manifest's address: the digest decides where both are there, `latest` where none is. */
export function nameOf(reference: Reference): string {
  return reference.digest ?? reference.tag ?? "latest";
}

/** Reads a manifest or an index. @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
export async function readServed(send: Send, reference: Reference): Promise<Answer<Served>> {
  const path = `manifests/${nameOf(reference)}`;
  const headers = { accept: ACCEPT };
  const reply = await send({ method: "GET", repository: reference, path, headers, limit: MANIFEST_LIMIT });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status !== 200) return errorOf(reply);
  if (response.truncated) return malformed(name, `the manifest is longer than ${MANIFEST_LIMIT} bytes`, 200);
  const digest = digestOf(response.body);
  if (reference.digest !== undefined && reference.digest !== digest)
    return malformed(name, `it was answered with another content, ${digest}`, 200);
  const disputed = disputedDigest(response, digest);
  if (disputed !== undefined)
    return malformed(name, `it was announced as ${disputed} and is another content, ${digest}`, 200);
  const json = parseJson(response.body);
  if (json === undefined) return malformed(name, "the manifest is no JSON", 200);
  const mediaType = mediaTypeOf(response);
  const body = readManifest(json, mediaType);
  if ("wrong" in body) return malformed(name, body.wrong, 200);
  const descriptor = { mediaType, digest, size: response.body.length };
  return { kind: "found", value: { bytes: response.body, body, descriptor } };
}

function mediaTypeOf({ headers }: HttpResponse): string {
  const [type = ""] = String(headers["content-type"] ?? "").split(";", 1);
  return type.trim().toLowerCase();
}

/**
 * Asks for a manifest's descriptor: by GET, for an index is small, what GET says is certain, and to confirm what HEAD does not tell would
 * cost a miss another round trip. By HEAD only where pulls are counted. Whatever that does not say for certain is asked again by GET:
 * some servers leave the digest out, some do not allow it, and some say 404 of what they would serve.
 */
export async function describeManifest(
  send: Send,
  reference: Reference,
  read: (reference: Reference) => Promise<Answer<Served>>,
): Promise<Answer<Descriptor>> {
  const looked = countsPulls(reference.registry) ? await lookAtManifest(send, reference) : undefined;
  if (looked) return looked;
  const served = await read(reference);
  return served.kind === "found" ? { kind: "found", value: served.value.descriptor } : served;
}

/** What HEAD says for certain, if anything: an answer without a body is no proof of absence. */
async function lookAtManifest(send: Send, reference: Reference): Promise<Answer<Descriptor> | undefined> {
  const path = `manifests/${nameOf(reference)}`;
  const reply = await send({ method: "HEAD", repository: reference, path, headers: { accept: ACCEPT } });
  if (!("response" in reply)) return reply;
  const { response } = reply;
  if (response.status === 200) {
    const described = readDescription(response, reference);
    return described && { kind: "found", value: described };
  }
  const error = errorOf(reply);
  return error.kind === "limited" || error.kind === "unavailable" ? error : undefined;
}

function readDescription(response: HttpResponse, reference: Reference): Descriptor | undefined {
  const { "docker-content-digest": digest, "content-length": length } = response.headers;
  const [mediaType, size] = [mediaTypeOf(response), typeof length === "string" ? Number(length) : Number.NaN];
  const isWhole = isDigest(digest) && Number.isSafeInteger(size) && size > 0 && TYPES.includes(mediaType);
  return isWhole && (reference.digest ?? digest) === digest ? { mediaType, digest, size } : undefined;
}

type Manifest = {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly tag: string | undefined;
  readonly isWanted: (() => Promise<boolean>) | undefined;
};

/** Puts a manifest under a tag, or by its digest. @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
export async function putManifest(
  send: Send,
  repository: Repository,
  { bytes, mediaType, tag, isWanted }: Manifest,
): Promise<Answer<Descriptor>> {
  const digest = digestOf(bytes);
  const path = `manifests/${tag ?? digest}`;
  if (bytes.length > PUSH_LIMIT)
    return malformed(`PUT ${path}`, `the manifest is longer than the ${PUSH_LIMIT} bytes that registries take`);
  const headers = { "content-type": mediaType };
  const reply = await send({
    method: "PUT",
    repository,
    path,
    headers,
    body: bytes,
    ...(isWanted ? { isWanted } : {}),
  });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status < 200 || response.status > 202) return errorOf(reply);
  const told = response.headers["docker-content-digest"];
  if (isDigest(told) && told !== digest) return malformed(name, `the registry stored another content, ${told}`, 201);
  return { kind: "found", value: { mediaType, digest, size: bytes.length } };
}

/** Deletes a manifest by its digest, or a tag where the registry can: many refuse both, which is told as `denied`. */
export async function deleteManifest(send: Send, reference: Reference): Promise<Answer<true>> {
  const reply = await send({ method: "DELETE", repository: reference, path: `manifests/${nameOf(reference)}` });
  if (!("response" in reply)) return reply;
  const { response } = reply;
  if ([200, 202, 204].includes(response.status)) return { kind: "found", value: true };
  const error = errorOf(reply);
  // docker-registry 2 says 400 DIGEST_INVALID to a tag, and 405 where deleting is turned off.
  const cannot = response.status === 405 || (response.status === 400 && reference.digest === undefined);
  return cannot
    ? { ...error, kind: "denied", fix: "This registry does not delete that; its own interface may." }
    : error;
}

const MOST_PAGES = 100;

/**
 * Lists the tags of a repository, following the pages that a registry makes of a long list; what a page points to on another host is
 * not asked. The order is the registry's.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function listTags(send: Send, repository: Repository): Promise<Answer<readonly string[]>> {
  const tags = new Set<string>();
  const seen = new Set<string>();
  // Amazon's registry refuses to give more than a thousand at once.
  let path: string | URL = "tags/list?n=1000";
  for (let page = 0; page < MOST_PAGES; page++) {
    const reply = await send({ method: "GET", repository, path, limit: MANIFEST_LIMIT });
    if (!("response" in reply)) return reply;
    const { response, name, url } = reply;
    if (response.status !== 200) return errorOf(reply);
    const listed = response.truncated ? undefined : readTags(response.body);
    if (!listed) return malformed(name, "it is no list of tags", 200);
    for (const tag of listed) tags.add(tag);
    const next = nextPage(response, url);
    if (next === undefined || seen.has(next.href)) return { kind: "found", value: [...tags] };
    if (next.origin !== url.origin) return malformed(name, `the list goes on at ${next.origin}`, 200);
    seen.add(next.href);
    path = next;
  }
  return malformed(nameRequest("GET", new URL(`https://${repository.registry}`)), "the list of tags has no end");
}

/** An empty repository is `null` to some. */
function readTags(body: Uint8Array): readonly string[] | undefined {
  const json = parseJson(body);
  if (typeof json !== "object" || json === null || !("tags" in json)) return undefined;
  const list = json.tags ?? [];
  return Array.isArray(list) && list.every((tag): tag is string => typeof tag === "string") ? list : undefined;
}

/** https://www.rfc-editor.org/rfc/rfc8288 */
function nextPage({ headers }: HttpResponse, from: URL): URL | undefined {
  const link = typeof headers.link === "string" ? /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(headers.link)?.[1] : undefined;
  return link !== undefined && URL.canParse(link, from.href) ? new URL(link, from) : undefined;
}
