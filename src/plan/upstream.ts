import { ActionError, type Place, tellPlace } from "../errors.ts";
import type { FeaturePorts } from "../features/found.ts";
import type { InstalledFeature } from "../features/install.ts";
import type { FeatureRequest, ResolvedFeatures, resolveFeatures } from "../features/resolve.ts";
import type { Upstream, UpstreamFeature, UpstreamImage } from "../key/ingredients.ts";
import type { Digest } from "../oci/digest.ts";
import { imageFor, imagesOf, type Served } from "../oci/manifest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import type { Doubt } from "../sources/doubt.ts";
import { nameForBuildKit, withTag } from "../sources/image-name.ts";
import type { Answer, Registry } from "../world.ts";
import type { AddressSource, BoundAddress } from "./addresses.ts";

/** An image that some instruction names, before anything was asked. */
export type ImageSource = {
  readonly by: "base" | "frontend";
  /** A stage stands on it, and runs its ONBUILD triggers. */
  readonly isBuiltOn: boolean;
  readonly written: string;
  readonly reference: Reference;
  /** Both as they count in the key: a digest that is written behind a name is left out, where it is told apart from that. */
  readonly counted: { readonly name: string; readonly reference: string };
  readonly at: Place;
  /** Which manifest counts: the one for this platform, or the whole index where the builder's own platform decides. */
  readonly of: { readonly kind: "platform"; readonly platform: Platform } | { readonly kind: "index" };
  /** What may be wrong with its name, as a sentence, where the registry does not have it: looked for only then, and in all stages. */
  readonly hint?: () => string | undefined;
};

/** The name by which BuildKit knows the image, the index digest that the build is bound to, and what the registry served where it was read. */
export type Binding = { readonly reference: string; readonly digest: Digest; readonly served?: Served };

export type Resolved = {
  readonly kind: "resolved";
  /** In the order of the platforms that were asked about. */
  readonly upstream: readonly Upstream[];
  readonly bindings: readonly Binding[];
  readonly addresses: readonly BoundAddress[];
  /** In the order of installation. */
  readonly features: readonly InstalledFeature[];
  readonly warnings: ResolvedFeatures["warnings"];
};

/** The features that are asked for, and what finding them may ask of the world. */
export type WantedFeatures = { readonly request: FeatureRequest; readonly ports: FeaturePorts };

/** What one platform's build takes from others, besides features. */
export type ReadFromElsewhere = {
  readonly images: readonly ImageSource[];
  readonly addresses: readonly AddressSource[];
};

/**
 * Asks for the digests of everything that others publish: every reference once, all at once.
 * @param platforms in their order, the images and addresses that the build of each reads.
 * @returns the upstream part of each platform's plan, or the first doubt.
 * @throws ActionError E_DOCKERFILE when an image exists and has nothing for a wanted platform.
 */
