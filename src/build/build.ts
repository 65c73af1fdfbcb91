import { GO_VERSION_ARGUMENT, type Provenance } from "../arguments/offered.ts";
import type { BuildWarning } from "../buildx/rawjson.ts";
import { annotateWarnings } from "../buildx/warnings.ts";
import { declaredArgs } from "../dockerfile/stages.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { Binding } from "../plan/upstream.ts";
import { lookUpPlatform } from "../probe/probe.ts";
import { readCommit } from "../sources/commit.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import type { World } from "../world.ts";
import { runBuild, userDockerfile } from "./attempt.ts";
import { readBaseImages } from "./base.ts";
import { fetchFeatures } from "./feature-build.ts";
import { generatorOf, warnOfAttestations, withGenerator } from "./generator.ts";
import { type Layout, layOutBuild } from "./layout.ts";
import { isolate, openBuilders } from "./open-builders.ts";
import { readBack } from "./readback.ts";
import type { BuildTask, BuiltPlatform, PlatformTask } from "./task.ts";

/**
 * Builds every platform on its own, all at once, from the very content that was hashed and bound to the very digests that were probed;
 * pushes each under its own tag and reads it back.
 * @throws ActionError E_DOCKER, E_CHANGED, E_CONTEXT, E_REGISTRY before any build; E_BUILD, E_PUSH and what else buildx fails with from it.
 */
export async function buildPlatforms(task: BuildTask, world: World): Promise<BuiltPlatform[]> {
  const { sources, platforms } = task;
  const { withoutSecrets } = sources.build.arguments;
  if (withoutSecrets) throw withoutSecrets;
  const generator = generatorOf(task);
  warnOfAttestations(task, world.log);
  const env = await isolate(task, world);
  const opening = openBuilders(task, env, world);
  const preparing = prepare(task, generator, world);
  // A builder that is being made is waited for, so that it can be removed, whatever else went wrong.
  await Promise.allSettled([opening, preparing]);
  const [{ buildx, builders }, { bindings, commit, layout }] = [await opening, await preparing];
  const builds = platforms.map((platform) => {
    const builder = builders.forPlatform(platform);
    const its = { platform, bindings, generator: generator && nameForBuildKit(generator), layout, builder };
    return buildPlatform({ ...task, ...its, env: { ...env, ...layout.env }, buildx, commit }, world);
  });
  const ended = await Promise.allSettled(builds);
  const warnings = ended.flatMap((one) => (one.status === "fulfilled" ? one.value.warnings : []));
  for (const { text, at } of annotateWarnings(warnings, userDockerfile(sources))) world.log.warning(text, at);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return ended.flatMap((one) => (one.status === "fulfilled" ? [one.value.built] : []));
}

type Prepared = {
  readonly bindings: readonly Binding[];
  readonly commit: Provenance;
  readonly layout: Layout;
};

/** Reads what the builds need beyond what was probed, and lays it out. */
async function prepare(task: BuildTask, generator: Reference | undefined, world: World): Promise<Prepared> {
  const { sources, platforms } = task;
  const [bindings, bases, features, commit] = await Promise.all([
    withGenerator(generator, task.bindings, world.registry),
    readBaseImages(task, world.registry),
    fetchFeatures(task.features, task.ports),
    readCommit(world, declaredArgs(sources.build.dockerfile).has(GO_VERSION_ARGUMENT)),
  ]);
  const laidOut = { gathered: sources.build, platforms, bases, features, bindings };
  return { bindings, commit, layout: await layOutBuild(laidOut, world.files) };
}

type Ended = { readonly built: BuiltPlatform; readonly warnings: readonly BuildWarning[] };

async function buildPlatform(task: PlatformTask, world: World): Promise<Ended> {
  const { platform, sources, plan, output, rebuild } = task;
  const planned = plan?.platforms.find((one) => one.platform === platform);
  if (output.kind === "load" || planned === undefined) {
    const { seconds, warnings } = await runBuild(task, output.kind === "load" ? output.name : "", world);
    return { built: { platform, found: undefined, seconds, foundLate: false }, warnings };
  }
  const late = rebuild === "no" ? await lookUpPlatform(sources.wanted, planned, world.registry) : undefined;
  if (late?.kind === "sound" && late.found[0]) {
    world.log.info(`${formatPlatform(platform)}: another job has just pushed this image.`);
    output.onPushed({ platform, manifest: late.found[0].manifest, seconds: 0 });
    return { built: { platform, found: late.found[0], seconds: 0, foundLate: true }, warnings: [] };
  }
  const name = formatReference({ ...sources.wanted.repository, tag: planned.tag });
  const { metadata, generator, seconds, warnings } = await runBuild(task, name, world);
  const onServed = (manifest: Digest): void => output.onPushed({ platform, manifest, seconds });
  const found = await readBack({ ...task, generator, builder: task.builder.name, onServed }, metadata, world);
  return { built: { platform, found, seconds, foundLate: false }, warnings };
}
