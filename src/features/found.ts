import type { Place } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Pinned } from "../oci/reference.ts";
import type { Answer, Files, Registry, RegistryError } from "../world.ts";
import type { FeatureReference } from "./identify.ts";
import type { FeatureMetadata } from "./metadata.ts";

/** What is asked of the world to find features and to read them. */
export type FeaturePorts = {
  readonly registry: Pick<Registry, "manifest" | "blob">;
  readonly files: Pick<Files, "readText" | "stat" | "realPath" | "list" | "readLink" | "digest">;
  readonly download: Download;
  readonly gunzip: Gunzip;
};

/** Fetches what is at an https address: `malformed` past `limit` bytes, `absent` only where the server itself says 404 or 410. */
export type Download = (url: string, limit: number) => Promise<Answer<Uint8Array>>;

/** Unpacks gzip; never gives more than `limit` bytes, and says what is wrong where it would or cannot. */
export type Gunzip = (packed: Uint8Array, limit: number) => Promise<Uint8Array | { readonly wrong: string }>;

/** An answer that could not be had; it says nothing about whether the feature is there. */
export type FeatureDoubt = {
  readonly kind: "registry";
  readonly what: string;
  readonly error: RegistryError;
  readonly at?: Place;
};

/** Where a feature's content is, by digest: the build reads exactly this. */
export type FeatureSource =
  | RemoteSource
  | { readonly kind: "local"; readonly folder: string; readonly entries: readonly LocalEntry[] };

export type RemoteSource =
  | { readonly kind: "oci"; readonly image: Pinned; readonly layer: Descriptor }
  | { readonly kind: "tarball"; readonly url: string };

/** A feature that is there. */
export type FoundFeature = {
  readonly kind: "found";
  readonly reference: FeatureReference;
  /** Of the manifest, the tarball, or the tree of files. */
  readonly digest: Digest;
  readonly source: FeatureSource;
  /** Of a published feature what its manifest shows, which is all that decides what else is installed, and when. */
  readonly metadata: FeatureMetadata;
};

/**
 * What is in the folder of a local feature. Modes do not count: the build sets all of them. A link stays a link, and what it leads to is
 * seen only inside the image.
 */
export type LocalEntry =
  | { readonly path: string; readonly kind: "file"; readonly content: Digest }
  | { readonly path: string; readonly kind: "link"; readonly target: string }
  | { readonly path: string; readonly kind: "directory" };
