import type { Served } from "../oci/manifest.ts";
import type { Keyed, Plan, PlannedPlatform } from "../plan/keyed.ts";
import type { Registry } from "../world.ts";
import type { Looking, Sought } from "./found.ts";
import { doubtAbout, type Soundness, verifyPlatform, verifyTagged } from "./verify.ts";

/** What was found under a platform's own tag. */
export type Look = Soundness | { readonly kind: "absent" };

/** Looks at the platforms' own tags, once, when it is first asked to. */
export function lookAtPlatforms(wanted: Sought, plan: Keyed, registry: Registry): () => Promise<readonly Look[]> {
  let looks: Promise<readonly Look[]> | undefined;
  return () => {
    looks ??= Promise.all(plan.platforms.map((one) => lookUpPlatform(wanted, one, plan, registry)));
    return looks;
  };
}

/** A platform that has no tag of its own any more is there all the same where the set names it: of a broken set only what is broken is built. */
export async function lookAlsoIn(
  set: Served,
  looks: readonly Look[],
  wanted: Sought,
  registry: Registry,
): Promise<readonly Look[]> {
  const all = looks.map(async (look, at) => {
    const platform = wanted.platforms[at]?.platform;
    if (platform === undefined || (look.kind !== "absent" && look.kind !== "damaged")) return look;
    const inSet = await verifyPlatform(wanted, platform, set, registry);
    return inSet.kind === "sound" ? inSet : look;
  });
  return Promise.all(all);
}

/** One platform's own tag: `absent` is a miss, everything else that is not a sound image is said. */
export async function lookUpPlatform(
  wanted: Looking,
  planned: Pick<PlannedPlatform, "platform" | "tag">,
  plan: Pick<Plan, "ownKey" | "key">,
  registry: Registry,
): Promise<Look> {
  const { tag } = planned;
  const answer = await registry.manifest({ ...wanted.repository, tag });
  if (answer.kind === "absent") return { kind: "absent" };
  if (answer.kind !== "found") return { kind: "doubt", doubt: doubtAbout(`the tag ${tag}`, answer) };
  return verifyTagged(wanted, planned, plan, answer.value, registry);
}
