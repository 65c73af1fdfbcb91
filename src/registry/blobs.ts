import { digestOf, openDigest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import type { Answer, BlobReader, RegistryError } from "../world.ts";
import { errorOf, malformed } from "./errors.ts";
import { disproofOf, disputedDigest, provesBlob } from "./proof.ts";
import type { Send } from "./sender.ts";
import type { Reply } from "./transport.ts";

/** How much of a blob is read into memory where nobody says otherwise: a config or a record is far smaller, a layer is not read. */
export const BLOB_LIMIT = 4 * 1024 * 1024;
const ERROR_LIMIT = 64 * 1024;
const UPLOADS = 3;
/** GitHub's registry takes no more in one go, and any size by PATCH, as docker sends it: https://github.com/oras-project/rust-oci-client/issues/37 */
const ONE_PUT = 4 * 1024 * 1024;

/**
 * Asks whether a blob is there, by HEAD. Where that does not prove it, one byte is asked for: an answer without a length or without a body
 * may be anybody's, Amazon's public registry refuses HEAD to those whom it serves (https://github.com/aws/containers-roadmap/issues/2671),
 * and storage hosts sign for GET alone.
 */
export async function hasBlob(send: Send, repository: Repository, blob: Descriptor): Promise<Answer<true>> {
  const reply = await send({ method: "HEAD", repository, path: `blobs/${blob.digest}` });
  if (!("response" in reply)) return reply.kind === "denied" ? hasFirstByte(send, repository, blob) : reply;
  const { response, name } = reply;
  if (response.status === 200) {
    const disputed = disputedDigest(response, blob.digest);
    if (disputed !== undefined) return malformed(name, `it is said to be another content, ${disputed}`, 200);
    return provesBlob(response, blob) ? { kind: "found", value: true } : hasFirstByte(send, repository, blob);
  }
  const error = errorOf(reply);
  return error.kind === "limited" || error.kind === "unavailable" ? error : hasFirstByte(send, repository, blob);
}

async function hasFirstByte(send: Send, repository: Repository, blob: Descriptor): Promise<Answer<true>> {
  const headers = { range: "bytes=0-0" };
  const reply = await send({ method: "GET", repository, path: `blobs/${blob.digest}`, headers });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status !== 206 && response.status !== 200) return errorOf(reply);
  const disproof = disproofOf(response, blob);
  return disproof === undefined ? { kind: "found", value: true } : malformed(name, disproof, response.status);
}

/** Reads a blob whole; its size and digest have to be those of the descriptor. */
export async function readBlob(
  send: Send,
  repository: Repository,
  blob: Descriptor,
  limit: number,
): Promise<Answer<Uint8Array>> {
  const path = `blobs/${blob.digest}`;
  if (blob.size > limit)
    return malformed(`GET ${path}`, `it is ${blob.size} bytes long, and ${limit} are read at most`);
  const reply = await send({ method: "GET", repository, path, limit: Math.max(ERROR_LIMIT, blob.size) });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status !== 200) return errorOf(reply);
  if (response.truncated || response.body.length !== blob.size)
    return malformed(name, `it is not ${blob.size} bytes long`, 200);
  const digest = digestOf(response.body);
  const other = digest === blob.digest ? disputedDigest(response, digest) : digest;
  return other === undefined
    ? { kind: "found", value: response.body }
    : malformed(name, `it was answered with another content, ${other}`, 200);
}

/** Hands a blob's bytes on as they come; where they come to their end, size and digest have to be those of the descriptor. */
export async function readThrough(
  send: Send,
  repository: Repository,
  blob: Descriptor,
  open: () => BlobReader,
): Promise<Answer<true>> {
  let sum = openDigest();
  let size = 0;
  const into = (): BlobReader => {
    const reader = open();
    [sum, size] = [openDigest(), 0];
    return async (bytes) => {
      sum.add(bytes);
      size += bytes.length;
      return reader(bytes);
    };
  };
  const reply = await send({ method: "GET", repository, path: `blobs/${blob.digest}`, into });
  if (!("response" in reply)) return reply;
  const { response, name } = reply;
  if (response.status !== 200) return errorOf(reply);
  if (response.truncated) return { kind: "found", value: true };
  if (size !== blob.size) return malformed(name, `it is not ${blob.size} bytes long`, 200);
  const digest = sum.digest();
  return digest === blob.digest
    ? { kind: "found", value: true }
    : malformed(name, `it was answered with another content, ${digest}`, 200);
}

type Upload = { readonly location: URL };

/** The address of an upload that was opened; it may be on another host, and it may not leave TLS. */
function readUpload(reply: Reply): Upload | RegistryError {
  const { response, name, url } = reply;
  const { location } = response.headers;
  if (response.status !== 202) return errorOf(reply);
  if (typeof location !== "string" || !URL.canParse(location, url.href))
    return malformed(name, "the upload was opened and has no address", 202);
  const next = new URL(location, url);
  if (next.protocol !== "https:" && next.protocol !== url.protocol)
    return malformed(name, `the upload was opened at ${next.origin}, without TLS`, 202);
  return { location: next };
}

const EMPTY = { "content-length": "0" };
const BYTES = { "content-type": "application/octet-stream" };

