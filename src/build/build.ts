import { GO_VERSION_ARGUMENT, type Provenance } from "../arguments/offered.ts";
import type { BuildWarning } from "../buildx/rawjson.ts";
import { annotateWarnings } from "../buildx/warnings.ts";
import { openArgs } from "../dockerfile/open-args.ts";
import { asActionError, joinErrors } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import type { Plan, PlannedPlatform } from "../plan/keyed.ts";
import type { Binding } from "../plan/upstream.ts";
import { readCommit } from "../sources/commit.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import type { Log, Registry, World } from "../world.ts";
import { pinAddresses } from "./addresses.ts";
import { runBuild, secondsSince, userDockerfile } from "./attempt.ts";
import { readBaseImages } from "./base.ts";
import { type Look, lookForOther, platformSpot, putTag } from "./claim.ts";
import { fetchFeatures } from "./feature-build.ts";
import { judgeFeatures } from "./feature-leaks.ts";
import { generatorOf, warnOfAttestations, withGenerator } from "./generator.ts";
import { type LayerCaches, tellLayerCaches } from "./layer-caches.ts";
import { type Layout, layOutBuild } from "./layout.ts";
import { type LookAgain, lookAgain } from "./look-again.ts";
import { openBuilders } from "./open-builders.ts";
import { namePush } from "./push-name.ts";
import { openEarlyReadings } from "./readback.ts";
import type { BuildTask, Built, BuiltPlatform, PlatformSteps, PlatformTask, PushOutput } from "./task.ts";

/**
 * Builds every platform on its own, all at once, from the very content that was hashed and bound to the very digests that were probed;
 * pushes each, reads it back by its digest, and puts its tag when it has been checked.
 * @returns what was built, and why the others failed: E_BUILD, E_PUSH and what else buildx fails with.
 * @throws ActionError E_DOCKER, E_CHANGED, E_CONTEXT, E_REGISTRY before any build.
 */
export async function buildPlatforms(task: BuildTask, world: World): Promise<Built> {
  const { sources, platforms } = task;
  const { withoutSecrets } = sources.build.arguments;
  if (withoutSecrets) throw withoutSecrets;
  const generator = generatorOf(task);
  warnOfAttestations(task, world.log);
  tellLeftCaches(task, world.log);
  const opening = task.docker.then((docker) => openBuilders(task, docker, world));
  const preparing = prepare(task, generator, world);
  const again = lookAgain(task, world);
  // A builder that is being made is waited for, so that it can be removed, whatever else went wrong.
  await Promise.allSettled([opening, preparing]);
  const [{ buildx, builders, env }, { bindings, commit, layout }] = [await opening, await preparing];
  const record = openRecord();
  const builds = platforms.map((platform) => {
    const builder = builders.forPlatform(platform);
    const onSteps = record.listen(platform);
    const its = { platform, bindings, generator: generator && nameForBuildKit(generator), layout, builder, onSteps };
    return buildPlatform({ ...task, ...its, env: { ...env, ...layout.env }, buildx, commit }, again, world);
  });
  const ended = await Promise.allSettled(builds);
  world.files.discard(layout.folder);
  const warnings = ended.flatMap((one) => (one.status === "fulfilled" ? one.value.warnings : []));
  for (const { text, at } of annotateWarnings(warnings, userDockerfile(sources, layout))) world.log.warning(text, at);
  const caches = ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  tellLayerCaches(
    caches.map(({ built: { platform }, lostCache, refusedCaches }) => ({ platform, lostCache, refusedCaches })),
    world.log,
  );
  const failure = joinErrors(ended.flatMap((one) => (one.status === "rejected" ? [asActionError(one.reason)] : [])));
  const naming = Promise.all(ended.map((one) => (one.status === "fulfilled" ? one.value.naming : undefined)));
  naming.catch(() => undefined);
  // What was built beside one that failed is found by the next run.
  if (failure) await naming.catch(() => undefined);
  const built = ended.flatMap((one) => (one.status === "fulfilled" ? [one.value.built] : []));
  return { platforms: built, steps: record.all(), naming, failure };
}

/**
 * Of a platform that was built more than once the first attempt counts: the next ones had its cache. All stand in the order in which they
 * were listened to, whichever ended first.
 */
function openRecord(): {
  readonly listen: (platform: Platform) => PlatformTask["onSteps"];
  readonly all: () => readonly PlatformSteps[];
} {
  const heard = new Map<Platform, PlatformSteps["steps"] | undefined>();
  return {
    listen: (platform) => {
      heard.set(platform, undefined);
      return (steps) => heard.set(platform, heard.get(platform) ?? steps);
    },
    all: () => [...heard].flatMap(([platform, steps]) => (steps === undefined ? [] : [{ platform, steps }])),
  };
}

