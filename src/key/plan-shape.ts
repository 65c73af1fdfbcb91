import { isDigest } from "../oci/digest.ts";
import { isRecord } from "../oci/manifest.ts";
import type { PlatformPlan } from "./ingredients.ts";

/**
 * Tells whether a value has the shape of a plan, as far as anybody looks into one that was stored: who may push to the cache repository
 * could have written anything.
 */
export function isPlatformPlan(value: unknown): value is PlatformPlan {
  return isRecord(value) && isYours(value.yours) && isUpstream(value.upstream);
}

function isYours(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { configuration, dockerfile, context, options, features } = value;
  return (
    isRecord(configuration) &&
    [configuration.image, configuration.target].every(isTextOrNothing) &&
    (dockerfile === undefined || (isRecord(dockerfile) && isListOf(dockerfile.stages, Array.isArray))) &&
    (context === undefined || (isRecord(context) && isDigest(context.tree))) &&
    isRecord(value.arguments) &&
    isRecord(options) &&
    isTextOrNothing(options.cacheVersion) &&
    (options.remoteUserUid === undefined || typeof options.remoteUserUid === "number") &&
    isListOf(features, isRecord)
  );
}

function isUpstream(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { bases, frontend, features, remote } = value;
  return (
    isListOf(bases, isImage) &&
    (frontend === undefined || isImage(frontend)) &&
    isListOf(features, isInstalledFeature) &&
    isListOf(remote, isAddress)
  );
}

function isImage(value: unknown): boolean {
  return isRecord(value) && typeof value.written === "string" && isDigest(value.digest);
}

function isAddress(value: unknown): boolean {
  return isRecord(value) && typeof value.address === "string" && typeof value.validator === "string";
}

function isInstalledFeature(value: unknown): boolean {
  return (
    isRecord(value) && typeof value.written === "string" && isDigest(value.digest) && isListOf(value.options, isOption)
  );
}

function isOption(value: unknown): boolean {
  return isListOf(value, (part) => typeof part === "string");
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return Array.isArray(value) && items.every(isItem);
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