async function openUpload(send: Send, repository: Repository): Promise<Upload | RegistryError> {
  const reply = await send({ method: "POST", repository, path: "blobs/uploads/", headers: EMPTY });
  if (!("response" in reply)) return reply;
  const upload = readUpload(reply);
  if ("location" in upload || upload.kind !== "absent") return upload;
  return {
    ...upload,
    fix: `Create ${repository.registry}/${repository.repository} first: this registry does not by itself.`,
  };
}

/** That an upload cannot be cancelled is the registry's trouble: it forgets it sooner or later. */
async function cancelUpload(send: Send, repository: Repository, { location }: Upload): Promise<void> {
  await send({ method: "DELETE", repository, path: location, once: true });
}

/** Asks whether a push would be let in, by opening an upload and cancelling it, for which nobody waits. */
export async function acceptsPush(send: Send, repository: Repository): Promise<Answer<true>> {
  const upload = await openUpload(send, repository);
  if (!("location" in upload)) return upload;
  void cancelUpload(send, repository, upload);
  return { kind: "found", value: true };
}

/**
 * Uploads a blob: in one PUT, a large one by PATCH before it. It is not asked whether it is there: a plan is new each time. What fails
 * half-way starts from the beginning: an upload that was broken off is gone.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put
 */
export async function putBlob(
  send: Send,
  repository: Repository,
  content: Uint8Array | Promise<Uint8Array>,
  mediaType: string,
): Promise<Answer<Descriptor>> {
  const coming = Promise.resolve(content);
  coming.catch(() => undefined);
  let last: Answer<Descriptor> | undefined;
  for (let tried = 0; tried < UPLOADS && (last === undefined || isBrokenOff(last)); tried++) {
    const upload = await openUpload(send, repository);
    if (!("location" in upload)) return upload;
    const bytes = await coming.catch((nothing) => {
      void cancelUpload(send, repository, upload);
      throw nothing;
    });
    const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    last = await finishUpload(send, repository, upload, { bytes, descriptor });
  }
  return last ?? malformed("POST", "nothing was sent");
}

function isBrokenOff(answer: Answer<unknown>): boolean {
  if (answer.kind === "found") return false;
  return answer.kind === "unavailable" || /BLOB_UPLOAD_(?:INVALID|UNKNOWN)/.test(answer.words);
}

type Content = { readonly bytes: Uint8Array; readonly descriptor: Descriptor };

async function finishUpload(
  send: Send,
  repository: Repository,
  upload: Upload,
  { bytes, descriptor }: Content,
): Promise<Answer<Descriptor>> {
  if (bytes.length <= ONE_PUT) return closeUpload(send, repository, upload, { bytes, descriptor });
  const call = { method: "PATCH", repository, path: upload.location, headers: BYTES, body: bytes, once: true } as const;
  const reply = await send(call);
  const next = "response" in reply ? readUpload(reply) : reply;
  if (!("location" in next)) return uploadGone(next);
  return closeUpload(send, repository, next, { bytes: undefined, descriptor });
}

/** Ends an upload: with all of its bytes, or with none where they have been sent. */
async function closeUpload(
  send: Send,
  repository: Repository,
  { location }: Upload,
  { bytes, descriptor }: { readonly bytes: Uint8Array | undefined; readonly descriptor: Descriptor },
): Promise<Answer<Descriptor>> {
  // The query is the registry's own state, often signed: it is kept to the letter.
  const url = new URL(location);
  url.search = `${location.search === "" ? "?" : `${location.search}&`}digest=${encodeURIComponent(descriptor.digest)}`;
  const content = bytes ? { headers: BYTES, body: bytes } : { headers: EMPTY };
  const reply = await send({ method: "PUT", repository, path: url, ...content, once: true });
  if (!("response" in reply)) return reply;
  if (reply.response.status === 201) return { kind: "found", value: descriptor };
  return uploadGone(errorOf(reply));
}

/** That an upload is gone does not say that anything else is not there. */
function uploadGone(error: RegistryError): RegistryError {
  return error.kind === "absent" ? { ...error, kind: "unavailable" } : error;
}

/**
 * Has a blob of another repository of the same registry put into this one; where the registry does not, it is fetched and uploaded.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
 */
export async function mountBlob(
  send: Send,
  repository: Repository,
  from: Repository,
  blob: Descriptor,
): Promise<Answer<Descriptor>> {
  // As far as a registry is concerned, a repository of another one does not exist.
  if (from.registry === repository.registry) {
    const query = new URLSearchParams({ mount: blob.digest, from: from.repository });
    const path = `blobs/uploads/?${query}`;
    const reply = await send({ method: "POST", repository, path, headers: EMPTY, from: from.repository });
    if ("response" in reply && reply.response.status === 201) return { kind: "found", value: blob };
    // The registry opened an upload instead: it is not left open.
    const upload = "response" in reply ? readUpload(reply) : reply;
    if ("location" in upload) await cancelUpload(send, repository, upload);
  }
  const bytes = await readBlob(send, from, blob, BLOB_LIMIT);
  return bytes.kind === "found" ? putBlob(send, repository, bytes.value, blob.mediaType) : bytes;
}
