import type { InstalledFeature } from "../features/install.ts";
import { optionsWithoutDefaults } from "../features/options.ts";
import { ownKey, platformKey, platformTag, setKey, unlabelledKey } from "../key/fingerprint.ts";
import type { PlatformPlan, WrittenFeature } from "../key/ingredients.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { BoundAddress } from "./addresses.ts";
import type { OnbuildArgs } from "./onbuild-args.ts";
import type { Binding, Resolved } from "./upstream.ts";
import type { Wanted } from "./wanted.ts";

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
  readonly addresses: readonly BoundAddress[];
  /** In the order of installation. */
  readonly features: readonly InstalledFeature[];
};

/** Of a plan the keys, and the tags that are made of them. */
export type Keyed = Pick<Plan, "key" | "ownKey" | "unlabelledKey"> & {
  readonly platforms: readonly Pick<PlannedPlatform, "platform" | "tag">[];
};

/** Puts together what is ours, what others publish and what the bases' configs say, and names it by its keys. */
export function makePlan(
  { platforms: ours }: Pick<Wanted, "platforms">,
  { upstream, bindings, addresses, features }: Resolved,
  { byPlatform }: OnbuildArgs,
): Plan {
  const platforms = ours.flatMap(({ platform, plan }, index) => {
    const part = upstream[index];
    if (!part) return [];
    const written = { ...plan.yours, arguments: { ...plan.yours.arguments, ...byPlatform[index] } };
    const { pins: _, ...yours } = { ...written, features: withoutDefaults(written.features, features) };
    const whole: PlatformPlan = { ...plan, yours, upstream: part };
    const key = platformKey(whole);
    return [{ platform, key, plan: whole, own: { ...plan, yours: written }, tag: platformTag(key, platform) }];
  });
  const plans = platforms.map(({ plan }) => plan);
  return {
    key: setKey(platforms.map(({ key }) => key)),
    ownKey: ownKey(platforms.map(({ own }) => own)),
    unlabelledKey: unlabelledKey(plans),
    platforms: platforms.map(({ own: _, ...platform }) => platform),
    bindings,
    addresses,
    features,
  };
}

/** Where the order of options means something they stay as they are written. */
function withoutDefaults(
  written: readonly WrittenFeature[],
  installed: readonly InstalledFeature[],
): readonly WrittenFeature[] {
  return written.map((feature) => {
    const one = installed.find(({ asked }) => asked.id === feature.id && asked.neededBy === undefined);
    if (one === undefined || feature.order !== undefined) return feature;
    return { ...feature, options: optionsWithoutDefaults(one.metadata, one.asked.options) };
  });
}
