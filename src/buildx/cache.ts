import { type Platform, platformSlug } from "../oci/platform.ts";
import { isTag, parseReference } from "../oci/reference.ts";
import { secretAmong, wrongAttribute } from "./cache-attributes.ts";
import { joinFields, splitFields } from "./csv.ts";

/** One place that layers are imported from or exported to. @see https://docs.docker.com/build/cache/backends/ */
export type CacheEntry = { readonly type: string; readonly attributes: ReadonlyMap<string, string> };

/**
 * Reads one line of the inputs cache-from and cache-to: `type=registry,ref=ghcr.io/team/app:cache,mode=max`, or a reference alone.
 * @param folder the attribute by which a cache of `type=local` names its folder: `src` to import from, `dest` to export to.
 * @returns the entry, or a sentence that says what is wrong.
 */
export function parseCacheEntry(line: string, folder: "src" | "dest" = "src"): CacheEntry | { readonly wrong: string } {
  const fields = splitFields(line);
  if (fields === undefined) return { wrong: "a quotation mark in it is not closed" };
  if (fields.every((field) => !field.includes("="))) {
    if (fields.length > 1) return { wrong: "several references stand on one line" };
    if (TYPES.includes(line)) return { wrong: `it is a type alone, which is written type=${line}` };
    return checked({ type: "registry", attributes: new Map([["ref", line]]) });
  }
  const attributes = new Map<string, string>();
  for (const field of fields) {
    const at = field.indexOf("=");
    if (at < 1) return { wrong: `"${field}" in it is not written as name=value` };
    attributes.set(field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim());
  }
  const type = attributes.get("type") ?? "";
  attributes.delete("type");
  if (type === "") return { wrong: "it does not say its type, like type=registry" };
  if (type === "local" && !attributes.get(folder))
    return { wrong: `it does not name its folder, like type=local,${folder}=/tmp/layers` };
  return checked({ type, attributes });
}

/** Of BuildKit's; a builder may lack some of them, and says so. */
const TYPES: readonly string[] = ["registry", "local", "gha", "inline", "s3", "azblob"];

function checked(entry: CacheEntry): CacheEntry | { readonly wrong: string } {
  if (!TYPES.includes(entry.type))
    return { wrong: `there is no layer cache of the type ${entry.type}; there are ${TYPES.join(", ")}` };
  const secret = secretAmong(entry.attributes);
  if (secret !== undefined) return { wrong: secret };
  const attribute = wrongAttribute(entry.attributes);
  if (attribute !== undefined) return { wrong: attribute };
  const reference = entry.type === "registry" ? parseReference(entry.attributes.get("ref") ?? "") : entry;
  return "wrong" in reference ? { wrong: `its reference cannot be used: ${reference.wrong}` } : entry;
}

/** The registry cache beside the image: one for each platform of a branch. */
export type CacheBeside = {
  /** `registry/repository` of the cache repository. */
  readonly repository: string;
  /** The branch's own tag, as its alias has it; `undefined` where the run belongs to no branch. */
  readonly own: string | undefined;
  /** Of the branches that this one comes from: the base of a pull request, the default branch. */
  readonly others: readonly string[];
};

export type CacheRequest = {
  readonly platform: Platform;
  /** The inputs; `undefined` where they are not set, and the cache beside the image counts. */
  readonly from: readonly CacheEntry[] | undefined;
  readonly to: readonly CacheEntry[] | undefined;
  readonly beside: CacheBeside;
  /** False for pull requests, for what is only loaded, and for a builder that cannot. */
  readonly mayExport: boolean;
  /** True for an image that is built without layer cache: it would come back the same. */
  readonly isFresh: boolean;
  readonly env: Readonly<Record<string, string>>;
};

export type CacheArguments = { readonly args: readonly string[]; readonly warnings: readonly string[] };

/**
 * The arguments that make a build import layers and export them. Platforms are built apart, so each has a cache of its own: its name is
 * added to what an entry is called by, and entries are imported under the name as it is written too.
 *
 * What cannot be exported is no reason to lose an image that has been pushed: every export gets `ignore-error=true` unless it says otherwise.
 */