/**
 * A layer cache decides what is built, and what a commit calls one can be changed by whoever may push there, after that commit or before
 * it: no key sees it. What goes to everybody is built without.
 */
function tellLeftCaches({ sources, output }: BuildTask, log: World["log"]): void {
  const { cacheFrom } = sources.build.definition;
  if (output.kind === "load" || cacheFrom.length === 0) return;
  log.info(
    `The layer caches that the configuration names (cacheFrom) are not read for an image that is pushed: the cache beside the image is, or what the input cache-from names.`,
  );
}

type Prepared = {
  readonly bindings: readonly Binding[];
  readonly commit: Provenance;
  readonly layout: Layout;
};

/** Reads what the builds need beyond what was probed, and lays it out. */
async function prepare(task: BuildTask, generator: Reference | undefined, world: World): Promise<Prepared> {
  const { sources, platforms } = task;
  const [bindings, bases, features, commit, pins] = await Promise.all([
    withGenerator(generator, task.bindings, world.registry),
    readBaseImages(task, world.registry),
    fetchFeatures(task.features, task.ports),
    readCommit(world, openArgs(sources.build.dockerfile).has(GO_VERSION_ARGUMENT)),
    pinAddresses(task.addresses, world.registry),
  ]);
  judgeFeatures(
    features.map(({ feature }) => feature),
    task,
    world.log,
  );
  const laidOut = { gathered: sources.build, platforms, bases, features, bindings, pins };
  return { bindings, commit, layout: await layOutBuild(laidOut, world.files) };
}

const NO_CACHES: LayerCaches = { lostCache: undefined, refusedCaches: [] };

type Ended = LayerCaches & {
  readonly built: BuiltPlatform;
  readonly warnings: readonly BuildWarning[];
  readonly naming?: Promise<unknown>;
};

async function buildPlatform(task: PlatformTask, again: LookAgain, world: World): Promise<Ended> {
  const { platform, plan, output } = task;
  const planned = plan?.platforms.find((one) => one.platform === platform);
  if (output.kind === "push" && plan && planned) return buildAndPush({ ...task, plan, output }, planned, again, world);
  const { seconds, warnings, lostCache, refusedCaches } = await runBuild(
    task,
    output.kind === "load" ? output.name : "",
    world,
  );
  return { built: { platform, found: undefined, seconds, foundLate: false }, warnings, lostCache, refusedCaches };
}

async function buildAndPush(
  task: PlatformTask & { readonly plan: Plan; readonly output: PushOutput },
  planned: PlannedPlatform,
  again: LookAgain,
  world: World,
): Promise<Ended> {
  const { platform, sources, plan, output } = task;
  const late = await again(planned);
  if (late) {
    tellFaster(platform, world.log);
    output.onBuilt(platform);
    output.onPushed({ platform, manifest: late.manifest, seconds: 0 });
    return { built: { platform, found: late, seconds: 0, foundLate: true }, warnings: [], ...NO_CACHES };
  }
  const standing = standingOf(task, planned, world.registry);
  const push = namePush(task, world);
  const readings = openEarlyReadings(world);
  const started = world.clock();
  const its = { ...task, builder: task.builder.name };
  const onExported = (digest: Digest): void => {
    const onServed = (manifest: Digest): void =>
      output.onPushed({ platform, manifest, seconds: secondsSince(started, world) });
    readings.begin({ ...its, onServed }, digest);
  };
  const run = await runBuild({ ...task, onExported }, push.name, world);
  const { metadata, generator, seconds, warnings, lostCache, refusedCaches } = run;
  output.onBuilt(platform);
  const spot = platformSpot(planned, plan, sources.wanted, await standing, world.registry);
  const looks: Look[] = [];
  const onServed = (manifest: Digest): void => {
    output.onPushed({ platform, manifest, seconds });
    looks.push(lookForOther(spot, world));
  };
  const pushed = await readings.end({ ...its, generator, onServed }, metadata);
  const look = looks[0] ?? lookForOther(spot, world);
  const other = (await look.other)?.found[0];
  if (other) tellFaster(platform, world.log);
  const naming = other ? Promise.resolve() : putTag(spot, pushed.index, look, world);
  return {
    built: { platform, found: other ?? pushed, seconds, foundLate: other !== undefined },
    warnings,
    lostCache,
    refusedCaches,
    naming: naming.finally(push.drop),
  };
}

/** What a platform's tag names that is to be built over: that is no faster job's. */
async function standingOf(
  { rebuild, sources }: PlatformTask,
  { tag }: PlannedPlatform,
  registry: Registry,
): Promise<Digest | undefined> {
  const answer = rebuild === "no" ? undefined : await registry.describe({ ...sources.wanted.repository, tag });
  return answer?.kind === "found" ? answer.value.digest : undefined;
}

function tellFaster(platform: Platform, { info }: Log): void {
  info(`${formatPlatform(platform)}: another job has just pushed this image.`);
}
