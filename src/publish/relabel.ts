import { labelOf } from "../arguments/volatile-labels.ts";
import { readBaseImages } from "../build/base.ts";
import { lookForOther, platformSpot, putTag } from "../build/claim.ts";
import { labelOfBuild } from "../build/label.ts";
import { patiently } from "../build/patiently.ts";
import { METADATA_LABEL } from "../devcontainer/label.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatPinned } from "../oci/reference.ts";
import type { Plan } from "../plan/keyed.ts";
import { recordOf } from "../probe/built.ts";
import type { Decision } from "../probe/decide.ts";
import type { Found } from "../probe/found.ts";
import type { Alike } from "../probe/verdict.ts";
import { verifyPlatform } from "../probe/verify.ts";
import type { Answer, RegistryError } from "../world.ts";
import { openSpot, planToStore, publish } from "./complete-set.ts";
import { makeNewImage, type NewImage, type Wrong } from "./new-label.ts";
import type { Outcome, Scene } from "./outcome.ts";
import { pushPlan } from "./publish.ts";

type Due = Extract<Decision, { kind: "build" }> & { readonly alike: Alike };

/**
 * Gives the images of a set that differs from what is due in nothing but the label the new one, and publishes them as what is due: no build,
 * and no layer is sent.
 * @returns what came of it; nothing where any doubt was left, which is told: then it is built.
 * @throws ActionError E_PUSH where the images are there and the registry does not take their tags; what a build would throw for the base.
 */
export async function relabel(due: Due, plan: Plan, scene: Scene): Promise<Outcome | undefined> {
  const { world } = scene;
  const why = whyBuilt(scene);
  if (why !== undefined) {
    world.log.info(
      `Only the metadata label differs from an image that is there, and it is built all the same: ${why}.`,
    );
    return undefined;
  }
  return world.log.group(`Relabelling ${due.platforms.map(formatPlatform).join(", ")}, no build`, async () => {
    const { digest } = due.alike.index.descriptor;
    const of = formatPinned({ ...scene.inputs.cacheRepository, digest });
    world.log.info(`Only what the metadata label carries differs from ${of}: its layers stay as they are.`);
    const made = await relabelAll(due, plan, scene);
    if (!("wrong" in made)) return publishRelabelled(due, plan, made, scene);
    world.log.info(`Not relabelled, and built instead: ${made.wrong}.`);
    return undefined;
  });
}

/** What asks for a build, or for a label that cannot be told without one. */
function whyBuilt({ inputs, sources }: Scene): string | undefined {
  if (inputs.build.noCache) return "the input no-cache is true";
  const { counted, uncounted } = sources.build.definition;
  const isOwn = [...counted, ...uncounted].some((option) => labelOf(option) === METADATA_LABEL);
  return isOwn ? `an option of the build sets ${METADATA_LABEL} itself` : undefined;
}

type Made = { readonly found: Found; readonly seconds: number };

async function relabelAll(due: Due, plan: Plan, scene: Scene): Promise<readonly Made[] | Wrong> {
  const { sources, bases: known, inputs, world } = scene;
  const { platforms, alike } = due;
  const bases = await readBaseImages({ sources, platforms, bindings: plan.bindings, bases: known }, world.registry);
  const made = await Promise.all(
    platforms.map(async (platform): Promise<Made | Wrong> => {
      const started = world.clock();
      const from = alike.found.find((one) => formatPlatform(one.platform) === formatPlatform(platform));
      const value = labelOfBuild(sources.build, bases.get(formatPlatform(platform)), plan.features);
      if (!from) return { wrong: `${formatPlatform(platform)} is not in it` };
      if (value === undefined) return { wrong: "there is nothing that the label would say" };
      const label = { name: METADATA_LABEL, value };
      const needsSbom = inputs.attestations.generator !== undefined;
      const image = await makeNewImage({ from, label, needsSbom }, inputs.cacheRepository, world);
      const found = "wrong" in image ? image : await pushUnnamed(image, platform, scene);
      if ("wrong" in found) return { wrong: `${formatPlatform(platform)}: ${found.wrong}` };
      for (const line of "wrong" in image ? [] : image.told) world.log.info(`[${formatPlatform(platform)}] ${line}`);
      return { found, seconds: Math.round((world.clock() - started) / 100) / 10 };
    }),
  );
  return made.find((one) => "wrong" in one) ?? made.flatMap((one) => ("wrong" in one ? [] : [one]));
}

