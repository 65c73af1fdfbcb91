import { createHash } from "node:crypto";

/** The md5 of some bytes, or of a text in UTF-8, in hexadecimal digits. */
export function md5Of(content: Uint8Array | string): string {
  return createHash("md5").update(content).digest("hex");
}

/** The sha256 of a text, in hexadecimal digits. */
export function sha256Of(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A sha256 that is asked for again and again while more is added. */
export type RunningHash = { readonly add: (text: string) => void; readonly digest: () => string };

export function openHash(): RunningHash {
  const hash = createHash("sha256");
  return { add: (text) => void hash.update(text), digest: () => hash.copy().digest("hex") };
}

/** The md5 of what comes piece by piece, in hexadecimal digits. */
export function openMd5(): { readonly add: (content: Uint8Array | string) => void; readonly digest: () => string } {
  const hash = createHash("md5");
  return { add: (content) => void hash.update(content), digest: () => hash.digest("hex") };
}
