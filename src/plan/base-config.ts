import { type ImageConfig, readImageConfig } from "../oci/config.ts";
import { textOf } from "../oci/json.ts";
import { imageFor, type Served } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Answer, Registry } from "../world.ts";
import type { ImageSource } from "./upstream.ts";

/**
 * Reads the config of an image that a platform's build is based on.
 * @param known what the registry served under its name, where that was read.
 */
export async function readBaseConfig(
  source: ImageSource,
  known: Served | undefined,
  platform: Platform,
  registry: Registry,
): Promise<Answer<ImageConfig>> {
  const served = known === undefined ? await registry.manifest(source.reference) : found(known);
  if (served.kind !== "found") return served;
  const manifest = await readImage(source, served.value, platform, registry);
  if (manifest.kind !== "found") return manifest;
  const { body } = manifest.value;
  if (body.kind !== "manifest") return found(readImageConfig(""));
  const blob = await registry.blob(source.reference, body.config);
  return blob.kind === "found" ? found(readImageConfig(textOf(blob.value))) : blob;
}

/** A stage for the builder's own platform may have no image for the target's: then any of its images says the same. */
async function readImage(
  { of, reference }: ImageSource,
  served: Served,
  platform: Platform,
  registry: Registry,
): Promise<Answer<Served>> {
  const wanted = of.kind === "platform" ? of.platform : platform;
  const child = served.body.kind === "index" ? (imageFor(served.body, wanted) ?? served.body.manifests[0]) : undefined;
  return child ? registry.manifest({ ...reference, digest: child.digest }) : found(served);
}

function found<T>(value: T): Answer<T> {
  return { kind: "found", value };
}
