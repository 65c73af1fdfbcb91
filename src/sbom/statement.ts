import { type Digest, hexOf } from "../oci/digest.ts";
import { parseJson } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";

/** The forms of BuildKit up to 0.30 and from 0.31 on. */
const TYPES: readonly unknown[] = ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"];

/**
 * Reads an in-toto statement about an image.
 * @param expected what the statement has to be about, and what it has to say about it.
 * @returns what it says, and what is noted on its subject, or a sentence that says why this is not it.
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function readStatement(
  bytes: Uint8Array,
  expected: { readonly subject: Digest; readonly predicateType: string },
): { readonly predicate: unknown; readonly annotations: unknown } | { readonly wrong: string } {
  const json = parseJson(bytes);
  if (!isRecord(json) || !TYPES.includes(json._type)) return { wrong: "it is not an in-toto statement" };
  if (json.predicateType !== expected.predicateType)
    return {
      wrong: `it is announced as ${expected.predicateType} and ${typeof json.predicateType === "string" ? `calls itself ${json.predicateType}` : "does not say what it is"}`,
    };
  const subjects: readonly unknown[] = Array.isArray(json.subject) ? json.subject : [];
  const named = subjects
    .filter(isRecord)
    .find(({ digest }) => isRecord(digest) && digest.sha256 === hexOf(expected.subject));
  return named
    ? { predicate: json.predicate, annotations: named.annotations }
    : { wrong: `it does not speak of ${expected.subject}, beside which the index lists it` };
}
