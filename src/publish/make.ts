import type { buildPlatforms } from "../build/build.ts";
import type { Docker } from "../build/open-docker.ts";
import type { BuildTask, Built, PushedImage } from "../build/task.ts";
import { ActionError, asActionError } from "../errors.ts";
import type { InstalledFeature } from "../features/install.ts";
import { platformTag } from "../key/fingerprint.ts";
import { formatPlatform, type Platform, samePlatform } from "../oci/platform.ts";
import { formatPinned, formatReference } from "../oci/reference.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Sources } from "../plan/plan.ts";
import { resolveLater } from "../plan/upstream.ts";
import { adviseOn } from "../probe/advice.ts";
import type { Decision } from "../probe/decide.ts";
import { openSpot, planToStore, publish } from "./complete-set.ts";
import { gather } from "./gather.ts";
import { foundSoFar, type Outcome, type Scene } from "./outcome.ts";
import { pushPlan } from "./publish.ts";
import type { NotPushed } from "./push.ts";

/** Builds what is due: all of it into the cache repository, or where nothing may be pushed, the runner's own platform into its engine. */
export async function make(decision: Extract<Decision, { kind: "build" }>, scene: Scene): Promise<Outcome> {
  const { inputs, probed, beginning } = scene;
  // What would have to be fetched waits for the decision.
  if (inputs.build.buildxVersion === undefined) void beginning.docker();
  const [push, { buildPlatforms }] = await Promise.all([beginning.push(), beginning.code()]);
  const means = { docker: beginning.docker(), buildPlatforms };
  if (!push.push) return makeHere(scene, means, push);
  if (probed.plan) return makeThere(decision, probed.plan, scene, means);
  return makeHere(scene, means, {
    why: "without a sound key an image would never be found again",
    isRefused: false,
    fix: "Mend what could not be read, then run the job again: with a key the image is pushed.",
  });
}

type Means = { readonly docker: Promise<Docker>; readonly buildPlatforms: typeof buildPlatforms };

async function makeThere(
  { platforms, reuse }: Extract<Decision, { kind: "build" }>,
  plan: Plan,
  scene: Scene,
  means: Means,
): Promise<Outcome> {
  const { world } = scene;
  return world.log.group(`Building ${platforms.map(formatPlatform).join(", ")}`, async () => {
    const { docker } = means;
    const built = gather<Platform>(platforms);
    const images = gather<PushedImage>(platforms);
    const spot = openSpot(scene, plan);
    // The plan goes up while the images are read back, or while their builders still export layers; where it goes is asked beside what it will
    // say of them.
    const said = images.all.then((all) => ({ ...planToStore(scene, plan, all), images: [...reuse, ...all] }));
    const begun = Promise.race([built.all, images.all]);
    const pushing = Promise.all([spot, begun]).then(([its]) => pushPlan(said, its, world, built.all));
    // Where a build fails nobody waits for them.
    for (const one of [said, pushing]) one.catch(() => undefined);
    const output = {
      kind: "push",
      onBuilt: (platform: Platform) => built.tell(platform, platform),
      onPushed: (image: PushedImage) => images.tell(image.platform, image),
    } as const;
    const ended = await build({ ...taskOf(scene), docker, plan, platforms, ...boundTo(plan), output }, scene, means);
    images.close();
    if ("failed" in ended) return ended.failed;
    const { platforms: ours, naming, steps } = ended;
    const found = [...reuse, ...ours.flatMap((one) => (one.found ? [one.found] : []))];
    const publishing = publish(scene, { found, built: ours, pushing });
    // Neither is left half done where the other fails.
    await Promise.allSettled([publishing, naming]);
    const [{ image, served, ...published }] = [await publishing, await naming];
    world.log.info(`Pushed and read back: ${formatPinned(image)}`);
    return {
      result: "built",
      image: formatPinned(image),
      digest: image.digest,
      index: served,
      pushed: true,
      found: published.found,
      built: ours,
      steps,
    } satisfies Outcome;
  });
}

