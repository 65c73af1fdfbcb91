import { lookForOther, type Spot } from "../build/claim.ts";
import type { BuiltPlatform, PushedImage } from "../build/task.ts";
import { setTag } from "../key/fingerprint.ts";
import { planDescriptorOf } from "../key/record.ts";
import type { Digest } from "../oci/digest.ts";
import { OWN_ANNOTATION, type Served } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { branchToMove } from "../plan/branches.ts";
import type { Plan } from "../plan/keyed.ts";
import type { PlanToStore } from "../plan/stored-plan.ts";
import { isPast } from "../probe/age.ts";
import { recordOfPlatform } from "../probe/built.ts";
import type { Found } from "../probe/found.ts";
import { verifySet } from "../probe/verify.ts";
import type { Registry } from "../world.ts";
import type { Scene } from "./outcome.ts";
import { type Publication, type Published, type PushedPlan, publishSet, pushPlan } from "./publish.ts";

/** Joins platforms that are all there, and that other runs have built, to a set. @throws ActionError E_PUSH */
export async function publishJoined(scene: Scene, plan: Plan, found: readonly Found[]): Promise<Published> {
  const { world } = scene;
  const spot = setSpot(scene, plan, undefined);
  const pushing = pushPlan(planToStore(scene, plan, []), found, world.registry);
  return publish(scene, { found, built: [], pushing, spot, look: lookForOther(spot, world) });
}

/** A set whose platforms are all there, and what is known of its tag. */
export type Complete = Pick<Publication, "found" | "spot" | "look"> & {
  /** Those of the platforms that were built in this run. */
  readonly built: readonly BuiltPlatform[];
  readonly pushing: Promise<PushedPlan>;
};

/** Pushes a complete set under the tags of the design. @throws ActionError E_PUSH */
export async function publish({ sources, inputs, world }: Scene, complete: Complete): Promise<Published> {
  const { found, built, pushing, spot, look } = complete;
  const isNew = ({ platform }: Found): boolean => built.some((one) => one.platform === platform && !one.foundLate);
  const { repository } = sources.wanted;
  const reused = found.filter((one) => !isNew(one));
  const [pushed, ...earlier] = await Promise.all([
    pushing,
    ...reused.map((one) => recordOfPlatform(one, repository, world.registry)),
  ]);
  const branch = branchToMove(inputs.alias, world.host.event);
  return publishSet(await speakingOf(found, pushed, world.registry), { found, earlier, branch, spot, look }, world);
}

/** A plan that went up early may speak of an image that another job was faster with. */
async function speakingOf(found: readonly Found[], pushed: PushedPlan, registry: Registry): Promise<PushedPlan> {
  const isSaid = ({ manifest }: Found): boolean => pushed.subjects.includes(manifest);
  return found.every(isSaid) ? pushed : pushPlan(pushed, found, registry);
}

/** The set's own tag, as it is before a build: what is to be built over is no faster job's. */
export async function openSpot(scene: Scene, plan: Plan): Promise<Spot> {
  const { repository } = scene.sources.wanted;
  const isBuiltOver = scene.probed.tooOld !== undefined || scene.inputs.force;
  const before = isBuiltOver
    ? await scene.world.registry.describe({ ...repository, tag: setTag(plan.key) })
    : undefined;
  return setSpot(scene, plan, before?.kind === "found" ? before.value.digest : undefined);
}

function setSpot({ sources: { wanted }, inputs, world }: Scene, plan: Plan, before: Digest | undefined): Spot {
  const platforms = plan.platforms.map(({ platform }) => platform);
  const counts = (served: Served): boolean =>
    isOwn(served, plan.ownKey) && !isPast(served, { days: inputs.cacheTtlDays, now: world.clock() });
  return {
    reference: { ...wanted.repository, tag: setTag(plan.key) },
    before,
    judge: async (served) =>
      counts(served)
        ? verifySet({ ...wanted, verify: "layers" }, platforms, served, world.registry)
        : { kind: "damaged", what: `${served.descriptor.digest} is no set of this key, or past its time` },
  };
}

function isOwn({ body }: Served, ownKey: Digest): boolean {
  return body.kind === "index" && planDescriptorOf(body)?.annotations?.[OWN_ANNOTATION] === ownKey;
}

/** The plan with what is known of the builds of this run. */
export function planToStore({ sources, world }: Scene, plan: Plan, built: readonly PushedImage[]): PlanToStore {
  const seconds = Object.fromEntries(built.map((one) => [formatPlatform(one.platform), one.seconds]));
  return { sources, plan, seconds, salt: world.salt(), now: world.clock() };
}
