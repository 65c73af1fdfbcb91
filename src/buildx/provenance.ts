import { type Digest, isDigest } from "../oci/digest.ts";
import { isRecord } from "../oci/manifest.ts";

/**
 * The digests of the images that a build really used, out of the provenance that BuildKit wrote about it.
 * @param text the in-toto statement: `materials` in v0.2, `buildDefinition.resolvedDependencies` in v1.
 * @returns `undefined` when it is not provenance.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/docs/attestations/slsa-definitions.md
 */
export function readUsedImages(text: string): readonly Digest[] | undefined {
  let statement: unknown;
  try {
    statement = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(statement) || !isRecord(statement.predicate)) return undefined;
  const { materials, buildDefinition } = statement.predicate;
  // A build from scratch has no materials at all, and then no list of them either.
  const list: unknown = isRecord(buildDefinition) ? buildDefinition.resolvedDependencies : materials;
  if (list !== undefined && !Array.isArray(list)) return undefined;
  return (list ?? []).flatMap((material: unknown) => {
    if (!isRecord(material) || typeof material.uri !== "string" || !material.uri.startsWith("pkg:docker/")) return [];
    const digest = isRecord(material.digest) ? `sha256:${String(material.digest.sha256)}` : "";
    return isDigest(digest) ? [digest] : [];
  });
}