export function cacheArguments(request: CacheRequest): CacheArguments {
  const { platform, beside, mayExport, isFresh, env } = request;
  const slug = platformSlug(platform);
  const own = (entry: CacheEntry): CacheEntry => forPlatform(entry, slug);
  const written = request.from?.flatMap((entry) => [own(entry), entry]);
  const from = isFresh ? [] : (written ?? importsBeside(beside).map(own));
  const to = mayExport ? (request.to ?? exportsBeside(beside)).map(own) : [];
  const dead = [...from, ...to].some(({ type }) => type === "gha") && !canReachActionsCache(env);
  const live = ({ type }: CacheEntry): boolean => !(dead && type === "gha");
  const imports = new Set(from.filter(live).map(formatCacheEntry));
  const exports = to.filter(live).map(withExportDefaults).map(formatCacheEntry);
  return {
    args: [
      ...[...imports].flatMap((entry) => ["--cache-from", entry]),
      ...exports.flatMap((entry) => ["--cache-to", entry]),
    ],
    warnings: dead ? [DEAD_ACTIONS_CACHE] : [],
  };
}

/** BuildKit itself says nothing and does nothing. */
const DEAD_ACTIONS_CACHE =
  "A layer cache of type=gha needs ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL or ACTIONS_CACHE_URL, which this host does not give to the step: it is left out.";

function canReachActionsCache(env: CacheRequest["env"]): boolean {
  return Boolean(env.ACTIONS_RUNTIME_TOKEN && (env.ACTIONS_RESULTS_URL || env.ACTIONS_CACHE_URL));
}

function importsBeside({ repository, own, others }: CacheBeside): readonly CacheEntry[] {
  const branches = [...new Set([...(own === undefined ? [] : [own]), ...others])];
  return branches.map((branch) => entryBeside(repository, branch));
}

/** Without `mode=max`: all that it names is in the repository already, and what is sent is one small manifest. */
function exportsBeside({ repository, own }: CacheBeside): readonly CacheEntry[] {
  return own === undefined ? [] : [entryBeside(repository, own)];
}

function entryBeside(repository: string, branch: string): CacheEntry {
  return { type: "registry", attributes: new Map([["ref", `${repository}:${LAYERS}${branch}`]]) };
}

const LAYERS = "layers-";

/** The tag under which a branch's layers of a platform stand beside the image. */
export function layerTag(branch: string, platform: Platform): string {
  return `${LAYERS}${branch}-${platformSlug(platform)}`;
}

/** What entries of a type are called by, and what they are called when nothing is written. */
const NAMES: Readonly<Record<string, readonly [attribute: string, fallback: string]>> = {
  gha: ["scope", "buildkit"],
  s3: ["name", "buildkit"],
  azblob: ["name", "buildkit"],
};

function forPlatform(entry: CacheEntry, slug: string): CacheEntry {
  const { type, attributes } = entry;
  const set = (name: string, value: string): CacheEntry => ({
    type,
    attributes: new Map([...attributes, [name, value]]),
  });
  const [name, fallback] = NAMES[type] ?? [];
  if (name !== undefined) return set(name, `${attributes.get(name) ?? fallback}-${slug}`);
  if (type === "registry") return set("ref", withTag(attributes.get("ref") ?? "", slug));
  const folder = type === "local" ? ["src", "dest"].find((one) => attributes.has(one)) : undefined;
  return folder === undefined ? entry : set(folder, `${attributes.get(folder)}/${slug}`);
}

/** A reference that names a digest cannot be another one for each platform. */
function withTag(reference: string, slug: string): string {
  if (reference.includes("@")) return reference;
  const colon = reference.lastIndexOf(":");
  const isTagged = colon > reference.lastIndexOf("/");
  const tag = `${isTagged ? reference.slice(colon + 1) : "latest"}-${slug}`;
  return isTag(tag) ? `${isTagged ? reference.slice(0, colon) : reference}:${tag}` : reference;
}

/** Older daemons make a cache that some registries (ECR) refuse, unless they are told to make it an image. */
function withExportDefaults({ type, attributes }: CacheEntry): CacheEntry {
  if (type === "inline") return { type, attributes };
  const defaults: readonly (readonly [string, string])[] = [
    ...(type === "registry"
      ? ([
          ["image-manifest", "true"],
          ["oci-mediatypes", "true"],
        ] as const)
      : []),
    ["ignore-error", "true"],
  ];
  return { type, attributes: new Map([...defaults.filter(([name]) => !attributes.has(name)), ...attributes]) };
}

/** As buildx takes it. */
export function formatCacheEntry({ type, attributes }: CacheEntry): string {
  return joinFields([`type=${type}`, ...[...attributes].map(([name, value]) => `${name}=${value}`)]);
}
