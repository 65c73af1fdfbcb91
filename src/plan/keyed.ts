import type { InstalledFeature } from "../features/install.ts";
import type { PlatformPlan } from "../key/ingredients.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Binding } from "./upstream.ts";

/** The plan of one platform: its key, and the tag that its image has. */
export type PlannedPlatform = {
  readonly platform: Platform;
  readonly key: Digest;
  readonly plan: PlatformPlan;
  readonly tag: string;
};

/** The plan of a set: keys, tags, and the digests that the build is bound to. */
export type Plan = {
  readonly key: Digest;
  /** Of everything but upstream. */
  readonly ownKey: Digest;
  /** Of everything but the label. */
  readonly unlabelledKey: Digest;
  readonly platforms: readonly PlannedPlatform[];
  readonly bindings: readonly Binding[];
  /** In the order of installation. */
  readonly features: readonly InstalledFeature[];
};
