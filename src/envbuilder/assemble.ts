import { type Digest, digestOf } from "../oci/digest.ts";
import type { CachedLayer } from "./cached-layer.ts";
import { type FinishedImage, type FinishedLayer, finishConfigFile, finishImage, type Target } from "./finish.ts";
import { readConfigFile, writeConfigFile } from "./image-json.ts";
import type { Keyed } from "./keys.ts";
import { layersOf, type StageLayer, unsureOf } from "./stage-layers.ts";

/** The very bytes, as texts. */
export type ComputedImage = FinishedImage & {
  /** As which the manifest is pushed. */
  readonly mediaType: string;
  readonly configDigest: Digest;
};

export type Assembled = (
  | ({ readonly kind: "image" } & ComputedImage)
  /** No digest can be told: layers would have to be packed anew, as only Go does, or are kept nowhere. `why` is the end of a sentence. */
  | { readonly kind: "config"; readonly config: string; readonly configDigest: Digest; readonly why: string }
) & {
  /** Whether the builder makes the very same again; else there may be a folder in a layer that is empty here. */
  readonly isSure: boolean;
  /**
   * Whether a config is that of the image, whatever is in the layers of which it is not sure. Each that is kept is another one in each build
   * that makes it, and its key tells of all in front of it: no build of anything else has the same.
   */
  readonly recognises: (config: string) => boolean;
};

/**
 * The image that envbuilder has pushed, if it has, of layers that are all there.
 * @returns `undefined` where a layer of the target stage is not among them.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (saveLayerToImage, convertLayerMediaType)
 */
export function assembleImage(keyed: Keyed, layers: ReadonlyMap<string, CachedLayer>): Assembled | undefined {
  const { target } = keyed;
  const added = layersOf(keyed.targetSteps, target.base, layers);
  if (!added) return undefined;
  const finished = finishImage(target, added, { isCanonical: true });
  const configDigest = digestOf(finished.config);
  const unsure = unsureOf(target.base, added);
  const common = { configDigest, isSure: unsure.size === 0, recognises: recognise(target, added, unsure) };
  const why = whyUntold(target, added);
  return why === undefined
    ? { kind: "image", ...finished, mediaType: target.base.mediaType, ...common }
    : { kind: "config", config: finished.config, why, ...common };
}

function whyUntold({ base }: Target, added: readonly StageLayer[]): string | undefined {
  const unkept = added.find(({ isKept }) => !isKept);
  if (unkept) return `envbuilder keeps the layer of ${unkept.createdBy} nowhere but in the image`;
  const foreign = added.find(({ isForeign }) => isForeign);
  return (
    foreign &&
    `the base is of the type ${base.mediaType}, as every stage is that another one stands on, and envbuilder packs the layer of ${foreign.createdBy} anew for it`
  );
}

function recognise(target: Target, added: readonly FinishedLayer[], unsure: ReadonlySet<number>) {
  const own = finishConfigFile(target, added, { isCanonical: true });
  return (config: string): boolean => {
    const { diffIds = [] } = readConfigFile(config)?.rootFs ?? {};
    const filled = own.rootFs.diffIds?.map((diffId, index) => (unsure.has(index) ? (diffIds[index] ?? "") : diffId));
    return digestOf(writeConfigFile({ ...own, rootFs: { ...own.rootFs, diffIds: filled } })) === digestOf(config);
  };
}
