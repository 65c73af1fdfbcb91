import { type Digest, isDigest } from "./digest.ts";
import { INDEX_TYPES, MANIFEST_TYPES } from "./media-types.ts";
import { formatPlatform, normalisePlatform, type Platform, samePlatform } from "./platform.ts";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md; `size` in bytes. */
export type Descriptor = {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
};

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md, or a docker manifest list. */
export type Index = {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
};

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md, or a docker schema 2 manifest. */
export type ImageManifest = {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
};

/** What a registry served under a reference: the exact bytes, their descriptor, and what they say. */
export type Served = {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly body: Index | ImageManifest;
};

/** BuildKit marks an attestation manifest by this annotation on its descriptor in the index, and the image it speaks of by the next. */
export const REFERENCE_TYPE = "vnd.docker.reference.type";
export const REFERENCE_DIGEST = "vnd.docker.reference.digest";
export const ATTESTATION = "attestation-manifest";

/** On a layer of an attestation manifest: what the statement says of the image. */
export const PREDICATE_TYPE = "in-toto.io/predicate-type";

/** Marks the entry of our own plan among an index's attestations; its value is the fingerprint of everything but upstream. */
export const OWN_ANNOTATION = "dev-container-cache.own";

function twoTypes(sentAs: string, declared: string): string {
  return `it was sent ${sentAs === "" ? "without a type," : `as ${sentAs}`} and calls itself ${declared}`;
}

/**
 * Reads the JSON of an index or a manifest.
 * @param mediaType as the registry's `Content-Type` says, without parameters.
 * @returns the value, or a sentence that says what is wrong with it.
 */
export function readManifest(json: unknown, mediaType: string): Index | ImageManifest | { readonly wrong: string } {
  if (!isRecord(json)) return { wrong: "it is not a JSON object" };
  if (json.schemaVersion === 1)
    return { wrong: "it is a schema 1 manifest, which says nothing certain about platforms" };
  const declared = typeof json.mediaType === "string" ? json.mediaType : undefined;
  if (declared !== undefined && declared !== mediaType) return { wrong: twoTypes(mediaType, declared) };
  const annotations = readAnnotations(json.annotations) ?? {};
  if (INDEX_TYPES.includes(mediaType)) {
    if (!Array.isArray(json.manifests)) return { wrong: "it is an index without a list of manifests" };
    const manifests = readDescriptors(json.manifests);
    return manifests
      ? { kind: "index", mediaType, manifests, annotations }
      : { wrong: "it lists a manifest without a valid digest, size or type" };
  }
  if (MANIFEST_TYPES.includes(mediaType)) {
    const config = readDescriptor(json.config);
    if (!config) return { wrong: "it is a manifest without a valid config" };
    const layers = readLayers(json.layers);
    return layers
      ? { kind: "manifest", mediaType, config, layers, annotations }
      : { wrong: "it is a manifest without a valid list of layers" };
  }
  return { wrong: `its type is ${mediaType || "not told"}, which is no image` };
}

/** BuildKit writes null for the empty list, of FROM scratch with nothing but ENV. */
function readLayers(json: unknown): Descriptor[] | undefined {
  if (json === null) return [];
  return Array.isArray(json) ? readDescriptors(json) : undefined;
}

/** Reads one descriptor; `undefined` where digest, size or type are missing or wrong. */
export function readDescriptor(json: unknown): Descriptor | undefined {
  if (!isRecord(json)) return undefined;
  const { mediaType, digest, size, artifactType } = json;
  if (
    typeof mediaType !== "string" ||
    !isDigest(digest) ||
    typeof size !== "number" ||
    !Number.isSafeInteger(size) ||
    size < 0
  )
    return undefined;
  const annotations = readAnnotations(json.annotations);
  const platform = readPlatform(json.platform);
  return {
    mediaType,
    digest,
    size,
    ...(annotations ? { annotations } : {}),
    ...(typeof artifactType === "string" ? { artifactType } : {}),
    ...(platform ? { platform } : {}),
  };
}

