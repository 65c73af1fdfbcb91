import { type Digest, digestOf } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { HttpResponse } from "./http.ts";

/**
 * The digest that an answer says its bytes have, where that is another one: then the server contradicts itself, and nothing that it says
 * here is certain. Servers that leave it out say nothing, and another algorithm is not compared.
 */
export function disputedDigest({ headers }: HttpResponse, digest: Digest): string | undefined {
  const { "docker-content-digest": told = [] } = headers;
  const digests = typeof told === "string" ? [told] : told;
  return digests.find((one) => one.startsWith("sha256:") && one !== digest);
}

/** Whether HEAD proves that a blob is there: its length is told, and it is the blob's. A page's would be chance. */
export function provesBlob(response: HttpResponse, { size }: Descriptor): boolean {
  return lengthOf(response) === size && !isPage(response);
}

/**
 * Why an answer to GET for the first byte does not prove that a blob is there; nothing where it does. The byte has to be the first one of
 * so many as the blob has. A server that knows no ranges gives all of it: then the whole length counts, or the bytes where they are few.
 */
export function disproofOf(response: HttpResponse, { digest, size }: Descriptor): string | undefined {
  const { status, body, truncated } = response;
  const disputed = disputedDigest(response, digest);
  if (disputed !== undefined) return `it is said to be another content, ${disputed}`;
  if (status === 200 && !truncated)
    return body.length === size && digestOf(body) === digest
      ? undefined
      : `it is another content, of ${body.length} bytes, and should be of ${size}`;
  if (isPage(response)) return "it is answered with a web page";
  const length = status === 206 ? lengthOfRange(response) : lengthOf(response);
  if (length === undefined) return "the answer does not tell how long it is";
  if (length !== size) return `it is ${length} bytes long and should be ${size}`;
  return status === 200 || body.length === 1 ? undefined : "the answer does not hold the byte that was asked for";
}

function lengthOf({ headers }: HttpResponse): number | undefined {
  const { "content-length": length } = headers;
  return typeof length === "string" && /^\d+$/.test(length) ? Number(length) : undefined;
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-14.4 */
function lengthOfRange({ headers }: HttpResponse): number | undefined {
  const { "content-range": range } = headers;
  const [, length] = (typeof range === "string" ? /^bytes 0-0\/(\d+)$/.exec(range) : undefined) ?? [];
  return length === undefined ? undefined : Number(length);
}

function isPage({ headers }: HttpResponse): boolean {
  return /^\s*(?:text\/html|application\/xhtml)/i.test(String(headers["content-type"] ?? ""));
}
