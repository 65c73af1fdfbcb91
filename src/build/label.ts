import { METADATA_LABEL, metadataLabel } from "../devcontainer/label.ts";
import type { InstalledFeature } from "../features/install.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Gathered } from "../sources/sources.ts";

/**
 * The metadata label that a build gives the image of one platform.
 * @param base the config of what the target stands on; nothing for one from scratch.
 * @param features in the order of installation.
 * @returns `undefined` where it gives none, so that the image has whatever the base or the Dockerfile say.
 */
export function labelOfBuild(
  { configuration }: Pick<Gathered, "configuration">,
  base: ImageConfig | undefined,
  features: readonly Pick<InstalledFeature, "label">[],
): string | undefined {
  return metadataLabel({
    base: base?.labels[METADATA_LABEL],
    features: features.map(({ label }) => label),
    raw: configuration.raw,
  });
}
