import type { Assembled } from "../envbuilder/assemble.ts";
import { EMPTY_ZSTD } from "../envbuilder/stage-layers.ts";
import { digestOf } from "../oci/digest.ts";
import { readJson } from "../oci/json.ts";
import type { Descriptor, ImageManifest, Served } from "../oci/manifest.ts";
import { readManifest } from "../oci/manifest.ts";
import { formatRepository, type Reference, type Repository } from "../oci/reference.ts";
import type { Answer, Registry, RegistryError } from "../world.ts";

/** The image as the registry serves it now, or the end of a sentence that says why it is not there. */
export type Materialised =
  | { readonly kind: "pushed"; readonly served: Served }
  | { readonly kind: "not"; readonly why: string };

type Computed = {
  readonly image: Extract<Assembled, { kind: "image" }>;
  /** The images that stages are built on: the base's layers are taken from there. */
  readonly bases: readonly Reference[];
};

/**
 * Pushes an image of which every layer is there: the base's layers are mounted where they are not in the repository, then the config and the
 * manifest are put, and what the registry serves of it is read back.
 */
export async function materialise(
  { image, bases }: Computed,
  repository: Repository,
  registry: Registry,
): Promise<Materialised> {
  const manifest = readManifest(readJson(image.manifest), image.mediaType);
  if ("wrong" in manifest || manifest.kind !== "manifest") return not("its manifest is none that a registry takes");
  const mounted = await Promise.all(
    unique(manifest.layers).map(async (layer) => ({
      layer,
      answer: await provide(layer, bases, repository, registry),
    })),
  );
  const lost = mounted.find(({ answer }) => answer.kind !== "found");
  if (lost && lost.answer.kind !== "found")
    return not(
      `its layer ${lost.layer.digest} cannot be put into ${formatRepository(repository)}: ${lost.answer.words}`,
    );
  return put(image, manifest, repository, registry);
}

async function put(
  image: Computed["image"],
  { config }: ImageManifest,
  repository: Repository,
  registry: Registry,
): Promise<Materialised> {
  const encoder = new TextEncoder();
  const steps: readonly (() => Promise<Answer<unknown>>)[] = [
    () => registry.putBlob(repository, encoder.encode(image.config), config.mediaType),
    () => registry.putManifest(repository, encoder.encode(image.manifest), image.mediaType, undefined),
  ];
  for (const step of steps) {
    const answer = await step();
    if (answer.kind !== "found") return refused(answer);
  }
  const served = await registry.manifest({ ...repository, digest: digestOf(image.manifest) });
  return served.kind === "found" ? { kind: "pushed", served: served.value } : refused(served);
}

function refused({ words, request }: RegistryError): Materialised {
  return not(`the registry says "${words}" (${request})`);
}

function not(why: string): Materialised {
  return { kind: "not", why };
}

async function provide(
  layer: Descriptor,
  bases: readonly Reference[],
  repository: Repository,
  registry: Registry,
): Promise<Answer<unknown>> {
  let answer: Answer<unknown> = await registry.hasBlob(repository, layer);
  for (const base of answer.kind === "absent" ? bases : []) {
    answer = await registry.mountBlob(repository, base, layer);
    if (answer.kind === "found") break;
  }
  // A registry that sweeps may have taken the one layer that anybody can make.
  const isEmpty = answer.kind === "absent" && layer.digest === digestOf(EMPTY_ZSTD);
  return isEmpty ? registry.putBlob(repository, EMPTY_ZSTD, layer.mediaType) : answer;
}

function unique(layers: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}
