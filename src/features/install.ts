import type { JsonObject } from "../devcontainer/json.ts";
import { ActionError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPinned } from "../oci/reference.ts";
import type { ArchiveEntry } from "./archive.ts";
import { type AskedFeature, nameFeature } from "./asked.ts";
import { doubtAbout, fetchLayer, fetchTarball, metadataIn } from "./fetch.ts";
import type { FeatureDoubt, FeaturePorts, FeatureSource, FoundFeature, RemoteSource } from "./found.ts";
import { type FeatureMetadata, featureLabelEntry, mergeMetadata } from "./metadata.ts";
import { environmentFile, optionValues } from "./options.ts";

/** A feature as the build installs it: it follows from what was asked for and from what `canonical` names, and from nothing else. */
export type InstalledFeature = {
  readonly asked: AskedFeature;
  /** Its own name, not always the one it was asked for by. */
  readonly id: string;
  /** What it is, by digest: `registry/repository@sha256:…`, the tarball's address with its sha256, or that of a local folder's tree. */
  readonly canonical: string;
  readonly digest: Digest;
  readonly source: FeatureSource;
  readonly metadata: FeatureMetadata;
  /** Option → value after defaults, in the order in which the install script is told them. */
  readonly options: ReadonlyMap<string, string>;
  /** The text of `devcontainer-features.env`. */
  readonly environmentFile: string;
  /** What the image's metadata label says of it. */
  readonly label: JsonObject;
};

/** A feature with the files that are laid out for its install script. */
export type FeatureContent = {
  readonly kind: "content";
  readonly feature: InstalledFeature;
  readonly entries: readonly ArchiveEntry[];
  /** Bytes of memory that the entries hold on to. */
  readonly size: number;
};

/** Brings together what was found and what was asked for. */
export function installFeature(asked: AskedFeature, found: FoundFeature): InstalledFeature {
  return withMetadata({ asked, digest: found.digest, source: found.source }, found.metadata, found.reference.name);
}

function withMetadata(
  { asked, digest, source }: Pick<InstalledFeature, "asked" | "digest" | "source">,
  metadata: FeatureMetadata,
  name: string,
): InstalledFeature {
  return {
    asked,
    id: metadata.id ?? name,
    canonical: canonicalName(source, digest),
    digest,
    source,
    metadata,
    options: optionValues(metadata, asked.options),
    environmentFile: environmentFile(metadata, asked.options),
    label: featureLabelEntry(asked.id, metadata),
  };
}

function canonicalName(source: FeatureSource, digest: Digest): string {
  switch (source.kind) {
    case "oci":
      return formatPinned(source.image);
    case "tarball":
      return `${source.url}@${digest}`;
    case "local":
      return digest;
  }
}

/**
 * Fetches what is installed of a feature from outside the workspace: exactly what its digest names. What only the archive's metadata tells
 * joins the feature: the manifest's digest, which is in the key, fixes both.
 * @throws E_FEATURE for an archive that cannot be used; E_CHANGED for a tarball that is no longer the one that was looked at.
 */
export async function fetchFeatureContent(
  feature: InstalledFeature & { readonly source: RemoteSource },
  ports: FeaturePorts,
): Promise<FeatureContent | FeatureDoubt> {
  const { asked, source } = feature;
  const archive =
    source.kind === "oci" ? await fetchLayer(asked, source, ports) : await fetchTarball(asked, source.url, ports);
  if (archive.kind === "registry") return archive;
  // It was there a moment ago: that is no answer to build on.
  if (archive.kind === "absent") return doubtAbout(asked, archive.error);
  const { entries, digest, size } = archive;
  if (source.kind === "tarball" && digest !== feature.digest) {
    throw new ActionError("E_CHANGED", {
      what: `A tarball changed between the probe and the build: ${nameFeature(asked)}.`,
      fix: "Start the run again; publish the feature to a registry, where content has a digest.",
      ...(asked.at === undefined ? {} : { at: asked.at }),
    });
  }
  const metadata = mergeMetadata(feature.metadata, metadataIn(entries, asked), asked);
  return { kind: "content", feature: withMetadata(feature, metadata, feature.id), entries, size };
}
