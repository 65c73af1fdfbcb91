import { type Digest, digestOf } from "../oci/digest.ts";
import { DOCKER_MANIFEST } from "../oci/media-types.ts";
import {
  type ConfigFile,
  EMPTY_CONFIG,
  EMPTY_DESCRIPTOR,
  type GoDescriptor,
  type Manifest,
  readConfigFile,
  readGoManifest,
  readIndexManifest,
  writeConfigFile,
  writeGoManifest,
} from "./image-json.ts";

/** An image as it was served: the very texts, and the type that the registry, or the index that lists it, gave the manifest. */
export type ServedImage = { readonly mediaType: string; readonly manifest: string; readonly config: string };

export type BaseImage = {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifest: Manifest;
  readonly config: ConfigFile;
  /** The layers, by their numbers, that may be others than the ones that are known. */
  readonly unsure: ReadonlySet<number>;
};

/** An image that a registry has served, or `scratch`. */
const SURE: ReadonlySet<number> = new Set();

/** @returns `undefined` where go-containerregistry refuses it, or where it cannot be told what it makes of it. */
export function readBaseImage({ mediaType, manifest, config }: ServedImage): BaseImage | undefined {
  const [readManifest, configFile] = [readGoManifest(manifest), readConfigFile(config)];
  // Data beside the descriptor of the config would be made anew with it; nobody writes it.
  if (!readManifest || !configFile || readManifest.config.data !== "") return undefined;
  return { digest: digestOf(manifest), mediaType, manifest: readManifest, config: configFile, unsure: SURE };
}

/** The descriptor of a config in an image of Docker's media types. @param config its text. */
export function describeConfig(config: string): GoDescriptor {
  return {
    ...EMPTY_DESCRIPTOR,
    mediaType: "application/vnd.docker.container.image.v1+json",
    size: new TextEncoder().encode(config).length,
    digest: digestOf(config),
  };
}

/** `FROM scratch`: https://github.com/google/go-containerregistry/blob/v0.20.6/pkg/v1/empty/image.go */
export function scratch(): BaseImage {
  const config = writeConfigFile(EMPTY_CONFIG);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: describeConfig(config),
    layers: [],
    annotations: undefined,
    subject: undefined,
  };
  const digest = digestOf(writeGoManifest(manifest));
  return { digest, mediaType: DOCKER_MANIFEST, manifest, config: EMPTY_CONFIG, unsure: SURE };
}

/**
 * The image that kaniko takes out of an index: the first for the platform. One that names none is for linux/amd64, and a variant counts only
 * where one is wanted.
 * @param platform `os/architecture[/variant]`.
 * @returns `undefined` where there is none, or where the text is no index.
 * @see https://github.com/google/go-containerregistry/blob/v0.20.6/pkg/v1/remote/index.go (childByPlatform)
 */
export function chooseImage(index: string, platform: string): GoDescriptor | undefined {
  const [os, architecture, variant = ""] = platform.split("/");
  return readIndexManifest(index)?.manifests?.find(({ platform: own }) => {
    const offered = own ?? { os: "linux", architecture: "amd64", variant: "" };
    return (
      offered.os === os && offered.architecture === architecture && (variant === "" || offered.variant === variant)
    );
  });
}
