import { type Digest, isDigest } from "../oci/digest.ts";
import { isRecord } from "../oci/manifest.ts";

/**
 * Reads the digest of what was pushed out of buildx's metadata file. Nothing else in it can be relied upon: a builder of several nodes
 * writes only this.
 */
export function readPushedDigest(json: string): Digest | undefined {
  let metadata: unknown;
  try {
    metadata = JSON.parse(json);
  } catch {
    return undefined;
  }
  const digest = isRecord(metadata) ? metadata["containerimage.digest"] : undefined;
  return isDigest(digest) ? digest : undefined;
}