export async function resolveUpstream(
  platforms: readonly ReadFromElsewhere[],
  features: WantedFeatures | undefined,
  registry: Registry,
): Promise<Resolved | Doubt> {
  const references = new Map(
    platforms.flatMap(({ images }) => images.map((source) => [nameForBuildKit(source.reference), source])),
  );
  const addresses = new Map<string, AddressSource>();
  // Of several lines that name one address the first is told.
  for (const source of platforms.flatMap((one) => one.addresses))
    addresses.set(source.address, addresses.get(source.address) ?? source);
  const validators = new Map<string, Answer<string>>();
  const served = new Map<string, Answer<Served>>();
  const asking = [...references].map(async ([name, source]) =>
    served.set(name, await registry.manifest(withTag(source.reference))),
  );
  // Of two mistakes the one in the images is told, whichever answer came first.
  const [resolving] = await Promise.allSettled([
    features ? resolveLater(features.request, features.ports) : NO_FEATURES,
    ...asking,
    ...[...addresses.keys()].map(async (address) => validators.set(address, await registry.validator(address))),
  ]);
  for (const [name, source] of references) {
    const answer = served.get(name);
    if (answer && answer.kind !== "found") {
      const hint = source.hint?.();
      return {
        kind: "registry",
        what: `${source.by} image ${name} (${tellPlace(source.at)})`,
        error: answer,
        at: source.at,
        ...(hint === undefined ? {} : { hint }),
      };
    }
  }
  const bound: BoundAddress[] = [];
  for (const [address, source] of addresses) {
    const answer = validators.get(address);
    if (!answer) throw new Error(`${source.written} was not asked for`);
    if (answer.kind !== "found") return (await import("./address-doubts.ts")).doubtOfAddress(source, answer);
    bound.push({ ...source, validator: answer.value });
  }
  if (resolving.status === "rejected") throw resolving.reason;
  const installed = resolving.value;
  if (installed.kind !== "resolved") return installed;
  const found = (source: ImageSource): Served => {
    const answer = served.get(nameForBuildKit(source.reference));
    if (answer?.kind !== "found") throw new Error(`${source.written} was not asked for`);
    return answer.value;
  };
  const bindings = [...references].map(([reference, source]) => ({
    reference,
    digest: found(source).descriptor.digest,
    served: found(source),
  }));
  const upstreamFeatures = installed.features.map(asUpstreamFeature);
  const upstream = platforms.map((one) => ({
    ...asUpstream(one.images, upstreamFeatures, found),
    remote: asRemote(one.addresses, bound),
  }));
  return {
    kind: "resolved",
    upstream,
    bindings,
    addresses: bound,
    features: installed.features,
    warnings: installed.warnings,
  };
}

/** Only who has features waits until this is loaded. */
export const resolveLater: typeof resolveFeatures = async (request, ports) =>
  (await import("../features/resolve.ts")).resolveFeatures(request, ports);

const NO_FEATURES: ResolvedFeatures = { kind: "resolved", features: [], warnings: [] };

/** Where the order of options means something, what asks for them says it. */
function asUpstreamFeature({ id, asked, digest, options }: InstalledFeature): UpstreamFeature {
  return { id, written: asked.id, digest, options: [...options].sort(([a], [b]) => (a < b ? -1 : 1)) };
}

function asUpstream(
  images: readonly ImageSource[],
  features: Upstream["features"],
  found: (source: ImageSource) => Served,
): Omit<Upstream, "remote"> {
  const resolve = (source: ImageSource): UpstreamImage => ({
    written: source.counted.name,
    reference: source.counted.reference,
    digest: digestThatCounts(source, found(source)),
    of: source.of.kind,
  });
  const bases = new Map(
    images
      .filter(({ by }) => by === "base")
      .map(resolve)
      .map((image) => [`${image.written}\n${image.reference}\n${image.of}\n${image.digest}`, image]),
  );
  const frontend = images.find(({ by }) => by === "frontend");
  return {
    bases: [...bases].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, image]) => image),
    ...(frontend ? { frontend: resolve(frontend) } : {}),
    features,
  };
}

/** What one platform's build reads of all that was asked. */
function asRemote(sources: readonly AddressSource[], bound: readonly BoundAddress[]): Upstream["remote"] {
  const own = new Set(sources.map(({ address }) => address));
  return bound
    .filter(({ address }) => own.has(address))
    .map(({ address, validator }) => ({ address, validator }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

function digestThatCounts(source: ImageSource, served: Served): Digest {
  if (source.of.kind === "index" || served.body.kind === "manifest") return served.descriptor.digest;
  const image = imageFor(served.body, source.of.platform);
  if (image) return image.digest;
  const there = imagesOf(served.body).map((entry) => (entry.platform ? formatPlatform(entry.platform) : "unknown"));
  throw new ActionError("E_DOCKERFILE", {
    what: `The image ${source.written} has nothing for ${formatPlatform(source.of.platform)}; it has ${there.join(", ")}.`,
    fix: "Choose a base image that has this platform, or take the platform out of the input platforms.",
    at: source.at,
  });
}
