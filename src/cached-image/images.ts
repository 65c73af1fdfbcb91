import { chooseImage, type ServedImage } from "../envbuilder/base-image.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { textOf } from "../oci/json.ts";
import type { ImageManifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { Registry } from "../world.ts";

/** The manifest of an image as it was served for one platform. */
export type FoundManifest = Omit<ServedImage, "config"> & {
  readonly kind: "image";
  readonly digest: Digest;
  readonly body: ImageManifest;
};

/** With its config. */
export type FoundImage = FoundManifest & ServedImage;

/** An image that is built on or copied from, and where it is. */
export type BaseImage = { readonly reference: Reference; readonly image: FoundImage };

export type Unread = { readonly kind: "doubt"; readonly doubt: Doubt };

export type ReadImage = (reference: Reference, platform: string, what: string) => Promise<FoundImage | Unread>;

/** Opens a way to images that asks for each once, whoever wants it. */
export function openImages(registry: Pick<Registry, "manifest" | "blob">): ReadImage {
  const known = new Map<string, Promise<FoundImage | Unread>>();
  return (reference, platform, what) => {
    const name = `${formatReference(reference)} ${platform}`;
    const image = known.get(name) ?? readImage(reference, platform, what, registry);
    known.set(name, image);
    return image;
  };
}

/** The builder image of a run. */
export type Builder = () => Promise<FoundManifest | Unread>;

/** Opens the way to the builder image: once the registry has told which one it is, all of the run takes that one, wherever its tag goes. */
export function openBuilder(
  { builderImage: { written, reference }, platform }: Pick<EnvbuilderInputs, "builderImage" | "platform">,
  registry: Pick<Registry, "manifest">,
): Builder {
  let known: FoundManifest | undefined;
  return async () => {
    const image =
      known ?? (await findManifest(reference, formatPlatform(platform), `the builder image ${written}`, registry));
    if (image.kind === "image") known = image;
    return image;
  };
}

async function readImage(
  reference: Reference,
  platform: string,
  what: string,
  registry: Pick<Registry, "manifest" | "blob">,
): Promise<FoundImage | Unread> {
  const image = await findManifest(reference, platform, what, registry);
  if (image.kind === "doubt") return image;
  const config = await registry.blob(reference, image.body.config);
  if (config.kind !== "found") return unread({ kind: "registry", what: `the config of ${what}`, error: config });
  return { ...image, config: textOf(config.value) };
}

async function findManifest(
  written: Reference,
  platform: string,
  what: string,
  registry: Pick<Registry, "manifest">,
): Promise<FoundManifest | Unread> {
  const reference = (written.tag ?? written.digest) ? written : { ...written, tag: "latest" };
  const first = await registry.manifest(reference);
  if (first.kind !== "found") return unread({ kind: "registry", what, error: first });
  let { value: served } = first;
  let { mediaType } = served.descriptor;
  if (served.body.kind === "index") {
    const chosen = chooseImage(textOf(served.bytes), platform);
    if (!chosen || !isDigest(chosen.digest))
      return unread(
        undecidable(
          `${what} has no image for ${platform}`,
          "Name an image for that platform, or another one in platforms.",
        ),
      );
    const { registry: host, repository } = reference;
    const child = await registry.manifest({ registry: host, repository, digest: chosen.digest });
    if (child.kind !== "found") return unread({ kind: "registry", what, error: child });
    served = child.value;
    mediaType = chosen.mediaType;
  }
  const { body } = served;
  if (body.kind !== "manifest") return unread(undecidable(`${what} is an index in an index`, "Name another image."));
  return { kind: "image", digest: served.descriptor.digest, body, mediaType, manifest: textOf(served.bytes) };
}

function unread(doubt: Doubt): Unread {
  return { kind: "doubt", doubt };
}

function undecidable(what: string, fix: string): Doubt {
  return { kind: "plan", what, fix };
}
