import type { Digest } from "../oci/digest.ts";
import { attestationsOf, type Descriptor, PREDICATE_TYPE, type Served } from "../oci/manifest.ts";
import { IN_TOTO } from "../oci/media-types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Repository } from "../oci/reference.ts";
import type { Registry, RegistryError } from "../world.ts";

/** One platform's image, and the index in which its attestations are listed. */
export type ImageInIndex = { readonly platform: Platform; readonly manifest: Digest; readonly index: Served };

/** What can be demanded of an image. */
export type Attestation = "sbom" | "provenance";

export const SPDX_PREDICATE = "https://spdx.dev/Document";

/** In bytes: what BuildKit itself writes at most, from 0.33 on. https://github.com/moby/buildkit/pull/7104 */
export const LARGEST_STATEMENT = 80 * 1024 * 1024;

/** How messages name them. */
export const ATTESTATION_NAMES: Readonly<Record<Attestation, string>> = { sbom: "SBOM", provenance: "provenance" };

/** The layers of an image's attestation manifests, and what was said of the manifests that could not be read. */
export type Statements = { readonly layers: readonly Descriptor[]; readonly failed: readonly RegistryError[] };

/** Whether an image has statements of one kind. Only the registry's own word makes `none`. */
export type Sought =
  | { readonly kind: "there"; readonly layers: readonly Descriptor[] }
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "doubt"; readonly error: RegistryError };

/**
 * Lists the statements about an image: one small manifest each is fetched, all at once. The two forms of an attestation manifest
 * (BuildKit's own, and from 0.32 on an OCI artifact) differ in nothing that is read here.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/docs/attestations/attestation-storage.md
 */
export async function listStatements(
  repository: Repository,
  { manifest, index }: ImageInIndex,
  registry: Registry,
): Promise<Statements> {
  const entries = index.body.kind === "index" ? attestationsOf(index.body, manifest) : [];
  const answers = await Promise.all(entries.map(({ digest }) => registry.manifest({ ...repository, digest })));
  return {
    layers: answers.flatMap((answer) =>
      answer.kind === "found" && answer.value.body.kind === "manifest" ? answer.value.body.layers : [],
    ),
    failed: answers.filter((answer) => answer.kind !== "found"),
  };
}

/** Picks the statements of one kind. What cannot be read matters only where it could be what is sought. */
export function seek(attestation: Attestation, { layers, failed }: Statements): Sought {
  const found = layers.filter((layer) => layer.mediaType === IN_TOTO && says(layer, attestation));
  if (found.length > 0) return { kind: "there", layers: found };
  const doubt = failed.find(({ kind }) => kind !== "absent");
  if (doubt) return { kind: "doubt", error: doubt };
  const why = failed.length > 0 ? "its attestations are gone from the registry" : "the index lists none for it";
  return { kind: "none", why };
}

function says({ annotations }: Descriptor, attestation: Attestation): boolean {
  const type = annotations?.[PREDICATE_TYPE] ?? "";
  return attestation === "sbom" ? type === SPDX_PREDICATE : type.startsWith("https://slsa.dev/provenance/");
}

export type Demand = {
  readonly repository: Repository;
  readonly image: ImageInIndex;
  readonly required: readonly Attestation[];
  /** Whether to ask for the statements themselves too, and not only for the manifests that list them. */
  readonly blobs: boolean;
};

/** `what` is the end of a sentence: "linux/amd64 has no SBOM: the index lists none for it" */
export type Presence =
  | { readonly kind: "there" }
  | { readonly kind: "missing"; readonly what: string }
  | { readonly kind: "doubt"; readonly what: string; readonly error: RegistryError };

/**
 * Answers whether an image has the attestations that are demanded. Nothing is downloaded but the small manifests that list them, in one
 * wave, and with `blobs` a HEAD for each statement in a second one: as deep as the verification of the image itself, beside which it runs.
 */
export async function lookForAttestations(demand: Demand, registry: Registry): Promise<Presence> {
  const { repository, image, required } = demand;
  if (required.length === 0) return { kind: "there" };
  const statements = await listStatements(repository, image, registry);
  const looks = await Promise.all(
    required.map((attestation) => lookFor(attestation, seek(attestation, statements), demand, registry)),
  );
  return (
    looks.find(({ kind }) => kind === "doubt") ?? looks.find(({ kind }) => kind === "missing") ?? { kind: "there" }
  );
}

async function lookFor(
  attestation: Attestation,
  sought: Sought,
  { repository, image, blobs }: Demand,
  registry: Registry,
): Promise<Presence> {
  const [platform, name] = [formatPlatform(image.platform), ATTESTATION_NAMES[attestation]];
  const what = `the ${name} of ${platform}`;
  if (sought.kind === "none") return { kind: "missing", what: `${platform} has no ${name}: ${sought.why}` };
  if (sought.kind === "doubt") return { kind: "doubt", what, error: sought.error };
  const answers = blobs ? await Promise.all(sought.layers.map((layer) => registry.hasBlob(repository, layer))) : [];
  const failed = answers.filter((answer) => answer.kind !== "found");
  const doubt = failed.find(({ kind }) => kind !== "absent");
  if (doubt) return { kind: "doubt", what, error: doubt };
  return failed.length > 0 ? { kind: "missing", what: `${what} is gone from the registry` } : { kind: "there" };
}
