import { type BuildTimes, readBuildTimes } from "../buildx/provenance.ts";
import { BUILT_ANNOTATION, planDescriptorOf, SECONDS_ANNOTATION } from "../key/record.ts";
import { parseJson, textOf } from "../oci/json.ts";
import { isRecord, type Served } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import { type ImageInIndex, LARGEST_STATEMENT, listStatements, seek } from "../sbom/attestations.ts";
import { type FirstBuild, readRelabelled } from "../sbom/relabelled.ts";
import type { Registry } from "../world.ts";

/** When an image was built (milliseconds since 1970) and how long that took, as far as it is told. */
export type BuildRecord = { readonly at: number | undefined; readonly seconds: number | undefined };

/** What a set tells of itself: it stands on the plan's entry in the index. */
export function recordOf({ body }: Served): BuildRecord {
  const annotations = body.kind === "index" ? planDescriptorOf(body)?.annotations : undefined;
  return {
    at: finite(Date.parse(annotations?.[BUILT_ANNOTATION] ?? "")),
    seconds: finite(Number(annotations?.[SECONDS_ANNOTATION])),
  };
}

/**
 * What a platform's own index tells: it has no plan, and its provenance has BuildKit's times, or those of the build before its label was
 * set anew. Nothing is told where that cannot be read.
 */
export async function recordOfPlatform(
  image: ImageInIndex,
  repository: Repository,
  registry: Registry,
): Promise<BuildRecord> {
  const sought = seek("provenance", await listStatements(repository, image, registry));
  const [layer] = sought.kind === "there" ? sought.layers : [];
  const blob = layer ? await registry.blob(repository, layer, LARGEST_STATEMENT) : undefined;
  return blob?.kind === "found" ? readFirstBuild(blob.value) : { at: undefined, seconds: undefined };
}

/** What provenance says of the build that made the layers, and that build's own provenance. */
export function readFirstBuild(bytes: Uint8Array): FirstBuild {
  const relabelled = readRelabelled(bytes);
  if (relabelled) return relabelled;
  const times = readBuildTimes(textOf(bytes));
  return { at: times?.finished, seconds: times && secondsOf(times), provenance: readPredicate(bytes) };
}

function readPredicate(bytes: Uint8Array): unknown {
  const statement = parseJson(bytes);
  return isRecord(statement) ? statement.predicate : undefined;
}

function secondsOf({ started, finished }: BuildTimes): number {
  return Math.round((finished - started) / 100) / 10;
}

function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}
