import type { Inputs } from "../inputs/inputs.ts";
import type { ImageConfig } from "../oci/config.ts";
import { samePlatform } from "../oci/platform.ts";
import { platformToHandOver } from "../plan/plan.ts";
import type { Found } from "../probe/found.ts";
import { readFoundConfig } from "../probe/verify.ts";
import type { World } from "../world.ts";

/**
 * The config of the image that later jobs run, where only the registry has it.
 * @param found the images of all platforms that were found.
 * @returns nothing, with a warning, where it cannot be read: the image itself is there all the same.
 */
export async function readConfigToHandOver(
  found: readonly Found[],
  { platforms, cacheRepository }: Inputs,
  { host, registry, log }: World,
): Promise<ImageConfig | undefined> {
  const platform = platformToHandOver(platforms, host.platform);
  const own = found.find((one) => samePlatform(one.platform, platform));
  const config = own && (await readFoundConfig(own, cacheRepository, registry));
  if (!config) log.warning("The image's config could not be read: the outputs container, env and metadata are empty.");
  return config;
}
