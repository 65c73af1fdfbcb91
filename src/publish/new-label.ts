import { attestationManifest, type Document, platformIndex, textDocument } from "../key/record.ts";
import { digestOf } from "../oci/digest.ts";
import { type Descriptor, ownImageFor, PREDICATE_TYPE } from "../oci/manifest.ts";
import { IN_TOTO } from "../oci/media-types.ts";
import type { Repository } from "../oci/reference.ts";
import { relabelConfig, withConfig } from "../oci/relabel.ts";
import { type BuildRecord, readFirstBuild, recordOf } from "../probe/built.ts";
import type { Found } from "../probe/found.ts";
import { LARGEST_STATEMENT, listStatements, SPDX_PREDICATE, seek } from "../sbom/attestations.ts";
import {
  carriedAnnotations,
  carryStatement,
  type FirstBuild,
  PROVENANCE_PREDICATE,
  type Relabelled,
  relabelProvenance,
} from "../sbom/relabelled.ts";
import type { Answer, World } from "../world.ts";

/** Why an image is not relabelled, as the end of a sentence: then it is built. */
export type Wrong = { readonly wrong: string };

/** An image with another label, in documents that no registry has yet. What `manifests` name is among `blobs`, or is there. */
export type NewImage = {
  readonly blobs: readonly Document[];
  readonly manifests: readonly Document[];
  readonly index: Document;
  /** What is said of it in the log. */
  readonly told: readonly string[];
};

/** The image that is there, the label that the new one is to have, and whether it has to bring an SBOM along. */
export type NewLabel = {
  readonly from: Found;
  readonly label: { readonly name: string; readonly value: string };
  readonly needsSbom: boolean;
};

/**
 * Makes of an image that is there one with another label: config and manifest anew, the layers by digest as they are. What is attached to an
 * image names it by its digest: an SBOM, which speaks of the layers, is said of the new one; the builder's provenance is not, for no builder has
 * made it. Its own provenance says what it was made of, and holds the other.
 * @returns what is to be pushed, or why this image is not one to be relabelled.
 */
export async function makeNewImage(
  { from, label, needsSbom }: NewLabel,
  repository: Repository,
  { registry, clock }: Pick<World, "registry" | "clock">,
): Promise<NewImage | Wrong> {
  const started = clock();
  const { platform } = from;
  const [image, attached] = await Promise.all([
    readImage(from, repository, registry),
    readAttached(from, repository, registry),
  ]);
  if ("wrong" in image) return image;
  if ("wrong" in attached) return attached;
  if (needsSbom && attached.sboms.length === 0) return { wrong: "it has no SBOM, and one is asked for" };
  const config = relabelConfig(image.config, { ...label, platform, layers: image.layers });
  if ("wrong" in config) return config;
  const newConfig = documentOf(config, image.configType);
  const manifest = withConfig(image.manifest, newConfig.descriptor);
  if ("wrong" in manifest) return manifest;
  const newManifest = documentOf(manifest, image.type);
  const relabelled = { repository, platform, from: from.manifest, to: newManifest.descriptor.digest };
  const sboms = attached.sboms.map((bytes) => carrySbom(bytes, relabelled));
  const wrong = sboms.find((one) => "wrong" in one);
  if (wrong && "wrong" in wrong) return wrong;
  const times = { started, finished: clock() };
  const provenance = relabelProvenance({ ...relabelled, ...times, label: label.value, build: attached.build });
  const statements = [
    ...sboms.flatMap((one) => ("wrong" in one ? [] : [one])),
    said(provenance, { [PREDICATE_TYPE]: PROVENANCE_PREDICATE }),
  ];
  const attestation = attestationManifest(statements.map(({ descriptor }) => descriptor));
  return {
    blobs: [newConfig, ...statements, attestation.config],
    manifests: [newManifest, attestation.manifest],
    index: platformIndex(
      platform,
      { ...newManifest.descriptor, ...annotationsOf(from) },
      attestation.manifest.descriptor,
    ),
    told: attached.told,
  };
}

type Image = {
  readonly manifest: Uint8Array;
  readonly type: string;
  readonly config: Uint8Array;
  readonly configType: string;
  readonly layers: number;
};

