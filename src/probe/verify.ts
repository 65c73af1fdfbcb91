import { whoseSet } from "../key/record.ts";
import { type ImageConfig, readImageConfig } from "../oci/config.ts";
import { textOf } from "../oci/json.ts";
import { type Descriptor, ownImageFor, type Served } from "../oci/manifest.ts";
import { formatPlatform, type Platform, samePlatform } from "../oci/platform.ts";
import type { Repository } from "../oci/reference.ts";
import type { Plan, PlannedPlatform } from "../plan/keyed.ts";
import { lookForAttestations, type Presence } from "../sbom/attestations.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { Registry, RegistryError } from "../world.ts";
import type { Found, Looking } from "./found.ts";

/** What a look at an image and everything it consists of said. `damaged` only where the registry itself says that a part is not there. */
export type Soundness =
  | { readonly kind: "sound"; readonly found: readonly Found[] }
  | { readonly kind: "damaged"; readonly what: string }
  | { readonly kind: "doubt"; readonly doubt: Doubt };

/** Verifies that a set holds every one of some platforms and that all of it is there. */
export async function verifySet(
  wanted: Looking,
  platforms: readonly Platform[],
  served: Served,
  registry: Registry,
): Promise<Soundness> {
  const looks = await Promise.all(platforms.map((platform) => verifyPlatform(wanted, platform, served, registry)));
  const bad = looks.find((look) => look.kind === "doubt") ?? looks.find((look) => look.kind === "damaged");
  if (bad) return bad;
  return { kind: "sound", found: looks.flatMap((look) => (look.kind === "sound" ? look.found : [])) };
}

/**
 * Verifies one platform of an index, or a manifest alone: the manifest, its config and every layer are in the registry, and so are the
 * attestations that are demanded, which are looked for at the same time. A manifest alone, as a copy of one platform leaves it under our
 * tag, counts for the platform that its config states.
 */
export async function verifyPlatform(
  wanted: Looking,
  platform: Platform,
  served: Served,
  registry: Registry,
): Promise<Soundness> {
  const child = served.body.kind === "index" ? ownImageFor(served.body, platform) : served.descriptor;
  if (!child)
    return { kind: "damaged", what: `${formatPlatform(platform)} is not in the index ${served.descriptor.digest}` };
  const image: Found = { platform, manifest: child.digest, index: served };
  const { repository, required, verify } = wanted;
  const [sound, attested] = await Promise.all([
    verifyImage(wanted, image, registry),
    lookForAttestations({ repository, image, required, blobs: verify === "layers" }, registry),
  ]);
  return sound.kind === "sound" && attested.kind !== "there" ? withoutAttestation(attested) : sound;
}

/** Of a plan what says whose set an index is. */
type Keys = Pick<Plan, "ownKey" | "key">;

/** Why what stands under a tag of ours is another set, whatever became of its parts; `undefined` where it is ours or says nothing of that. */
export function tellAnother({ body, descriptor }: Served, tag: string, { ownKey: own, key }: Keys): string | undefined {
  if (body.kind !== "index" || whoseSet(body, { own, key }) !== "another's") return undefined;
  return `the tag ${tag} names another set, ${descriptor.digest}, which says that it was made of something else`;
}

/** Verifies what a platform's own tag names. Its small index says nothing of a key; a whole set that was put in its place does. */
export async function verifyTagged(
  wanted: Looking,
  { platform, tag }: Pick<PlannedPlatform, "platform" | "tag">,
  keys: Keys,
  served: Served,
  registry: Registry,
): Promise<Soundness> {
  const another = tellAnother(served, tag, keys);
  return another === undefined
    ? verifyPlatform(wanted, platform, served, registry)
    : { kind: "damaged", what: another };
}

function withoutAttestation(attested: Exclude<Presence, { readonly kind: "there" }>): Soundness {
  if (attested.kind === "missing") return { kind: "damaged", what: attested.what };
  return { kind: "doubt", doubt: doubtAbout(attested.what, attested.error) };
}

