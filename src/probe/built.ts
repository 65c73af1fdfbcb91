import { type BuildTimes, readBuildTimes } from "../buildx/provenance.ts";
import { BUILT_ANNOTATION, planDescriptorOf, SECONDS_ANNOTATION } from "../key/record.ts";
import { textOf } from "../oci/json.ts";
import type { Served } from "../oci/manifest.ts";
import type { Repository } from "../oci/reference.ts";
import { type ImageInIndex, LARGEST_STATEMENT, listStatements, seek } from "../sbom/attestations.ts";
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

/** What a platform's own index tells: it has no plan, and its provenance has BuildKit's times. Nothing is told where that cannot be read. */
export async function recordOfPlatform(
  image: ImageInIndex,
  repository: Repository,
  registry: Registry,
): Promise<BuildRecord> {
  const sought = seek("provenance", await listStatements(repository, image, registry));
  const [layer] = sought.kind === "there" ? sought.layers : [];
  const blob = layer ? await registry.blob(repository, layer, LARGEST_STATEMENT) : undefined;
  const times = blob?.kind === "found" ? readBuildTimes(textOf(blob.value)) : undefined;
  return { at: times?.finished, seconds: times && secondsOf(times) };
}

function secondsOf({ started, finished }: BuildTimes): number {
  return Math.round((finished - started) / 100) / 10;
}

function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined;
}
