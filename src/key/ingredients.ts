import type { Digest } from "../oci/digest.ts";
import type { Json } from "./canonical.ts";

/** The version of the plan's shape and of the tags: another digit is another name space, never a wrong hit. */
export const SCHEMA = 1;

/**
 * Goes up whenever the text that we generate (Dockerfile, label) changes for any fixture, so that fixing our own bug reaches cached
 * images. Golden keys in the tests fail when someone forgets.
 */
export const RECIPE = 5;

/** What a path in the build context is: `mode` as git has it, `content` the sha256 of a file or the text of a link. */
export type ContextEntry =
  | { readonly path: string; readonly kind: "file"; readonly mode: "0644" | "0755"; readonly content: Digest }
  | { readonly path: string; readonly kind: "link"; readonly target: string }
  | { readonly path: string; readonly kind: "directory" };

/** What the commit and the inputs say; computable without any request. */
export type Yours = {
  readonly configuration: {
    readonly kind: "image" | "dockerfile";
    readonly image?: string;
    readonly target?: string;
  };
  /**
   * One text per instruction, in order, a list per stage; the first list holds what stands before the first FROM. `named` where stages are
   * told by their names: else the target's name is no part of the key, for a mark in these texts says which one it is. `triggered` where it
   * is known what ONBUILD triggers of a base take of these sources, be it nothing: a plan of the same texts that does not know it is another.
   */
  readonly dockerfile?: {
    readonly escape: string;
    readonly stages: readonly (readonly string[])[];
    readonly named?: true;
    readonly triggered?: true;
  };
  /** sha256 of the canonical list of the context's entries; the list itself travels beside the plan. */
  readonly context?: { readonly tree: Digest };
  /** Named build contexts: a folder by its tree; an image as it is written, for its digest is among the bases. */
  readonly contexts?: Readonly<Record<string, { readonly tree: Digest } | { readonly image: string }>>;
  /**
   * The digests that stand behind names of images, which are told without them everywhere else: which image it is, *upstream* says. No part
   * of the key, and none of what is stored.
   */
  readonly pins?: Readonly<Record<string, Digest>>;
  readonly arguments: Readonly<Record<string, string>>;
  readonly options: {
    readonly platform: string;
    readonly cacheVersion?: string;
    /** The uid that the remote user gets. */
    readonly remoteUserUid?: number;
    /** Options of `docker buildx build` that change the image, as they are written, where order means nothing in one order. */
    readonly build?: readonly string[];
    /** Ids of the build's secrets; what they hold no key sees. */
    readonly secrets?: readonly string[];
  };
  readonly features: readonly WrittenFeature[];
  /** As it is written; only beside features. No part of the key: in which order they are installed, *upstream* says. */
  readonly installOrder?: readonly Json[];
  /**
   * For whom features are installed, or who gets another uid, and beside features the environment that the image then has: as the
   * configuration says, variables replaced.
   */
  readonly installation?: Readonly<Record<string, string>>;
};

/**
 * A feature as the configuration or another local feature asks for it, or as the lockfile knows it. A local one has the digest of its files,
 * a locked one that of its manifest or archive, which is no part of the key: *upstream* says what is installed.
 */
export type WrittenFeature = {
  readonly id: string;
  /** As they are written; once the feature's own defaults are known, without what says no more than these. */
  readonly options?: Json;
  /** The names of the options in the order of the file, where that means something. */
  readonly order?: readonly string[];
  readonly tree?: Digest;
  readonly locked?: Digest;
};

/** A feature that is installed. `digest`: of the manifest, the archive, or a local one's files. `options`: after defaults, by name. */
export type UpstreamFeature = {
  readonly id: string;
  readonly written: string;
  readonly digest: Digest;
  readonly options: readonly (readonly [name: string, value: string])[];
};

/** An image that the build reads: `digest` is the manifest for this platform, or the index where the builder's own platform decides. */
export type UpstreamImage = {
  readonly written: string;
  readonly reference: string;
  readonly digest: Digest;
  readonly of: "platform" | "index";
};

/** What an ADD fetches: the address, and what its server says tells this content from another. */
export type UpstreamAddress = { readonly address: string; readonly validator: string };

/** What others publish, by digest. */
export type Upstream = {
  readonly bases: readonly UpstreamImage[];
  readonly frontend?: UpstreamImage;
  /** In the order of installation. */
  readonly features: readonly UpstreamFeature[];
  /** Sorted by address. */
  readonly remote: readonly UpstreamAddress[];
};

/** All that decides the bytes of one platform's image. */
export type PlatformPlan = {
  readonly schema: typeof SCHEMA;
  readonly yours: Yours;
  readonly upstream: Upstream;
  /** What goes only into the devcontainer metadata label and nowhere else. */
  readonly label: Json;
  readonly recipe: number;
};
