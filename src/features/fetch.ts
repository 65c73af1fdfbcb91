import { type ActionError, tellPlace } from "../errors.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import type { Descriptor, ImageManifest, Served } from "../oci/manifest.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { RegistryError } from "../world.ts";
import { ARCHIVE_LIMITS, type ArchiveEntry, readArchive, textIn } from "./archive.ts";
import { type AskedFeature, featureError, nameFeature } from "./asked.ts";
import type { FeatureDoubt, FeaturePorts, FoundFeature, RemoteSource } from "./found.ts";
import type { Gate } from "./gate.ts";
import type { FeatureReference } from "./identify.ts";
import { type FeatureMetadata, isGenerated, LARGEST_METADATA, METADATA_FILE, parseMetadata } from "./metadata.ts";

/** What a published feature's manifest says it is: https://containers.dev/implementors/features-distribution/#oci-registry */
const FEATURE_TYPE = "application/vnd.devcontainers";
const METADATA_ANNOTATION = "dev.containers.metadata";

export type Published = Extract<FeatureReference, { kind: "oci" }>;
export type Tarball = Extract<FeatureReference, { kind: "tarball" }>;

/** The registry's own "not found", which is not the same for everyone who asks. */
export type Absent = { readonly kind: "absent"; readonly error: RegistryError };

/** An archive that was fetched and unpacked; the digest is that of the archive. */
export type Fetched = {
  readonly kind: "fetched";
  readonly digest: Digest;
  readonly entries: readonly ArchiveEntry[];
  /** Bytes of memory that the entries hold on to. */
  readonly size: number;
};

/**
 * Asks a registry for a feature: one manifest, and the archive only where the manifest does not show the metadata.
 * @param locked the manifest's digest where a lockfile names one; it decides over tags.
 * @param gate through which archives are unpacked.
 * @throws E_FEATURE for a manifest that is none of a feature, and for metadata that cannot be used.
 */
export async function findPublished(
  asked: AskedFeature,
  {
    reference,
    locked,
    gate,
  }: { readonly reference: Published; readonly locked: Digest | undefined; readonly gate: Gate },
  ports: FeaturePorts,
): Promise<FoundFeature | FeatureDoubt | Absent> {
  const wanted: Reference = locked === undefined ? reference.reference : { ...reference.reference, digest: locked };
  const answer = await ports.registry.manifest(wanted);
  if (answer.kind === "absent") return { kind: "absent", error: answer };
  if (answer.kind !== "found") return doubtAbout(asked, answer);
  const { registry, repository } = wanted;
  const { digest } = answer.value.descriptor;
  const { manifest, layer } = readFeatureManifest(answer.value, asked, wanted);
  const source = { kind: "oci", image: { registry, repository, digest }, layer } as const;
  const shown = manifest.annotations[METADATA_ANNOTATION];
  const metadata = shown ? parseMetadata(shown, asked) : undefined;
  if (metadata) return { kind: "found", reference, digest, source, metadata };
  // Nothing of an archive is kept but the metadata.
  return gate(async () => {
    const archive = await fetchLayer(asked, source, ports);
    if (archive.kind !== "fetched") return archive;
    return { kind: "found", reference, digest, source, metadata: metadataIn(archive.entries, asked) };
  });
}

/** Downloads a feature that is in no registry. @throws E_FEATURE where it is no archive with metadata, or not the one that is locked. */
export async function findTarball(
  asked: AskedFeature,
  { reference, locked }: { readonly reference: Tarball; readonly locked: Digest | undefined },
  ports: FeaturePorts,
): Promise<FoundFeature | FeatureDoubt | Absent> {
  const { url } = reference;
  const archive = await fetchTarball(asked, url, ports);
  if (archive.kind !== "fetched") return archive;
  const { digest, entries } = archive;
  if (locked === undefined || locked === digest)
    return { kind: "found", reference, digest, source: { kind: "tarball", url }, metadata: metadataIn(entries, asked) };
  throw featureError(asked, {
    what: `is locked to ${locked} and is now ${digest}`,
    fix: "Find out why it changed. Then run `devcontainer upgrade` and commit the lockfile.",
    by: "feature",
  });
}

/** Reads the archive of a published feature; the registry's port checks its digest. @throws E_FEATURE where it cannot be used. */
export async function fetchLayer(
  asked: AskedFeature,
  { image, layer }: Extract<RemoteSource, { kind: "oci" }>,
  { registry, gunzip }: FeaturePorts,
): Promise<Fetched | FeatureDoubt> {
  const blob = await registry.blob(image, layer, ARCHIVE_LIMITS.bytes);
  if (blob.kind !== "found") return doubtAbout(asked, blob);
  const { entries, size } = await readArchive(blob.value, { gunzip, refuse: (why) => unusable(asked, why) });
  return { kind: "fetched", digest: layer.digest, entries: withoutGenerated(entries), size };
}

/** Downloads a tarball and unpacks it. @throws E_FEATURE where it cannot be used. */
export async function fetchTarball(
  asked: AskedFeature,
  url: string,
  { download, gunzip }: FeaturePorts,
): Promise<Fetched | FeatureDoubt | Absent> {
  const answer = await download(url, ARCHIVE_LIMITS.bytes);
  if (answer.kind === "absent") return { kind: "absent", error: answer };
  if (answer.kind !== "found") return doubtAbout(asked, answer);
  const { entries, size } = await readArchive(answer.value, {
    gunzip,
    refuse: (why) => unusable(asked, why),
    // As in the reference CLI: what starts with a dot at the top of a tarball, which is how people's own files get into one.
    keep: (name) => !name.startsWith("./."),
  });
  return { kind: "fetched", digest: digestOf(answer.value), entries: withoutGenerated(entries), size };
}

function withoutGenerated(entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
  return entries.filter(({ path }) => !isGenerated(path));
}

/** @throws E_FEATURE where an archive has no metadata. */
export function metadataIn(entries: readonly ArchiveEntry[], asked: AskedFeature): FeatureMetadata {
  const text = textIn(entries, METADATA_FILE, LARGEST_METADATA);
  const metadata = text === undefined ? undefined : parseMetadata(text, asked);
  if (metadata) return metadata;
  throw unusable(asked, `has no ${METADATA_FILE} with a JSON object, of at most ${LARGEST_METADATA} bytes`);
}

function readFeatureManifest(
  { body }: Served,
  asked: AskedFeature,
  wanted: Reference,
): { readonly manifest: ImageManifest; readonly layer: Descriptor } {
  const layer = body.kind === "manifest" ? body.layers[0] : undefined;
  if (body.kind === "manifest" && body.config.mediaType === FEATURE_TYPE && layer) return { manifest: body, layer };
  const type = body.kind === "manifest" ? body.config.mediaType : body.mediaType;
  throw featureError(asked, {
    what: `is no feature: what ${formatReference(wanted)} names is of type ${layer ? type : `${type} without content`}`,
    fix: "Take the id from https://containers.dev/features; an image is named under image, not under features.",
    by: "feature",
  });
}

function unusable(asked: AskedFeature, why: string): ActionError {
  return featureError(asked, {
    what: `has an archive that ${why}`,
    fix: "Tell its author, or use another version of it.",
    by: "feature",
  });
}

/** An answer that could not be had, and for which feature. */
export function doubtAbout(asked: AskedFeature, error: RegistryError): FeatureDoubt {
  const { at } = asked;
  const place = at === undefined ? "" : ` (${tellPlace(at)})`;
  return { kind: "registry", what: `${nameFeature(asked)}${place}`, error, ...(at === undefined ? {} : { at }) };
}
