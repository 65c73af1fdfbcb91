import type { FeaturePorts } from "../features/found.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { parseReference, type Repository } from "../oci/reference.ts";
import { imageAllowed } from "../registry/allowed.ts";
import type { Answer, World } from "../world.ts";

/**
 * What finding features may ask of the world. What `allowed-images` does not allow is not asked for: it counts as not there, so that a
 * feature that only wants to come after it is installed all the same.
 */
export function openFeaturePorts(
  { registry, files, gunzip }: Pick<World, "registry" | "files" | "gunzip">,
  patterns: Inputs["allowedImages"],
): FeaturePorts {
  const forbidden = (name: Repository | undefined, request: string): Answer<never> | undefined =>
    name !== undefined && imageAllowed(patterns, name)
      ? undefined
      : { kind: "absent", request, words: "not asked, because the input allowed-images does not allow it" };
  return {
    files,
    gunzip,
    registry: {
      blob: registry.blob,
      manifest: async (reference) =>
        forbidden(reference, `GET ${reference.registry}/${reference.repository}`) ?? registry.manifest(reference),
    },
    download: async (url, limit) =>
      (patterns.length === 0 ? undefined : forbidden(nameOf(url), `GET ${url}`)) ?? registry.download(url, limit),
  };
}

/** An address as patterns see it: host and path. */
function nameOf(url: string): Repository | undefined {
  const { host, pathname } = new URL(url);
  const name = parseReference(`${host}${pathname}`);
  return "wrong" in name ? undefined : name;
}