async function readImage(from: Found, repository: Repository, registry: World["registry"]): Promise<Image | Wrong> {
  const manifest = await registry.manifest({ ...repository, digest: from.manifest });
  if (manifest.kind !== "found") return unread("its manifest", manifest);
  const { body, bytes, descriptor } = manifest.value;
  if (body.kind !== "manifest") return { wrong: "it is no image" };
  const config = await registry.blob(repository, body.config);
  if (config.kind !== "found") return unread("its config", config);
  return {
    manifest: bytes,
    type: descriptor.mediaType,
    config: config.value,
    configType: body.config.mediaType,
    layers: body.layers.length,
  };
}

/** `told` names what is not passed on. */
type Attached = { readonly sboms: readonly Uint8Array[]; readonly build: FirstBuild; readonly told: readonly string[] };

/** What a clean-up has swept away is not passed on; what cannot be read is no reason to leave it out. */
async function readAttached(
  from: Found,
  repository: Repository,
  registry: World["registry"],
): Promise<Attached | Wrong> {
  const statements = await listStatements(repository, from, registry);
  const doubt = statements.failed.find(({ kind }) => kind !== "absent");
  if (doubt) return unread("what is attached to it", doubt);
  const [sbom, provenance] = (["sbom", "provenance"] as const).map((one) => {
    const sought = seek(one, statements);
    return sought.kind === "there" ? sought.layers : [];
  });
  const wanted = [...(sbom ?? []), ...(provenance ?? []).slice(0, 1)];
  if (wanted.reduce((sum, { size }) => sum + size, 0) > LARGEST_STATEMENT)
    return { wrong: "what is attached to it is too large to be said anew" };
  const answers = await Promise.all(wanted.map((layer) => registry.blob(repository, layer, LARGEST_STATEMENT)));
  const unreadable = answers.find(({ kind }) => kind !== "found" && kind !== "absent");
  if (unreadable && unreadable.kind !== "found") return unread("what is attached to it", unreadable);
  const bytes = answers.map((answer) => (answer.kind === "found" ? answer.value : undefined));
  const count = sbom?.length ?? 0;
  const others = statements.layers.filter((layer) => !wanted.includes(layer)).length;
  const gone = statements.failed.length + bytes.filter((one) => one === undefined).length;
  return {
    sboms: bytes.slice(0, count).flatMap((one) => one ?? []),
    build: withTimes(bytes[count], recordOf(from.index)),
    told: [
      ...(gone > 0 ? ["attestations that are gone from the registry are left out"] : []),
      ...(others > 0 ? [`${others} attestations of other kinds are left out, for they speak of the other image`] : []),
    ],
  };
}

/** Where no provenance tells, the images are as old as the set in which they were found. */
function withTimes(provenance: Uint8Array | undefined, set: BuildRecord): FirstBuild {
  const told = provenance ? readFirstBuild(provenance) : undefined;
  return { at: told?.at ?? set.at, seconds: told?.seconds ?? set.seconds, provenance: told?.provenance };
}

function carrySbom(bytes: Uint8Array, relabelled: Relabelled): Document | Wrong {
  const carried = carryStatement(bytes, SPDX_PREDICATE, relabelled);
  if ("wrong" in carried) return { wrong: `its SBOM is not said of it: ${carried.wrong}` };
  return said(carried.text, carriedAnnotations(SPDX_PREDICATE, carried.from));
}

function said(text: string, annotations: Descriptor["annotations"] = {}): Document {
  const { bytes, descriptor } = textDocument(IN_TOTO, text);
  return { bytes, descriptor: { ...descriptor, annotations } };
}

function documentOf(bytes: Uint8Array, mediaType: string): Document {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

/** What the user had written beside the image in its index. */
function annotationsOf({ index, platform }: Found): Pick<Descriptor, "annotations"> {
  const entry = index.body.kind === "index" ? ownImageFor(index.body, platform) : undefined;
  return entry?.annotations ? { annotations: entry.annotations } : {};
}

function unread(what: string, { words }: Exclude<Answer<never>, { readonly kind: "found" }>): Wrong {
  return { wrong: `${what} cannot be read: ${words}` };
}
