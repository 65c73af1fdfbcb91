import { type Digest, digestOf } from "../oci/digest.ts";
import type { CachedLayer } from "./cached-layer.ts";
import { type FinishedLayer, finishImage, type Target } from "./finish.ts";
import { EMPTY_DESCRIPTOR, type GoDescriptor } from "./image-json.ts";
import type { Keyed } from "./keys.ts";
import type { Step } from "./step.ts";

export type Assembled =
  | {
      readonly kind: "image";
      readonly digest: Digest;
      /** As which the manifest is pushed. */
      readonly mediaType: string;
      /** The very bytes, as texts. */
      readonly manifest: string;
      readonly config: string;
      readonly configDigest: Digest;
    }
  /** Layers would have to be packed anew, as only Go does: the config is certain, and names the image among those that are there. */
  | { readonly kind: "config"; readonly config: string; readonly configDigest: Digest; readonly why: string };

/** A layer of nothing: 1024 bytes of nought. */
const EMPTY_DIFF_ID = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/** The same, packed with zstd at level 3. */
const EMPTY_OCI: GoDescriptor = {
  ...EMPTY_DESCRIPTOR,
  mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
  size: 16,
  digest: "sha256:2c1ce468d9f3d941396801f6e3afc8921466650dd05430fe644cd3537713d27f",
};

/** The same, packed with gzip at level 3 by a Go before 1.27, which envbuilder's releases are built with. */
const EMPTY_DOCKER: GoDescriptor = {
  ...EMPTY_DESCRIPTOR,
  mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  size: 35,
  digest: "sha256:cbce6c4c11890b8013d5b9659b75899cb7a98ef9203744d3b9f9a409dfede60e",
};

/**
 * The image that envbuilder has pushed, if it has, of layers that are all there.
 * @param layers by the keys of the steps that are looked up.
 * @returns `undefined` where a layer of the target stage is not among them.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (saveLayerToImage, convertLayerMediaType)
 */
export function assembleImage(keyed: Keyed, layers: ReadonlyMap<string, CachedLayer>): Assembled | undefined {
  const { target } = keyed;
  const added = keyed.targetSteps.map((step) => layerOf(step, target, layers));
  if (!added.every((layer) => layer !== undefined)) return undefined;
  const finished = finishImage(target, added, { isCanonical: true });
  const configDigest = digestOf(finished.config);
  const foreign = added.find(({ isForeign }) => isForeign);
  if (foreign) {
    const why = `the base image is of the type ${target.base.mediaType}, for which envbuilder packs the layer of ${foreign.createdBy} anew`;
    return { kind: "config", config: finished.config, configDigest, why };
  }
  return { kind: "image", ...finished, mediaType: target.base.mediaType, configDigest };
}

function layerOf(
  { text, key, isLookedUp }: Step,
  { base }: Target,
  layers: ReadonlyMap<string, CachedLayer>,
): (FinishedLayer & { readonly isForeign: boolean }) | undefined {
  const empty = { diffId: EMPTY_DIFF_ID, descriptor: isOci(base.mediaType) ? EMPTY_OCI : EMPTY_DOCKER };
  const layer = isLookedUp ? layers.get(key) : empty;
  if (!layer) return undefined;
  const { diffId } = layer;
  const known = ofBase(base, diffId);
  const isForeign = !known && isOci(layer.descriptor.mediaType) !== isOci(base.mediaType);
  return { diffId, descriptor: known ?? layer.descriptor, createdBy: text, isForeign };
}

/** A layer that the base image has already is that one, however it is packed. */
function ofBase({ config, manifest }: Target["base"], diffId: string): GoDescriptor | undefined {
  const index = config.rootFs.diffIds?.indexOf(diffId) ?? -1;
  const digest = index < 0 ? undefined : manifest.layers?.[index]?.digest;
  return manifest.layers?.find((layer) => layer.digest === digest);
}

function isOci(mediaType: string): boolean {
  return mediaType.includes("vnd.oci");
}
