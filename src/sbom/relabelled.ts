import { type Digest, hexOf, isDigest } from "../oci/digest.ts";
import { parseJson } from "../oci/json.ts";
import { type Descriptor, isRecord, PREDICATE_TYPE } from "../oci/manifest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatRepository, type Repository } from "../oci/reference.ts";
import { readStatement } from "./statement.ts";

/** On a statement of an image that only got a new label: the image of which it was said first, with the same layers. */
const CARRIED = "dev-container-cache.carried-from";

/** How an image came about of which only the label is new: `buildType` of our own provenance. */
const RELABEL_TYPE = "urn:dev-container-cache:relabel:1";
export const PROVENANCE_PREDICATE = "https://slsa.dev/provenance/v1";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

/** An image, and the one with the same layers that it was made of. */
export type Relabelled = {
  readonly repository: Repository;
  readonly platform: Platform;
  readonly from: Digest;
  readonly to: Digest;
};

/**
 * A statement about what is in an image's layers, said of another image with the same layers. It says itself of which it was said first,
 * however often it was passed on.
 * @returns the text and that image, or a sentence that says why it is not passed on: only what speaks of `from` is.
 */
export function carryStatement(
  bytes: Uint8Array,
  predicateType: string,
  relabelled: Relabelled,
): { readonly text: string; readonly from: Digest } | { readonly wrong: string } {
  const read = readStatement(bytes, { subject: relabelled.from, predicateType });
  if ("wrong" in read) return read;
  const { predicate, annotations } = read;
  const first = isRecord(annotations) ? annotations[CARRIED] : undefined;
  const from = isDigest(first) ? first : relabelled.from;
  const subject = { ...subjectOf(relabelled), annotations: { [CARRIED]: from } };
  return { text: JSON.stringify({ _type: STATEMENT_TYPE, subject: [subject], predicateType, predicate }), from };
}

/** The same on the descriptor of the statement, where nobody has to read it. */
export function carriedAnnotations(predicateType: string, from: Digest): Descriptor["annotations"] {
  return { [PREDICATE_TYPE]: predicateType, [CARRIED]: from };
}

/** What is known of the build that made the layers: when it ended (milliseconds since 1970), its length, and its own provenance. */
export type FirstBuild = {
  readonly at: number | undefined;
  readonly seconds: number | undefined;
  readonly provenance: unknown;
};

/** `started` and `finished` are when the label was set, in milliseconds since 1970. */
export type Relabelling = Relabelled & {
  readonly label: string;
  readonly started: number;
  readonly finished: number;
  readonly build: FirstBuild;
};

/**
 * The provenance of an image that only got a new label: it was made of that other image, which is named by digest, and by no builder. What the
 * builder has said of that one stands in it as it is, and as said of that one.
 * @see https://slsa.dev/spec/v1.0/provenance
 */
export function relabelProvenance(relabelling: Relabelling): string {
  const { repository, platform, from, label, build, started, finished } = relabelling;
  const [startedOn, finishedOn] = [started, finished].map((time) => new Date(time).toISOString());
  return JSON.stringify({
    _type: STATEMENT_TYPE,
    subject: [subjectOf(relabelling)],
    predicateType: PROVENANCE_PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: RELABEL_TYPE,
        externalParameters: { label },
        internalParameters: {
          ...(build.at === undefined ? {} : { built: new Date(build.at).toISOString() }),
          ...(build.seconds === undefined ? {} : { seconds: build.seconds }),
          ...(build.provenance === undefined ? {} : { provenance: build.provenance }),
        },
        resolvedDependencies: [{ uri: purlOf(repository, platform, from), digest: { sha256: hexOf(from) } }],
      },
      runDetails: { builder: { id: "urn:dev-container-cache" }, metadata: { startedOn, finishedOn } },
    },
  });
}

/**
 * Reads what provenance says of the build that made an image's layers, through all relabelling.
 * @returns `undefined` for one that no relabelling wrote.
 */
export function readRelabelled(bytes: Uint8Array): FirstBuild | undefined {
  const json = parseJson(bytes);
  const { buildDefinition } = isRecord(json) && isRecord(json.predicate) ? json.predicate : {};
  if (!isRecord(buildDefinition) || buildDefinition.buildType !== RELABEL_TYPE) return undefined;
  const { built, seconds, provenance } = isRecord(buildDefinition.internalParameters)
    ? buildDefinition.internalParameters
    : {};
  const at = typeof built === "string" ? Date.parse(built) : Number.NaN;
  return {
    at: Number.isFinite(at) ? at : undefined,
    seconds: typeof seconds === "number" && seconds >= 0 ? seconds : undefined,
    provenance,
  };
}

function subjectOf({ repository, platform, to }: Relabelled): {
  readonly name: string;
  readonly digest: { readonly sha256: string };
} {
  return { name: purlOf(repository, platform, to), digest: { sha256: hexOf(to) } };
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/docker-definition.md, as BuildKit names images. */
function purlOf(repository: Repository, platform: Platform, digest: Digest): string {
  const of = new URLSearchParams({ digest, platform: formatPlatform(platform) });
  return `pkg:docker/${formatRepository(repository)}?${of}`;
}
