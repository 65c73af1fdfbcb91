import { type Digest, digestOf, hexOf, isDigest } from "../oci/digest.ts";
import { readJson } from "../oci/json.ts";
import { type Descriptor, isRecord, readDescriptor, type Served } from "../oci/manifest.ts";
import { OCI_EMPTY } from "../oci/media-types.ts";
import { canonicalJson, type Json } from "./canonical.ts";
import { RECIPE } from "./ingredients.ts";
import { attestationManifest, type Document, textDocument } from "./record.ts";

/**
 * What a run that has read a commit remembers for the next one that is about it: which set is its image, all that was asked of the world to
 * know that, each with the answer, and what of the configuration no image tells. Nothing secret: variables are salted hashes.
 */
export type CommitRecord = {
  /** Of what it is: the name of its own tag. */
  readonly of: string;
  readonly set: { readonly key: Digest; readonly own: Digest; readonly unlabelled: Digest; readonly source: Digest };
  /** The key of each platform, by its name. */
  readonly platforms: Readonly<Record<string, Digest>>;
  /** What was asked for by a tag, and the digest of what it named: images of the build, and manifests of features; `""` where there was none. */
  readonly images: Readonly<Record<string, string>>;
  readonly features: Readonly<Record<string, string>>;
  readonly salt: string;
  /** Variables that the configuration or an input reads: `saltedText` of each, or `""` for one that was not set. */
  readonly variables: Readonly<Record<string, string>>;
  /** `saltedText` of the proxies that docker gives to builds. */
  readonly proxies: string;
  /** devcontainer.json as seen from the checkout. */
  readonly configuration: string;
  /** Build args of the inputs that count. */
  readonly counted: readonly string[];
  /** The statement of the set's plan. */
  readonly plan: Descriptor;
  readonly container: {
    readonly folder: string;
    readonly arguments: readonly string[];
    /** Who works in a compose service; empty where nobody is named. */
    readonly user: string;
  };
};

/** What a commit's record is found by. Nothing of it is secret, and all of it decides. */
export type CommitQuestion = {
  /** A digest of the program that reads it: another version may read the same files as another plan. */
  readonly program: string;
  /** Without a login, a user and `.git`. */
  readonly repository: string;
  readonly commit: string;
  /** Of the inputs that decide. */
  readonly inputs: Digest;
  readonly remoteUserUid: number | undefined;
  readonly isFork: boolean;
};

/** `c1-<64 hex>`: what is remembered of a commit, for the same inputs. */
export function commitTag(question: CommitQuestion): string {
  return `c1-${hexOf(digestOf(canonicalJson({ ...question, recipe: RECIPE })))}`;
}

/** A private value as a record keeps it. */
export function saltedText(salt: string, value: Json): string {
  return hexOf(digestOf(`${salt}\n${canonicalJson(value)}`));
}

const ANNOTATION = "dev-container-cache.commit";

/** Registries take manifests of 4 MiB, and some keep annotations in a database: what is longer is not remembered. */
const LONGEST = 32 * 1024;

/**
 * A manifest that names nothing and carries a record, in the shape that every registry takes.
 * @returns `undefined` for a record that is too long.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export function commitManifest(
  record: CommitRecord,
): { readonly blobs: readonly Document[]; readonly manifest: Document } | undefined {
  const text = canonicalJson(record);
  if (text.length > LONGEST) return undefined;
  const empty = textDocument(OCI_EMPTY, "{}");
  const { config, manifest } = attestationManifest([empty.descriptor], { [ANNOTATION]: text });
  return { blobs: [empty, config], manifest };
}

/** Reads what a commit's tag names. @returns `undefined` for anything that is not a record of that tag. */
export function readCommitRecord({ body }: Served, tag: string): CommitRecord | undefined {
  const text = body.kind === "manifest" ? body.annotations[ANNOTATION] : undefined;
  const json = text === undefined || text.length > LONGEST ? undefined : readJson(text);
  return isCommitRecord(json) && json.of === tag ? json : undefined;
}

function isCommitRecord(value: unknown): value is CommitRecord {
  if (!isRecord(value) || !isRecord(value.set) || !isRecord(value.container)) return false;
  const { set, container } = value;
  return (
    [value.of, value.salt, value.proxies, value.configuration, container.folder, container.user].every(isText) &&
    [set.key, set.own, set.unlabelled, set.source].every(isDigest) &&
    isMapOf(value.platforms, isDigest) &&
    isMapOf(value.images, isDigest) &&
    isMapOf(value.features, (one) => one === "" || isDigest(one)) &&
    isMapOf(value.variables, isText) &&
    [value.counted, container.arguments].every((list) => Array.isArray(list) && list.every(isText)) &&
    readDescriptor(value.plan) !== undefined
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isMapOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return isRecord(value) && Object.values(value).every(isItem);
}
