import { KEY_ANNOTATION, planDescriptorOf, UNLABELLED_ANNOTATION, whoseSet } from "../key/record.ts";
import { type Index, OWN_ANNOTATION, type Served } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Pinned } from "../oci/reference.ts";
import type { Keyed } from "../plan/keyed.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { RegistryError } from "../world.ts";
import type { Found, Sought } from "./found.ts";
import type { Soundness } from "./verify.ts";

export type Verdict =
  /**
   * `lacksTag`: its own tag is gone, or names something that does not count, and it was found as the newest set of its sources. `damaged` as
   * in a miss, everywhere.
   */
  | {
      readonly kind: "hit";
      readonly image: Pinned;
      readonly index: Served;
      readonly found: readonly Found[];
      readonly lacksTag?: true;
      readonly damaged?: readonly string[];
    }
  /** Every platform is there, and no set that counts: one small manifest is missing. */
  | { readonly kind: "joinable"; readonly found: readonly Found[]; readonly damaged?: readonly string[] }
  | {
      readonly kind: "partial";
      readonly found: readonly Found[];
      readonly missing: readonly Platform[];
      readonly damaged: readonly string[];
      readonly alike?: Alike;
    }
  /** `reusable`: platforms of the wanted set that are there all the same, for another platform's base moved. */
  | {
      readonly kind: "stale";
      readonly image: Pinned;
      readonly index: Served;
      readonly found: readonly Found[];
      readonly reusable: readonly Found[];
      readonly doubt?: Doubt;
      readonly damaged?: readonly string[];
    }
  /** `damaged`: why something that is there does not count, each the end of a sentence. */
  | { readonly kind: "miss"; readonly damaged: readonly string[]; readonly alike?: Alike }
  | { readonly kind: "unknown"; readonly doubt: Doubt };

/** A set of the same sources that is all there, and that differs from the wanted one in nothing but the label. */
export type Alike = { readonly index: Served; readonly found: readonly Found[] };

/** The newest set of the same sources, and whether it is whole. */
export type Newest = { readonly served: Served; readonly sound: Soundness } | { readonly error: RegistryError };

export function toldOf(damaged: readonly string[]): { readonly damaged?: readonly string[] } {
  return damaged.length === 0 ? {} : { damaged };
}

/** The newest set of the same sources may be the very one that is looked for, whatever became of its own tag. */
export function ownSetIn(
  newest: Newest,
  { ownKey: own, key }: Keyed,
): Extract<Newest, { readonly served: Served }> | undefined {
  if ("error" in newest || newest.served.body.kind !== "index") return undefined;
  const { body } = newest.served;
  const isNamed = planDescriptorOf(body)?.annotations?.[KEY_ANNOTATION] === key;
  return isNamed && whoseSet(body, { own, key }) === "ours" ? newest : undefined;
}

/** What differs from the plan in nothing but the label. */
export function alikeOf(newest: Newest, { unlabelledKey }: Keyed): { readonly alike?: Alike } {
  if ("error" in newest || newest.sound.kind !== "sound" || newest.served.body.kind !== "index") return {};
  if (planDescriptorOf(newest.served.body)?.annotations?.[UNLABELLED_ANNOTATION] !== unlabelledKey) return {};
  return { alike: { index: newest.served, found: newest.sound.found } };
}

/** Same sources, same label, same recipe, all of it there: only upstream moved, or cannot be read. */
export function unlessStale(newest: Newest, wanted: Sought, doubt: Doubt): Verdict {
  return staleOr(newest, wanted, { kind: "unknown", doubt }, []);
}

/** The newest set stands in for what is not there, where it is of the same sources and sound. */
export function staleOr(newest: Newest, wanted: Sought, otherwise: Verdict, reusable: readonly Found[]): Verdict {
  if ("error" in newest || newest.sound.kind !== "sound" || newest.served.body.kind !== "index") return otherwise;
  if (ownKeyOf(newest.served.body) !== wanted.ownKey) return otherwise;
  const image = { ...wanted.repository, digest: newest.served.descriptor.digest };
  const stale = { kind: "stale", image, index: newest.served, found: newest.sound.found, reusable } as const;
  if (otherwise.kind === "unknown") return { ...stale, doubt: otherwise.doubt };
  return { ...stale, ...toldOf(otherwise.damaged ?? []) };
}

function ownKeyOf(index: Index): string | undefined {
  return planDescriptorOf(index)?.annotations?.[OWN_ANNOTATION];
}