async function verifyImage(wanted: Looking, image: Found, registry: Registry): Promise<Soundness> {
  const sound: Soundness = { kind: "sound", found: [image] };
  const { platform, manifest, index } = image;
  const isAlone = index.body.kind === "manifest";
  if (wanted.verify === "none" && !isAlone) return sound;
  const answer = isAlone ? undefined : await registry.manifest({ ...wanted.repository, digest: manifest });
  if (answer && answer.kind !== "found") return missingPart(`the manifest of ${formatPlatform(platform)}`, answer);
  const body = answer ? answer.value.body : index.body;
  if (body.kind !== "manifest")
    return { kind: "damaged", what: `${manifest} for ${formatPlatform(platform)} is no image` };
  const isRead = isAlone || (wanted.verify === "layers" && samePlatform(platform, wanted.handOver));
  const [config, missing] = await Promise.all([
    isRead ? registry.blob(wanted.repository, body.config) : undefined,
    wanted.verify === "layers"
      ? missingBlob(isRead ? body.layers : [body.config, ...body.layers], image, wanted, registry)
      : undefined,
  ]);
  if (config && config.kind !== "found") return missingPart(`the config of ${formatPlatform(platform)}`, config);
  if (missing) return missing;
  return config ? withConfig(image, readImageConfig(textOf(config.value))) : sound;
}

function withConfig(image: Found, config: ImageConfig): Soundness {
  const { platform, manifest, index } = image;
  const sound: Soundness = { kind: "sound", found: [{ ...image, config }] };
  if (index.body.kind === "index") return sound;
  const title = formatPlatform(platform);
  if (!config.platform) return { kind: "damaged", what: `${manifest} does not state that it is an image for ${title}` };
  if (samePlatform(config.platform, platform)) return sound;
  const stated = formatPlatform(config.platform);
  return { kind: "damaged", what: `${manifest} is an image for ${stated} alone, and not for ${title}` };
}

/** The first of an image's blobs that is not proved to be there, if any. */
async function missingBlob(
  blobs: readonly Descriptor[],
  { platform }: Found,
  { repository }: Looking,
  registry: Registry,
): Promise<Soundness | undefined> {
  const looks = uniqueBlobs(blobs).map(async (blob) => ({ blob, answer: await registry.hasBlob(repository, blob) }));
  for (const { blob, answer } of await Promise.all(looks))
    if (answer.kind !== "found") return missingPart(`the layer ${blob.digest} of ${formatPlatform(platform)}`, answer);
  return undefined;
}

/** A layer may stand in a manifest more than once. */
function uniqueBlobs(parts: readonly Descriptor[]): Descriptor[] {
  return [...new Map(parts.map((part) => [part.digest, part])).values()];
}

function missingPart(what: string, error: RegistryError): Soundness {
  if (error.kind === "absent") return { kind: "damaged", what: `${what} is gone from the registry` };
  return { kind: "doubt", doubt: doubtAbout(what, error) };
}

/** What a registry said of a thing that it did not serve, as a reason not to know. */
export function doubtAbout(what: string, error: RegistryError): Doubt {
  return { kind: "registry", what, error };
}

/**
 * Reads the config of a platform that was found, unless the look at it has done so.
 * @returns `undefined` where the registry does not serve it.
 */
export async function readFoundConfig(
  found: Found,
  repository: Repository,
  registry: Registry,
): Promise<ImageConfig | undefined> {
  if (found.config) return found.config;
  const manifest = await registry.manifest({ ...repository, digest: found.manifest });
  if (manifest.kind !== "found" || manifest.value.body.kind !== "manifest") return undefined;
  const config = await registry.blob(repository, manifest.value.body.config);
  return config.kind === "found" ? readImageConfig(textOf(config.value)) : undefined;
}
