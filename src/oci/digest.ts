import { createHash } from "node:crypto";

/** `sha256:` and 64 lower-case hexadecimal digits: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** Tells whether a text is a sha256 digest; other algorithms are refused, no registry in use serves them. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && DIGEST.test(text);
}

/** The 64 hexadecimal digits alone. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** A digest as people compare it: `sha256:` and the first 12 digits. */
export function shortDigest(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

/** The digest of some bytes, or of a text in UTF-8. */
export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** The digest of what comes piece by piece. */
export function openDigest(): { readonly add: (content: Uint8Array) => void; readonly digest: () => Digest } {
  const hash = createHash("sha256");
  return { add: (content) => void hash.update(content), digest: () => `sha256:${hash.digest("hex")}` };
}
