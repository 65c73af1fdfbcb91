import type { ImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import type { Served } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Wanted } from "../plan/wanted.ts";

/** One platform's image in the cache repository: its manifest, and the index in which it was found with its attestations. */
export type Found = {
  readonly platform: Platform;
  readonly manifest: Digest;
  readonly index: Served;
  /** Of the platform that is handed over, where it was read on the way. */
  readonly config?: ImageConfig;
};

/** What a look at an image has to know: where it is, how closely to look, what it has to have, and whose config to read. */
export type Looking = Pick<Wanted, "repository" | "verify" | "required" | "handOver">;

/** Of what is wanted all that looking for a set by its keys needs. */
export type Sought = Looking &
  Pick<Wanted, "ownKey" | "sourceKey"> & {
    readonly platforms: readonly Pick<Wanted["platforms"][number], "platform">[];
  };
