import type { Spot } from "../build/claim.ts";
import type { BuiltPlatform, PushedImage } from "../build/task.ts";
import { setTag } from "../key/fingerprint.ts";
import { whoseSet } from "../key/record.ts";
import type { Digest } from "../oci/digest.ts";
import type { Served } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Repository } from "../oci/reference.ts";
import type { Plan } from "../plan/keyed.ts";
import type { PlanToStore } from "../plan/stored-plan.ts";
import { isPast } from "../probe/age.ts";
import { type BuildRecord, recordOf, recordOfPlatform } from "../probe/built.ts";
import type { Found } from "../probe/found.ts";
import { verifySet } from "../probe/verify.ts";
import type { Registry } from "../world.ts";
import type { Scene } from "./outcome.ts";
import { type Publication, type Published, type PushedPlan, publishSet, pushPlan } from "./publish.ts";
import { shareLayers } from "./share-layers.ts";
import { isSwept, withoutSwept } from "./swept.ts";

/**
 * Joins platforms that are all there, and that other runs have built, to a set.
 * @param before what the set's tag names that is to be replaced.
 * @throws ActionError E_PUSH
 */
export async function publishJoined(
  scene: Scene,
  plan: Plan,
  found: readonly Found[],
  before?: Digest,
): Promise<Published> {
  const { world } = scene;
  const pushing = pushPlan({ ...planToStore(scene, plan, []), images: found }, setSpot(scene, plan, before), world);
  return publish(scene, { found, built: [], pushing });
}

/** A set of which a clean-up has swept attestations away, pushed anew without them; nothing where all of them are there. */
export async function mendSwept(
  { index, found }: { readonly index: Served; readonly found: readonly Found[] },
  scene: Scene,
): Promise<Published | undefined> {
  const { inputs, probed, world } = scene;
  if (!probed.plan || !(await isSwept(index, inputs.cacheRepository, world.registry))) return undefined;
  return publishJoined(scene, probed.plan, found, index.descriptor.digest);
}

/** A set whose platforms are all there. */
export type Complete = Pick<Publication, "found"> & {
  /** Those of the platforms that were built in this run. */
  readonly built: readonly BuiltPlatform[];
  readonly pushing: Promise<PushedPlan>;
};

/** Pushes a complete set under the tags of the design. @throws ActionError E_PUSH */
export async function publish({ sources, inputs, world }: Scene, complete: Complete): Promise<Published> {
  const { found, built, pushing } = complete;
  const isNew = ({ platform }: Found): boolean => built.some((one) => one.platform === platform && !one.foundLate);
  const { repository } = sources.wanted;
  const reused = found.filter((one) => !isNew(one));
  const [pushed, kept, earlier] = await Promise.all([
    pushing,
    Promise.all(found.map((one) => (isNew(one) ? one : withoutSwept(one, repository, world.registry)))),
    Promise.all(reused.map((one) => recordOfFound(one, repository, world.registry))),
  ]);
  const exported = built.filter(({ foundLate }) => !foundLate).map(({ platform }) => platform);
  const [published] = await Promise.all([
    publishSet(
      await speakingOf(found, pushed, world),
      { found: kept, earlier, aliases: sources.branches.moved },
      world,
    ),
    inputs.build.cacheTo === undefined ? shareLayers(sources, exported, world.registry) : undefined,
  ]);
  return published;
}

/** A set tells of itself; a platform's own index has only BuildKit's provenance, which a clean-up may have swept away. */
async function recordOfFound(one: Found, repository: Repository, registry: Registry): Promise<BuildRecord> {
  const told = recordOf(one.index);
  return told.at === undefined ? recordOfPlatform(one, repository, registry) : told;
}

/** A plan that went up early may speak of an image that another job was faster with. */
async function speakingOf(found: readonly Found[], pushed: PushedPlan, world: Scene["world"]): Promise<PushedPlan> {
  const isSaid = ({ manifest }: Found): boolean => pushed.subjects.includes(manifest);
  return found.every(isSaid) ? pushed : pushPlan({ ...pushed, images: found }, pushed.spot, world);
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
    isOwn(served, { own: plan.ownKey, key: plan.key }) &&
    !isPast(served, { days: inputs.cacheTtlDays, now: world.clock() });
  return {
    reference: { ...wanted.repository, tag: setTag(plan.key) },
    before,
    judge: async (served) =>
      counts(served)
        ? verifySet({ ...wanted, verify: "layers" }, platforms, served, world.registry)
        : { kind: "damaged", what: `${served.descriptor.digest} is no set of this key, or past its time` },
  };
}

function isOwn({ body }: Served, of: { readonly own: Digest; readonly key: Digest }): boolean {
  return body.kind === "index" && whoseSet(body, of) === "ours";
}

/** The plan with what is known of the builds of this run. */
export function planToStore({ sources, world }: Scene, plan: Plan, built: readonly PushedImage[]): PlanToStore {
  const seconds = Object.fromEntries(built.map((one) => [formatPlatform(one.platform), one.seconds]));
  return { sources, plan, seconds, salt: world.salt(), now: world.clock() };
}