function readDescriptors(list: readonly unknown[]): Descriptor[] | undefined {
  const descriptors = list.map(readDescriptor);
  return descriptors.every((descriptor) => descriptor !== undefined) ? descriptors : undefined;
}

function readAnnotations(json: unknown): Record<string, string> | undefined {
  if (!isRecord(json)) return undefined;
  return Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** Reads a platform as indexes and configs state it; `undefined` where they do not. */
export function readPlatform(json: unknown): Platform | undefined {
  if (!isRecord(json) || typeof json.architecture !== "string") return undefined;
  const variant = typeof json.variant === "string" ? { variant: json.variant } : {};
  // containerd takes a system that is not named for the one that it runs on, and a builder runs on Linux.
  const os = typeof json.os === "string" && json.os !== "" ? json.os : "linux";
  return normalisePlatform({ os, architecture: json.architecture, ...variant });
}

/** Tells whether a value is a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tells whether an entry of an index is BuildKit's attestation manifest and not an image. */
export function isAttestation(descriptor: Descriptor): boolean {
  return descriptor.annotations?.[REFERENCE_TYPE] === ATTESTATION;
}

/** The images of an index, attestations left out. */
export function imagesOf(index: Index): Descriptor[] {
  return index.manifests.filter((entry) => !isAttestation(entry) && entry.platform?.os !== "unknown");
}

/** The attestation manifests of an index that speak of one image. Our own plan, which names one too, speaks of the whole set. */
export function attestationsOf(index: Index, image: Digest): Descriptor[] {
  return index.manifests.filter(
    (entry) =>
      isAttestation(entry) &&
      entry.annotations?.[REFERENCE_DIGEST] === image &&
      entry.annotations[OWN_ANNOTATION] === undefined,
  );
}

/** The image of an index of our own for a platform: that very one, for each was built for the platform that it is listed under. */
export function ownImageFor(index: Index, platform: Platform): Descriptor | undefined {
  return imagesOf(index).find((entry) => entry.platform !== undefined && samePlatform(entry.platform, platform));
}

const OLD_ARM = ["arm/v7", "arm/v6", "arm/v5"];
const ARM64_V9 = ["arm64/v8.5", "arm64/v8.4", "arm64/v8.3", "arm64/v8.2", "arm64/v8.1", "arm64", "arm/v9"];

/** What runs where the platform itself is not there, best first: https://github.com/containerd/platforms/blob/v1.0.0/compare.go (platformVector) */
const ALSO_RUN: ReadonlyMap<string, readonly string[]> = new Map([
  ["amd64", ["386"]],
  ["amd64/v2", ["amd64", "386"]],
  ["amd64/v3", ["amd64/v2", "amd64", "386"]],
  ["amd64/v4", ["amd64/v3", "amd64/v2", "amd64", "386"]],
  ["arm/v6", ["arm/v5"]],
  ["arm/v7", ["arm/v6", "arm/v5"]],
  ["arm/v8", OLD_ARM],
  ["arm64", ["arm/v8", ...OLD_ARM]],
  ["arm64/v9", [...ARM64_V9, "arm/v8", ...OLD_ARM]],
]);

/**
 * The image of somebody else's index for a platform, as BuildKit chooses it: the platform itself, else the best of those that run on it too. An image
 * for which the index names no platform is nobody's.
 */
export function imageFor(index: Index, platform: Platform): Descriptor | undefined {
  const machine = formatPlatform(platform).slice(platform.os.length + 1);
  const wanted = [machine, ...(ALSO_RUN.get(machine) ?? [])].map((one) => `${platform.os}/${one}`);
  const images = imagesOf(index);
  return wanted
    .map((name) => images.find((entry) => entry.platform !== undefined && formatPlatform(entry.platform) === name))
    .find((image) => image !== undefined);
}