/** Pushes an image under no tag, what is named before what names it, and reads it back as a build's is: only what was checked gets a name. */
async function pushUnnamed(image: NewImage, platform: Platform, { sources, world }: Scene): Promise<Found | Wrong> {
  const { wanted } = sources;
  const { repository } = wanted;
  const { registry } = world;
  for (const documents of [image.manifests, [image.index]]) {
    const blobs = documents === image.manifests ? image.blobs : [];
    const failed =
      (await firstFailure(
        blobs.map(({ bytes, descriptor }) => registry.putBlob(repository, bytes, descriptor.mediaType)),
      )) ??
      (await firstFailure(
        documents.map(({ bytes, descriptor }) =>
          registry.putManifest(repository, bytes, descriptor.mediaType, undefined),
        ),
      ));
    if (failed) return { wrong: `the registry did not take it: ${failed.words} (${failed.request})` };
  }
  const pinned = { ...repository, digest: image.index.descriptor.digest };
  const served = await patiently(() => registry.manifest(pinned), world);
  if (served.kind !== "found") return { wrong: `the registry does not serve it: ${served.words} (${served.request})` };
  const look = await verifyPlatform({ ...wanted, verify: "layers" }, platform, served.value, registry);
  const [found] = look.kind === "sound" ? look.found : [];
  if (found) return found;
  return { wrong: `it is not whole in the registry: ${look.kind === "damaged" ? look.what : "a part cannot be read"}` };
}

async function firstFailure(asked: readonly Promise<Answer<unknown>>[]): Promise<RegistryError | undefined> {
  return (await Promise.all(asked)).find((answer) => answer.kind !== "found");
}

/** From here on all is as after a build: other jobs may have been faster, and nobody's tag is put over. */
async function publishRelabelled(
  { reuse, alike }: Due,
  plan: Plan,
  made: readonly Made[],
  scene: Scene,
): Promise<Outcome> {
  const { world } = scene;
  const named = await Promise.all(made.map((one) => nameRelabelled(one, plan, scene)));
  const found = [...reuse, ...named.map((one) => one.found)];
  const spot = await openSpot(scene, plan);
  const { at, seconds: saved } = recordOf(alike.index);
  const toStore = planToStore(scene, plan, []);
  const pushing = pushPlan({ ...toStore, now: at ?? toStore.now, images: found }, spot, world);
  const { image, served, ...set } = await publish(scene, { found, built: [], pushing });
  world.log.info(`Pushed and read back: ${formatPinned(image)}`);
  return {
    result: "built",
    image: formatPinned(image),
    digest: image.digest,
    index: served,
    pushed: true,
    found: set.found,
    relabelled: named.map(({ found: { platform }, seconds }) => ({ platform, seconds })),
    ...(saved === undefined ? {} : { saved }),
  };
}

async function nameRelabelled({ found, seconds }: Made, plan: Plan, { sources, world }: Scene): Promise<Made> {
  const planned = plan.platforms.find(({ platform }) => formatPlatform(platform) === formatPlatform(found.platform));
  if (!planned) throw new Error(`there is no plan for ${formatPlatform(found.platform)}`);
  const spot = platformSpot(planned, plan, sources.wanted, undefined, world.registry);
  const other = await putTag(spot, found.index, lookForOther(spot, world), world);
  return { found: other?.found[0] ?? found, seconds };
}
