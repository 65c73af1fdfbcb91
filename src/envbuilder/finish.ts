import { type Digest, digestOf } from "../oci/digest.ts";
import type { BaseImage } from "./base-image.ts";
import { ZERO_TIME } from "./go-json.ts";
import {
  type Config,
  type ConfigFile,
  type GoDescriptor,
  type History,
  writeConfigFile,
  writeGoManifest,
} from "./image-json.ts";

/** A stage whose instructions have all been gone over. */
export type Target = {
  readonly base: BaseImage;
  readonly config: Config;
  /** What is built for: `linux/amd64`. */
  readonly platform: string;
};

/** A layer as it stands in an image, with the instruction that has made it. */
export type FinishedLayer = { readonly diffId: string; readonly descriptor: GoDescriptor; readonly createdBy: string };

export type FinishedImage = { readonly digest: Digest; readonly manifest: string; readonly config: string };

type Finish = {
  /** Whether all times and what tells of the builder are taken out, as for the image that is pushed. */
  readonly isCanonical: boolean;
};

/**
 * The image that kaniko writes of a base, a config and layers.
 * @see https://github.com/google/go-containerregistry/blob/v0.20.6/pkg/v1/mutate/image.go (compute)
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (mutateCanonicalWithoutLayerEdit)
 */
export function finishImage(target: Target, layers: readonly FinishedLayer[], finish: Finish): FinishedImage {
  const { base } = target;
  const written = writeConfigFile(finishConfigFile(target, layers, finish));
  const manifest = writeGoManifest({
    ...base.manifest,
    config: { ...base.manifest.config, size: new TextEncoder().encode(written).length, digest: digestOf(written) },
    layers: joined(
      base.manifest.layers,
      layers.map(({ descriptor }) => descriptor),
    ),
    subject: undefined,
  });
  return { digest: digestOf(manifest), manifest, config: written };
}

/** The config alone. */
export function finishConfigFile(
  { base, config, platform }: Target,
  layers: readonly FinishedLayer[],
  { isCanonical }: Finish,
): ConfigFile {
  const [os = "", architecture = ""] = platform.split("/");
  const added = layers.map(({ createdBy }): History => ({ ...OWN_HISTORY, createdBy }));
  const diffIds = layers.map(({ diffId }) => diffId);
  const file: ConfigFile = {
    ...base.config,
    os,
    architecture,
    config,
    history: joined(base.config.history, added),
    rootFs: { ...base.config.rootFs, diffIds: joined(base.config.rootFs.diffIds, diffIds) },
  };
  return isCanonical ? canonical(file) : file;
}

const OWN_HISTORY: History = { author: "kaniko", created: ZERO_TIME, createdBy: "", comment: "", emptyLayer: false };

/** A list that nothing is added to stays what it was, be it none. */
function joined<T>(before: readonly T[] | undefined, added: readonly T[]): readonly T[] | undefined {
  return added.length === 0 ? before : [...(before ?? []), ...added];
}

function canonical(file: ConfigFile): ConfigFile {
  return {
    ...file,
    created: ZERO_TIME,
    container: "",
    dockerVersion: "",
    history: file.history?.map((entry) => ({ ...entry, created: ZERO_TIME, author: "" })),
    config: { ...file.config, hostname: "" },
  };
}
