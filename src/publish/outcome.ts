import type { BuiltPlatform, PlatformSteps } from "../build/task.ts";
import type { ActionError } from "../errors.ts";
import type { FeaturePorts } from "../features/found.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Digest } from "../oci/digest.ts";
import type { Served } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Sources } from "../plan/plan.ts";
import type { Aged } from "../probe/age.ts";
import type { BaseConfigs } from "../probe/bases.ts";
import type { Found } from "../probe/found.ts";
import type { World } from "../world.ts";
import type { Alias } from "./alias.ts";
import type { Beginning } from "./beginning.ts";
import type { NotPushed } from "./push.ts";
import type { AskedTags } from "./release.ts";

/** Everything that a decision is carried out with. */
export type Scene = {
  readonly inputs: Inputs;
  readonly sources: Sources;
  readonly probed: Aged;
  /** Of the images that stages are built on, as far as they were read. */
  readonly bases: BaseConfigs;
  readonly alias: Alias | undefined;
  readonly tags: AskedTags;
  readonly beginning: Beginning;
  readonly ports: FeaturePorts;
  readonly world: World;
};

/** What a decision led to. */
export type Outcome = {
  readonly result: Result;
  /** What another job can pull. */
  readonly image?: string;
  /** The tag in the local engine of what was built and not pushed, and why it was not. */
  readonly localImage?: string;
  readonly notPushed?: NotPushed;
  readonly digest?: Digest;
  /** The index that `digest` names, where it holds all platforms. */
  readonly index?: Served;
  readonly pushed?: boolean;
  readonly found?: readonly Found[];
  readonly built?: readonly BuiltPlatform[];
  /** Platforms that got another label and no build, and how long that took. */
  readonly relabelled?: readonly { readonly platform: Platform; readonly seconds: number }[];
  /** What the builds of this run consisted of. */
  readonly steps?: readonly PlatformSteps[];
  readonly missing?: readonly Platform[];
  readonly saved?: number;
  /** True where `image` is not this commit's but the one that stands in for it. */
  readonly isFallback?: boolean;
  readonly failure?: ActionError;
};

/** What was there before anything was done. */
export function foundSoFar({ inputs, probed: { verdict } }: Scene): Pick<Outcome, "found" | "missing"> {
  const found = verdict.kind === "partial" ? verdict.found : verdict.kind === "stale" ? verdict.reusable : [];
  return { found, missing: inputs.platforms.filter((platform) => !found.some((one) => one.platform === platform)) };
}

export type Result = "hit" | "built" | "partial" | "stale" | "miss" | "unknown" | "failed";
