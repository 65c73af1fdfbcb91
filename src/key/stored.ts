import { type Digest, digestOf } from "../oci/digest.ts";
import { readJson } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";
import { canonicalJson, type Json } from "./canonical.ts";
import { hashPrivate as hash, type Origins } from "./difference.ts";
import { compactTree } from "./fingerprint.ts";
import type {
  ContextEntry,
  PlatformPlan,
  Upstream,
  UpstreamFeature,
  UpstreamImage,
  WrittenFeature,
  Yours,
} from "./ingredients.ts";
import { isPlatformPlan } from "./plan-shape.ts";

/** The predicate type of our in-toto statement. */
export const PLAN_PREDICATE = "urn:dev-container-cache:plan:1";

/**
 * A set's plan as it travels with the image. Values of build args, everything that came from `${localEnv:…}` and what files hold stand in it
 * only as salted hashes: whoever can pull the image can read this.
 */
export type StoredPlan = {
  readonly schema: number;
  readonly salt: string;
  readonly configuration: string;
  readonly platforms: Readonly<Record<string, PlatformPlan>>;
  /** The entries of each build context, under the digest by which the plans name it. */
  readonly trees: Readonly<Record<string, readonly (readonly Json[])[]>>;
  /** When the newest of the platforms was built (RFC 3339), and how long each build took, in seconds. */
  readonly origins?: Origins;
  readonly built: { readonly at: string; readonly seconds: Readonly<Record<string, number>> };
};

/** Where the current plan holds values that must not be stored in clear. */
export type Hidden = {
  readonly image: boolean;
  readonly target: boolean;
  /** The Dockerfile's instructions: variables of a compose file may stand in one that is written there. */
  readonly dockerfile: boolean;
  readonly references: ReadonlySet<string>;
  /** Build options that hold something of the environment, as they stand in the plan. */
  readonly options: ReadonlySet<string>;
  /** Names of build contexts that hold something of the environment, in their name or source. */
  readonly contexts: ReadonlySet<string>;
  /** Features whose options hold something of the environment, as they are written. */
  readonly features: ReadonlySet<string>;
  readonly installOrder: boolean;
  /** Of `installation`. */
  readonly installation: ReadonlySet<string>;
};

/** The plan as it is stored: the same shape, with every value that could be private replaced by its salted hash. */
export function hidePrivateValues(plan: PlatformPlan, hidden: Hidden, salt: string): PlatformPlan {
  return {
    ...plan,
    yours: hideInYours(plan.yours, hidden, salt),
    upstream: hideInUpstream(plan.upstream, localFeatures(plan.yours.features), hidden, salt),
  };
}

function hideInYours(yours: Yours, hidden: Hidden, salt: string): Yours {
  const { image, target } = yours.configuration;
  return {
    ...yours,
    configuration: {
      ...yours.configuration,
      ...(image !== undefined && hidden.image ? { image: hash(image, salt) } : {}),
      ...(target !== undefined && hidden.target ? { target: hash(target, salt) } : {}),
    },
    ...(yours.dockerfile && hidden.dockerfile
      ? {
          dockerfile: {
            ...yours.dockerfile,
            stages: yours.dockerfile.stages.map((stage) => stage.map((text) => hash(text, salt))),
          },
        }
      : {}),
    ...(yours.context ? { context: { tree: hideDigest(yours.context.tree, salt) } } : {}),
    arguments: Object.fromEntries(Object.entries(yours.arguments).map(([name, value]) => [name, hash(value, salt)])),
    options: {
      ...yours.options,
      ...(yours.options.build
        ? { build: yours.options.build.map((option) => (hidden.options.has(option) ? hash(option, salt) : option)) }
        : {}),
    },
    ...(yours.contexts ? { contexts: hideContexts(yours.contexts, hidden.contexts, salt) } : {}),
    features: yours.features.map((feature) => hideFeature(feature, hidden, salt)),
    ...(yours.installOrder && hidden.installOrder
      ? { installOrder: [hash(canonicalJson(yours.installOrder), salt)] }
      : {}),
    ...(yours.installation ? { installation: hideValues(yours.installation, hidden.installation, salt) } : {}),
  };
}

function hideValues(
  values: Readonly<Record<string, string>>,
  hidden: ReadonlySet<string>,
  salt: string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, hidden.has(name) ? hash(value, salt) : value]),
  );
}

