import { digestOf } from "../oci/digest.ts";
import type { BaseImage } from "./base-image.ts";
import type { CachedLayer } from "./cached-layer.ts";
import type { FinishedLayer } from "./finish.ts";
import { EMPTY_DESCRIPTOR, type GoDescriptor } from "./image-json.ts";
import type { Step } from "./step.ts";

/** A layer of a stage. What is not sure is told as if it were empty. */
export type StageLayer = FinishedLayer & {
  /** Whether the builder packs it anew, as only Go does: then its digest is not the one that is told. */
  readonly isForeign: boolean;
  readonly isSure: boolean;
  /** Whether it may be the one that is told. */
  readonly isKept: boolean;
};

/** A layer of nothing: 1024 bytes of nought. */
const EMPTY_DIFF_ID = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/** The same, packed with zstd at level 3: these bytes. */
export const EMPTY_ZSTD: Uint8Array = Uint8Array.of(
  ...[0x28, 0xb5, 0x2f, 0xfd, 0x44, 0x08, 0x00, 0x03],
  ...[0x03, 0x20, 0x00, 0x00, 0xcd, 0xac, 0x85, 0xf0],
);

const EMPTY_OCI: GoDescriptor = {
  ...EMPTY_DESCRIPTOR,
  mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
  size: EMPTY_ZSTD.length,
  digest: digestOf(EMPTY_ZSTD),
};

export const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/** The same, packed with gzip at level 3 by a Go before 1.27, which envbuilder's releases are built with. */
const EMPTY_DOCKER: GoDescriptor = {
  ...EMPTY_DESCRIPTOR,
  mediaType: DOCKER_LAYER,
  size: 35,
  digest: "sha256:cbce6c4c11890b8013d5b9659b75899cb7a98ef9203744d3b9f9a409dfede60e",
};

/**
 * The layers that a stage's steps put onto its base.
 * @param kept by the steps' keys.
 * @returns `undefined` where one that is kept is not among them.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (saveLayerToImage, convertLayerMediaType)
 */
export function layersOf(
  steps: readonly Step[],
  base: BaseImage,
  kept: ReadonlyMap<string, CachedLayer>,
): readonly StageLayer[] | undefined {
  const layers = steps.map((step) => layerOf(step, base, kept));
  return layers.every((layer) => layer !== undefined) ? layers : undefined;
}

function layerOf(
  { text, key, layer: kind }: Step,
  base: BaseImage,
  kept: ReadonlyMap<string, CachedLayer>,
): StageLayer | undefined {
  const isOciBase = isOci(base.mediaType);
  const empty = { diffId: EMPTY_DIFF_ID, descriptor: isOciBase ? EMPTY_OCI : EMPTY_DOCKER };
  const layer = kind === "kept" ? kept.get(key) : empty;
  if (!layer) return undefined;
  const { diffId } = layer;
  const known = ofBase(base, diffId);
  const isForeign = !known && isOci(layer.descriptor.mediaType) !== isOciBase;
  const packed = isForeign ? { ...layer.descriptor, mediaType: empty.descriptor.mediaType } : layer.descriptor;
  const certainty = { isSure: kind === "kept" || kind === "empty", isKept: kind !== "unkept" };
  return { diffId, descriptor: known ?? packed, createdBy: text, isForeign, ...certainty };
}

/** The numbers of the layers of which it is not sure, in an image of a base and layers over it. */
export function unsureOf(base: BaseImage, added: readonly StageLayer[]): ReadonlySet<number> {
  const below = base.config.rootFs.diffIds?.length ?? 0;
  return new Set([...base.unsure, ...added.flatMap(({ isSure }, index) => (isSure ? [] : [below + index]))]);
}

/** A layer that the base image has already is that one, however it is packed. */
function ofBase({ config, manifest }: BaseImage, diffId: string): GoDescriptor | undefined {
  const index = config.rootFs.diffIds?.indexOf(diffId) ?? -1;
  const digest = index < 0 ? undefined : manifest.layers?.[index]?.digest;
  return manifest.layers?.find((layer) => layer.digest === digest);
}

function isOci(mediaType: string): boolean {
  return mediaType.includes("vnd.oci");
}
