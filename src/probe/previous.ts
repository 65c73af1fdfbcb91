import type { Served } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Pinned } from "../oci/reference.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { Registry } from "../world.ts";
import { daysPast, type Limit } from "./age.ts";
import { recordOf, recordOfPlatform } from "./built.ts";
import type { Found, Looking } from "./found.ts";
import { doubtAbout, verifySet } from "./verify.ts";

/**
 * What became of an image that was found earlier. `isServed`: the registry has served what stands under the digest itself, and the doubt is about
 * a part of it.
 */
export type PreviousLook =
  | { readonly kind: "there"; readonly index: Served; readonly found: readonly Found[] }
  | { readonly kind: "gone"; readonly why: string }
  | { readonly kind: "doubt"; readonly doubt: Doubt; readonly isServed: boolean };

/** How an image is looked at that nobody has made a plan of. */
export type PreviousLooking = Looking & { readonly platforms: readonly Platform[]; readonly limit: Limit };

/**
 * Looks whether an image is still there, by its digest, as closely as a probe looks at a set: its platforms, their layers and attestations,
 * its age. Nothing is asked of which sources it is.
 */
export async function lookAtPrevious(
  image: Pinned,
  looking: PreviousLooking,
  registry: Registry,
): Promise<PreviousLook> {
  const answer = await registry.manifest(image);
  if (answer.kind === "absent") return { kind: "gone", why: "it is gone from the registry" };
  if (answer.kind !== "found")
    return { kind: "doubt", doubt: doubtAbout(`the image ${image.digest}`, answer), isServed: false };
  const look = await verifySet(looking, looking.platforms, answer.value, registry);
  if (look.kind === "doubt") return { kind: "doubt", doubt: look.doubt, isServed: true };
  if (look.kind === "damaged") return { kind: "gone", why: look.what };
  const days = await daysPastLimit(answer.value, look.found, looking, registry);
  if (days === undefined) return { kind: "there", index: answer.value, found: look.found };
  return { kind: "gone", why: `it was built ${days} days ago, and cache-ttl-days is ${looking.limit.days}` };
}

/** A set tells its age itself; of a platform's own index provenance does. What tells none counts. */
async function daysPastLimit(
  index: Served,
  found: readonly Found[],
  { repository, limit }: PreviousLooking,
  registry: Registry,
): Promise<number | undefined> {
  const { at } = recordOf(index);
  if (limit.days === undefined || at !== undefined) return daysPast(at, limit);
  const records = await Promise.all(found.map((one) => recordOfPlatform(one, repository, registry)));
  const times = records.flatMap((record) => record.at ?? []);
  return times.length === 0 ? undefined : daysPast(Math.min(...times), limit);
}
