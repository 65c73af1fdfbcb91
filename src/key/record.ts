import { type Digest, digestOf } from "../oci/digest.ts";
import {
  ATTESTATION,
  attestationsOf,
  type Descriptor,
  type Index,
  isAttestation,
  OWN_ANNOTATION,
  ownImageFor,
  PREDICATE_TYPE,
  REFERENCE_DIGEST,
  REFERENCE_TYPE,
  type Served,
} from "../oci/manifest.ts";
import { IN_TOTO, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from "../oci/media-types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { canonicalJson, type Json } from "./canonical.ts";
import { PLAN_PREDICATE } from "./stored.ts";

/**
 * What stands on the plan's descriptor in the index itself beside its mark, so that a hit knows it without one more request: when the
 * set was built (RFC 3339), and how long that took (seconds).
 */
export const BUILT_ANNOTATION = "dev-container-cache.built";
export const SECONDS_ANNOTATION = "dev-container-cache.seconds";
/** And whose set it is: beside the fingerprint of everything but upstream the set's own key. */
export const KEY_ANNOTATION = "dev-container-cache.key";
/** And the fingerprint of everything but the label, by which it is known that an image needs a new label and no build. */
export const UNLABELLED_ANNOTATION = "dev-container-cache.unlabelled";

export type Document = { readonly bytes: Uint8Array; readonly descriptor: Descriptor };

/** The plan's entry of an index that we made. */
export function planDescriptorOf(index: Index): Descriptor | undefined {
  return index.manifests.find(isPlan);
}

/**
 * Whose set an index says that it is: somebody may have put another one under our tag. One that says nothing of itself is a copy without
 * attestations, or a clean-up has swept the plan. Two commits that write the same in two ways have one key, and each its own sources: these
 * decide only where a set of an earlier version says nothing of its key.
 */
export function whoseSet(
  { manifests }: Index,
  { own, key }: { readonly own: Digest; readonly key: Digest },
): "ours" | "another's" | "not said" {
  const records = manifests.filter(isPlan).map(({ annotations = {} }) => annotations);
  if (records.length === 0) return "not said";
  const isOurs = (record: Readonly<Record<string, string>>): boolean =>
    record[KEY_ANNOTATION] === undefined ? record[OWN_ANNOTATION] === own : record[KEY_ANNOTATION] === key;
  return records.some(isOurs) ? "ours" : "another's";
}

function isPlan(entry: Descriptor): boolean {
  return isAttestation(entry) && entry.annotations?.[OWN_ANNOTATION] !== undefined;
}

/** A statement as an attestation manifest lists it: what it says is told by an annotation. */
export function listedPlan(statement: Descriptor): Descriptor {
  return { ...statement, annotations: { [PREDICATE_TYPE]: PLAN_PREDICATE } };
}

/**
 * An attestation manifest in the shape of BuildKit's own, and its config in the form that every registry takes: Gitea insists on one that
 * reads as an image's.
 * @param statements each with annotations that tell what it says.
 * @param annotations of the manifest itself.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/docs/attestations/attestation-storage.md
 */
export function attestationManifest(
  statements: readonly Descriptor[],
  annotations?: Readonly<Record<string, string>>,
): {
  readonly config: Document;
  readonly manifest: Document;
} {
  const config = jsonDocument(OCI_CONFIG, {
    architecture: "unknown",
    os: "unknown",
    config: {},
    rootfs: { type: "layers", diff_ids: statements.map(({ digest }) => digest) },
  });
  const manifest = jsonDocument(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: plain(config.descriptor),
    layers: statements.map((one) => ({ ...plain(one), annotations: one.annotations ?? {} })),
    ...(annotations ? { annotations } : {}),
  });
  return { config, manifest };
}

/** Finds the statement among an attestation manifest's layers. */
export function statementOf(manifest: Served): Descriptor | undefined {
  if (manifest.body.kind !== "manifest") return undefined;
  return manifest.body.layers.find(
    (layer) => layer.mediaType === IN_TOTO && layer.annotations?.[PREDICATE_TYPE] === PLAN_PREDICATE,
  );
}

/**
 * The index of a set: each platform's image followed by its attestations, platforms in order, the plan last. It holds what the
 * platforms' own indexes hold, nothing rebuilt and nothing lost.
 */
export function setIndex(
  platforms: readonly { readonly platform: Platform; readonly manifest: Digest; readonly index: Served }[],
  plan: {
    readonly manifest: Descriptor;
    readonly own: Digest;
    readonly key: Digest;
    readonly unlabelled: Digest;
    readonly built: string;
    readonly seconds: number;
  },
): Document {
  const sorted = [...platforms].sort((a, b) => (formatPlatform(a.platform) < formatPlatform(b.platform) ? -1 : 1));
  const entries = sorted.flatMap(({ platform, manifest, index }) => entriesOf(platform, manifest, index));
  const planEntry = {
    ...plain(plan.manifest),
    annotations: {
      [REFERENCE_TYPE]: ATTESTATION,
      [REFERENCE_DIGEST]: sorted[0]?.manifest ?? "",
      [OWN_ANNOTATION]: plan.own,
      [KEY_ANNOTATION]: plan.key,
      [UNLABELLED_ANNOTATION]: plan.unlabelled,
      [BUILT_ANNOTATION]: plan.built,
      [SECONDS_ANNOTATION]: String(plan.seconds),
    },
    platform: NO_PLATFORM,
  };
  return jsonDocument(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...entries, planEntry] });
}

/** How an index lists what is no image. */
const NO_PLATFORM = { architecture: "unknown", os: "unknown" };

/** The index of one platform, as BuildKit writes it: the image, and the manifest of its attestations. */
export function platformIndex(platform: Platform, image: Descriptor, attestations: Descriptor): Document {
  const entry = {
    ...plain(attestations),
    annotations: { [REFERENCE_TYPE]: ATTESTATION, [REFERENCE_DIGEST]: image.digest },
    platform: NO_PLATFORM,
  };
  return jsonDocument(OCI_INDEX, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [imageEntry(platform, image), entry],
  });
}

function entriesOf(platform: Platform, manifest: Digest, served: Served): Json[] {
  if (served.body.kind === "manifest") return [imageEntry(platform, served.descriptor)];
  const image = ownImageFor(served.body, platform);
  if (!image) return [];
  const attestations = attestationsOf(served.body, manifest);
  return [
    imageEntry(platform, image),
    ...attestations.map((entry) => ({ ...plain(entry), annotations: entry.annotations ?? {}, platform: NO_PLATFORM })),
  ];
}

function imageEntry(platform: Platform, image: Descriptor): Json {
  const named = {
    os: platform.os,
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
  };
  return { ...plain(image), platform: named, ...(image.annotations ? { annotations: image.annotations } : {}) };
}

function plain({ mediaType, digest, size, artifactType }: Descriptor): { readonly [name: string]: Json } {
  return { mediaType, digest, size, ...(artifactType === undefined ? {} : { artifactType }) };
}

function jsonDocument(mediaType: string, value: Json): Document {
  return textDocument(mediaType, canonicalJson(value));
}

/** A text as a registry keeps it. */
export function textDocument(mediaType: string, text: string): Document {
  const bytes = new TextEncoder().encode(text);
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}
