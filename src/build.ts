import { readBaseImages } from "./base.ts";
import { buildxArguments, tooLongArgument } from "./buildx/args.ts";
import { type Builder, findBuilder } from "./buildx/builder.ts";
import { explainBuildFailure, isPassing } from "./buildx/failure.ts";
import { isolateDockerConfiguration, type KnownLogin } from "./buildx/isolation.ts";
import { METADATA_LABEL } from "./devcontainer/label.ts";
import { formatOption } from "./devcontainer/options.ts";
import { ActionError } from "./errors.ts";
import { fetchFeatures } from "./feature-build.ts";
import type { FeaturePorts } from "./features/found.ts";
import type { InstalledFeature } from "./features/install.ts";
import { type Layout, layOutBuild } from "./layout.ts";
import { formatPlatform, type Platform, platformSlug } from "./oci/platform.ts";
import { formatReference } from "./oci/reference.ts";
import type { Sources } from "./plan.ts";
import { type Found, lookUpPlatform, type Plan } from "./probe.ts";
import { readBack } from "./readback.ts";
import type { Binding } from "./upstream.ts";
import type { World } from "./world.ts";

/** What is to be built: without a plan there is no key, and what has no key is never pushed. */
export type BuildTask = {
  readonly sources: Sources;
  readonly plan: Plan | undefined;
  readonly platforms: readonly Platform[];
  readonly bindings: readonly Binding[];
  /** In the order of installation, and what fetching them may ask of the world. */
  readonly features: readonly InstalledFeature[];
  readonly ports: FeaturePorts;
  readonly output: { readonly kind: "push" } | { readonly kind: "load"; readonly name: string };
};

export type BuiltPlatform = {
  readonly platform: Platform;
  /** Missing where the image was only loaded into the local engine. */
  readonly found: Found | undefined;
  readonly seconds: number;
  /** Another job had pushed the image when this one was about to build it. */
  readonly foundLate: boolean;
};

/**
 * Builds every platform on its own, all at once, from the very content that was hashed and bound to the very digests that were probed;
 * pushes each under its own tag and reads it back.
 * @throws ActionError E_DOCKER, E_CHANGED, E_CONTEXT before any build; E_BUILD, E_PUSH from it.
 */
export async function buildPlatforms(task: BuildTask, world: World): Promise<BuiltPlatform[]> {
  const env = await isolate(task, world);
  const builder = await findBuilder(world.exec, env, task.platforms, task.output.kind === "push");
  world.log.info(`Builder ${builder.name} (${builder.driver}).`);
  const [bases, features] = await Promise.all([
    readBaseImages(task, world.registry),
    fetchFeatures(task.features, task.ports),
  ]);
  const { sources, platforms, bindings } = task;
  const layout = await layOutBuild({ gathered: sources.build, platforms, bases, features, bindings }, world.files);
  const builds = platforms.map((platform) =>
    buildPlatform({ ...task, platform, layout, env: { ...env, ...layout.env }, builder }, world),
  );
  const ended = await Promise.allSettled(builds);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/** A Docker configuration that knows only the registries of this build. */
async function isolate(task: BuildTask, world: World): Promise<Readonly<Record<string, string>>> {
  const folder = await world.files.temporaryFolder("docker");
  const images = task.sources.wanted.platforms.flatMap((one) => one.images.map(({ reference }) => reference));
  const repositories = [task.sources.wanted.repository, ...images];
  const logins: KnownLogin[] = [];
  for (const name of repositories) logins.push({ name, login: await world.credentials(name) });
  return isolateDockerConfiguration(world.files, world.host.env, folder, logins);
}

type PlatformTask = BuildTask & {
  readonly platform: Platform;
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  readonly builder: Builder;
};

async function buildPlatform(task: PlatformTask, world: World): Promise<BuiltPlatform> {
  const { platform, sources, plan, output } = task;
  const planned = plan?.platforms.find((one) => one.platform === platform);
  if (output.kind === "load" || planned === undefined) {
    const seconds = await runBuildx(task, output.kind === "load" ? output.name : "", world);
    return { platform, found: undefined, seconds: seconds.seconds, foundLate: false };
  }
  const late = await lookUpPlatform(sources.wanted, planned, world.registry);
  if (late.kind === "sound" && late.found[0]) {
    world.log.info(`${formatPlatform(platform)}: another job has just pushed this image.`);
    return { platform, found: late.found[0], seconds: 0, foundLate: true };
  }
  const name = formatReference({ ...sources.wanted.repository, tag: planned.tag });
  const built = await runBuildx(task, name, world);
  return {
    platform,
    found: await readBack({ ...task, builder: task.builder.name }, built.metadata, world),
    seconds: built.seconds,
    foundLate: false,
  };
}

async function runBuildx(
  task: PlatformTask,
  name: string,
  world: World,
): Promise<{ readonly metadata: string; readonly seconds: number }> {
  const { platform, sources, layout } = task;
  const title = formatPlatform(platform);
  const metadataFile = `${layout.folder}/metadata-${platformSlug(platform)}.json`;
  const { definition } = sources.build;
  const laidOut = layout.platforms.get(title);
  if (!laidOut) throw new Error(`nothing was laid out for ${title}`);
  const { label } = laidOut;
  const args = buildxArguments({
    platform,
    contextFolder: `${layout.folder}/context`,
    dockerfile: laidOut.dockerfile,
    target: laidOut.target,
    buildArgs: { ...sources.build.args, ...sources.build.uncounted },
    labels: label === undefined ? {} : { [METADATA_LABEL]: label },
    cacheFrom: definition.cacheFrom,
    contexts: laidOut.contexts,
    options: [...definition.counted, ...definition.uncounted].map(formatOption),
    metadataFile,
    output: { kind: task.output.kind, name },
  });
  const tooLong = tooLongArgument(args);
  if (tooLong !== undefined)
    throw new ActionError("E_CONFIG", {
      what: `A build arg or the metadata label is longer than the system lets a program take (128 KiB): ${tooLong}…`,
      fix: "Shorten it, or put its content into a file of the build context.",
    });
  const started = world.clock();
  const build = () => world.exec("docker", args, { env: task.env, onLine: (line) => tellProgress(title, line, world) });
  let finished = await build();
  if (finished !== undefined && finished.code !== 0 && isPassing(finished.stderr)) {
    world.log.info(`[${title}] The registry failed while the image was pushed; once more, from BuildKit's cache.`);
    finished = await build();
  }
  const seconds = Math.round((world.clock() - started) / 100) / 10;
  if (finished?.code !== 0) throw explainBuildFailure(title, finished?.stderr ?? "", sources.places.dockerfile);
  return { metadata: (await world.files.readText(metadataFile)) ?? "", seconds };
}

function tellProgress(title: string, line: string, { log }: World): void {
  if (line.trim() !== "") log.info(`[${title}] ${line}`);
}