function hideContexts(
  contexts: NonNullable<Yours["contexts"]>,
  hidden: ReadonlySet<string>,
  salt: string,
): NonNullable<Yours["contexts"]> {
  const entries = Object.entries(contexts).map(([name, source]) => {
    const isHidden = hidden.has(name);
    if ("tree" in source) return [isHidden ? hash(name, salt) : name, { tree: hideDigest(source.tree, salt) }] as const;
    return isHidden ? ([hash(name, salt), { image: hash(source.image, salt) }] as const) : ([name, source] as const);
  });
  return Object.fromEntries(entries);
}

function hideFeature(feature: WrittenFeature, hidden: Hidden, salt: string): WrittenFeature {
  const hidesOptions = feature.options !== undefined && hidden.features.has(feature.id);
  return {
    ...feature,
    ...(hidesOptions ? { options: hash(canonicalJson(feature.options ?? null), salt) } : {}),
    ...(feature.tree === undefined ? {} : { tree: hideDigest(feature.tree, salt) }),
  };
}

function localFeatures(features: readonly WrittenFeature[]): ReadonlySet<string> {
  return new Set(features.flatMap(({ id, tree }) => (tree === undefined ? [] : [id])));
}

function hideInUpstream(upstream: Upstream, local: ReadonlySet<string>, hidden: Hidden, salt: string): Upstream {
  const hide = (image: UpstreamImage): UpstreamImage => {
    if (!hidden.references.has(image.reference)) return image;
    // Where nothing was expanded the written form is the reference itself and tells as much.
    const written = image.written.includes("$") ? image.written : hash(image.written, salt);
    return { ...image, written, reference: hash(image.reference, salt) };
  };
  return {
    ...upstream,
    bases: upstream.bases.map(hide),
    ...(upstream.frontend ? { frontend: hide(upstream.frontend) } : {}),
    features: upstream.features.map((feature): UpstreamFeature => {
      const { written, options, digest } = feature;
      return {
        ...feature,
        digest: local.has(written) ? hideDigest(digest, salt) : digest,
        options: hidden.features.has(written) ? options.map(([name, value]) => [name, hash(value, salt)]) : options,
      };
    }),
    // An address may hold a token, and is told by its place.
    remote: upstream.remote.map(({ address, validator }) => ({
      address: hash(address, salt),
      validator: hash(validator, salt),
    })),
  };
}

/** Of a file with few possible contents everybody could try them all, and compare. */
function hideDigest(digest: Digest, salt: string): Digest {
  return digestOf(`${salt}\n${digest}`);
}

/** The trees that some plans name, ready to be stored: what files hold stands in them as salted hashes. */
export function storeTrees(trees: ReadonlyMap<Digest, readonly ContextEntry[]>, salt: string): StoredPlan["trees"] {
  const hide = (entry: ContextEntry): ContextEntry =>
    entry.kind === "file" ? { ...entry, content: hideDigest(entry.content, salt) } : entry;
  const stored = [...trees].map(([digest, entries]) => [hideDigest(digest, salt), compactTree(entries.map(hide))]);
  return Object.fromEntries(stored);
}

/**
 * An in-toto statement about a set of images.
 * @param subjects the digests of the platforms' manifests.
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function planStatement(
  plan: StoredPlan,
  subjects: readonly { readonly name: string; readonly digest: Digest }[],
): string {
  return canonicalJson({
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.map(({ name, digest }) => ({ name, digest: { sha256: digest.slice("sha256:".length) } })),
    predicateType: PLAN_PREDICATE,
    predicate: plan,
  });
}

/**
 * Reads a statement that an earlier run stored. It is only ever used to explain a miss, so what cannot be read is no error.
 * @returns the plan, or `undefined` for anything that is not a plan of this schema.
 */
export function readPlanStatement(text: string): StoredPlan | undefined {
  const json = readJson(text);
  if (!isRecord(json) || json.predicateType !== PLAN_PREDICATE || !isStoredPlan(json.predicate)) return undefined;
  return json.predicate;
}

function isStoredPlan(value: unknown): value is StoredPlan {
  return (
    isRecord(value) &&
    value.schema === 1 &&
    typeof value.salt === "string" &&
    isRecord(value.trees) &&
    Object.values(value.trees).every((tree) => Array.isArray(tree) && tree.every(Array.isArray)) &&
    isRecord(value.built) &&
    isRecord(value.built.seconds) &&
    isRecord(value.platforms) &&
    Object.values(value.platforms).every(isPlatformPlan)
  );
}
