import type { Place } from "../errors.ts";
import { digestOf } from "../oci/digest.ts";
import { DOCKER_MANIFEST } from "../oci/media-types.ts";
import { type BaseImage, describeConfig } from "./base-image.ts";
import { type FinishedImage, finishImage, type Target } from "./finish.ts";
import {
  type ConfigFile,
  EMPTY_DESCRIPTOR,
  type GoDescriptor,
  type Manifest,
  readConfigFile,
  readGoManifest,
  writeGoManifest,
} from "./image-json.ts";
import { DOCKER_LAYER, type StageLayer, unsureOf } from "./stage-layers.ts";
import { refuse } from "./unprobeable.ts";
import { cut } from "./wrong-line.ts";

/** A stage as its builder holds it, and as the next stage finds it. */
export type SavedStage = { readonly built: FinishedImage; readonly base: BaseImage };

/**
 * What a stage is to another one that stands on it: kaniko writes it into an archive and reads it back, and then it is an image of Docker's
 * types. Where it was one before, it is the same, and its key goes on; else the next stage's keys begin with the digest of what was read.
 * @param at where the other stage begins.
 * @throws ActionError E_UNKNOWN where that digest is another one in each build, or cannot be told.
 * @see https://github.com/google/go-containerregistry/blob/v0.20.6/pkg/v1/tarball/image.go (Manifest), write.go (calculateManifest)
 */
export function saveStage(target: Target, layers: readonly StageLayer[], at: Place): SavedStage {
  const built = finishImage(target, layers, { isCanonical: false });
  const [config, manifest] = [readConfigFile(built.config), readGoManifest(built.manifest)];
  const [first] = manifest?.layers ?? [];
  if (!config || !manifest || !first) return refuse(at, "The stage that it stands on has no layer.");
  if (!/[+.](?:gzip|zstd)$/.test(first.mediaType))
    refuse(at, "The stage that it stands on begins with a layer that is not packed, which envbuilder packs anew.");
  const saved = savedManifest(built, manifest.layers ?? []);
  const text = writeGoManifest(saved);
  if (text !== built.manifest) refuseOther(layers, target, at);
  return { built, base: baseOf(saved, text, config, unsureOf(target.base, layers)) };
}

function savedManifest({ config }: FinishedImage, layers: readonly GoDescriptor[]): Manifest {
  return {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: describeConfig(config),
    // What may not be handed on keeps its own words.
    layers: layers.map((layer) =>
      /foreign|nondistributable/.test(layer.mediaType)
        ? layer
        : { ...EMPTY_DESCRIPTOR, mediaType: DOCKER_LAYER, size: layer.size, digest: layer.digest },
    ),
    annotations: undefined,
    subject: undefined,
  };
}

function refuseOther(layers: readonly StageLayer[], { base }: Target, at: Place): void {
  const unkept = layers.find(({ isKept }) => !isKept);
  if (unkept)
    refuse(
      at,
      `The stage that it stands on has ${cut(unkept.createdBy)}, of which each build makes another layer, and with it other keys from here on: not even the builder finds them again.`,
    );
  const foreign = layers.find(({ isForeign }) => isForeign);
  if (foreign)
    refuse(
      at,
      `The stage that it stands on is built on an image of the type ${base.mediaType}, for which envbuilder packs layers anew: its digest, and the keys from here on, cannot be told.`,
    );
}

function baseOf(manifest: Manifest, text: string, config: ConfigFile, unsure: ReadonlySet<number>): BaseImage {
  return { digest: digestOf(text), mediaType: DOCKER_MANIFEST, manifest, config, unsure };
}