/** Builds for the runner's own platform only and loads the image into the engine: nothing leaves this machine. */
async function makeHere(scene: Scene, means: Means, notPushed: NotPushed): Promise<Outcome> {
  const { why, isRefused, fix } = notPushed;
  const {
    inputs,
    sources,
    probed: { plan },
    world,
  } = scene;
  refuseUnreadable(sources);
  const platform = inputs.platforms.find((one) => formatPlatform(one) === world.host.platform) ?? inputs.platforms[0];
  if (!platform) throw new Error("there is no platform to build for");
  world.log.warning(
    `The image will be built for ${formatPlatform(platform)} and only be loaded into the local engine, where no other job can pull it: ${why}.${isRefused ? ` ${fix}` : ""}`,
  );
  const key = plan?.platforms.find((one) => samePlatform(one.platform, platform))?.key ?? sources.wanted.sourceKey;
  const name = formatReference({ ...inputs.cacheRepository, tag: platformTag(key, platform) });
  return world.log.group(`Building ${formatPlatform(platform)}`, async () => {
    const task = {
      ...taskOf(scene),
      docker: means.docker,
      plan,
      platforms: [platform],
      ...(plan ? boundTo(plan) : { bindings: [], addresses: [], features: await featuresWithoutPlan(scene) }),
      output: { kind: "load", name },
    } as const;
    const ended = await build(task, scene, means);
    if ("failed" in ended) return ended.failed;
    world.log.info(`Loaded into the local engine: ${name}`);
    return {
      result: "built",
      localImage: name,
      notPushed,
      built: ended.platforms,
      steps: ended.steps,
      missing: inputs.platforms.filter((one) => one !== platform),
    } satisfies Outcome;
  });
}

function taskOf({
  inputs,
  sources,
  bases,
  ports,
  probed: { tooOld },
}: Scene): Pick<BuildTask, "inputs" | "sources" | "bases" | "ports" | "rebuild"> {
  return { inputs, sources, bases, ports, rebuild: tooOld ? "fresh" : inputs.force ? "cached" : "no" };
}

type Ended = Built | { readonly failed: Outcome };

async function build(task: BuildTask, scene: Scene, { buildPlatforms }: Means): Promise<Ended> {
  try {
    const ended = await buildPlatforms(task, scene.world);
    return ended.failure === undefined ? ended : { failed: failedOutcome(ended.failure, ended, scene) };
  } catch (error) {
    return { failed: failedOutcome(asActionError(error), { platforms: [], steps: [] }, scene) };
  }
}

/** What was built beside a platform that failed is there. Only what a build itself fails with can be forgiven, and never a fault of ours. */
function failedOutcome(
  failure: ActionError,
  { platforms: built, steps }: Pick<Built, "platforms" | "steps">,
  scene: Scene,
): Outcome {
  const { exitOnBuildFailure, fallbackImage: image } = scene.inputs;
  const isForgiven = !exitOnBuildFailure && image !== undefined && failure.code !== "E_BUG";
  const { found = [], missing = [] } = foundSoFar(scene);
  const isBuilt = (platform: Platform): boolean => built.some((one) => one.platform === platform && one.found);
  return {
    result: "failed",
    found: [
      ...found.filter(({ platform }) => !isBuilt(platform)),
      ...built.flatMap((one) => (one.found === undefined ? [] : [one.found])),
    ],
    missing: missing.filter((platform) => !isBuilt(platform)),
    built,
    steps,
    ...(isForgiven ? { image, isFallback: true } : {}),
    failure,
  };
}

/** What nobody could read, nobody can build. */
function refuseUnreadable({ build, wanted: { doubt } }: Sources): void {
  if (!build.definition.isIncomplete || doubt?.kind !== "plan") return;
  const { what, fix, at } = doubt;
  throw new ActionError("E_CONFIG", { what: `${what}, and it cannot be built here.`, fix, ...(at ? { at } : {}) });
}

function boundTo({ bindings, addresses, features }: Plan): Pick<BuildTask, "bindings" | "addresses" | "features"> {
  return { bindings, addresses, features };
}

/** Where the key could not be had, something else than the features may have been the reason. */
async function featuresWithoutPlan({ sources: { wanted }, ports }: Scene): Promise<readonly InstalledFeature[]> {
  if (!wanted.features) return [];
  const resolved = await resolveLater(wanted.features, ports);
  if (resolved.kind === "resolved") return resolved.features;
  const { what, error } = resolved;
  throw new ActionError("E_REGISTRY", {
    what: `${what} cannot be read: ${error.words} (${error.request}).`,
    fix: adviseOn(error, "Check its name, and log in to its registry before this action."),
    cause: error,
  });
}
