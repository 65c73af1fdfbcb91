import { type Digest, isDigest } from "../oci/digest.ts";
import { isRecord } from "../oci/manifest.ts";

/**
 * The digests of the images that a build really used, out of the provenance that BuildKit wrote about it.
 * @param text the in-toto statement: `materials` in v0.2, `buildDefinition.resolvedDependencies` in v1.
 * @returns `undefined` when it is not provenance.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/docs/attestations/slsa-definitions.md
 */
export function readUsedImages(text: string): readonly Digest[] | undefined {
  const predicate = readPredicate(text);
  if (predicate === undefined) return undefined;
  const { materials, buildDefinition } = predicate;
  // A build from scratch has no materials at all, and then no list of them either, or null.
  const list: unknown = (isRecord(buildDefinition) ? buildDefinition.resolvedDependencies : materials) ?? [];
  if (!Array.isArray(list)) return undefined;
  return list.flatMap((material: unknown) => {
    if (!isRecord(material) || typeof material.uri !== "string" || !material.uri.startsWith("pkg:docker/")) return [];
    const digest = isRecord(material.digest) ? `sha256:${String(material.digest.sha256)}` : "";
    return isDigest(digest) ? [digest] : [];
  });
}

/** Milliseconds since 1970. */
export type BuildTimes = { readonly started: number; readonly finished: number };

/**
 * When a build ran, out of its provenance: also of one that came from the layer cache, whose image repeats an older `created`.
 * @param text the in-toto statement: `metadata` in v0.2, `runDetails.metadata` in v1.
 */
export function readBuildTimes(text: string): BuildTimes | undefined {
  const { metadata, runDetails } = readPredicate(text) ?? {};
  const times = isRecord(runDetails) ? runDetails.metadata : metadata;
  if (!isRecord(times)) return undefined;
  const started = Date.parse(String(times.startedOn ?? times.buildStartedOn));
  const finished = Date.parse(String(times.finishedOn ?? times.buildFinishedOn));
  return Number.isFinite(started) && Number.isFinite(finished) ? { started, finished } : undefined;
}

function readPredicate(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const statement: unknown = JSON.parse(text);
    return isRecord(statement) && isRecord(statement.predicate) ? statement.predicate : undefined;
  } catch {
    return undefined;
  }
}
