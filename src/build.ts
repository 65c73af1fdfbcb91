import { offeredArguments, type Provenance } from "./arguments/offered.ts";
import { readBaseImages } from "./base.ts";
import { builderNetwork } from "./builder-network.ts";
import { buildxArguments, tooLongArgument } from "./buildx/args.ts";
import { abilitiesOf, type Builder } from "./buildx/builder.ts";
import { type Builders, chooseBuilders, type WantedBuilders } from "./buildx/builders.ts";
import type { Entitlement } from "./buildx/buildkitd.ts";
import { type Buildx, openBuildx } from "./buildx/buildx.ts";
import { fetchBuildx } from "./buildx/buildx-release.ts";
import { cacheArguments } from "./buildx/cache.ts";
import { explainFailure, isServersFault, isTooLargeSbom, type UserDockerfile } from "./buildx/failure.ts";
import { isolateDockerConfiguration, type KnownLogin, needsHubLogin } from "./buildx/isolation.ts";
import { type BuildEnd, openProgress } from "./buildx/progress.ts";
import type { BuildWarning } from "./buildx/rawjson.ts";
import { hideValues } from "./buildx/redact.ts";
import { annotateWarnings } from "./buildx/warnings.ts";
import { commitLabels, readCommit } from "./commit.ts";
import { METADATA_LABEL } from "./devcontainer/label.ts";
import { formatOption } from "./devcontainer/options.ts";
import { declaredArgs } from "./dockerfile/stages.ts";
import { ActionError } from "./errors.ts";
import { fetchFeatures } from "./feature-build.ts";
import type { FeaturePorts } from "./features/found.ts";
import type { InstalledFeature } from "./features/install.ts";
import { generatorOf, warnOfAttestations, withGenerator } from "./generator.ts";
import type { Inputs } from "./inputs.ts";
import { type Layout, layOutBuild } from "./layout.ts";
import { formatPlatform, type Platform, platformSlug } from "./oci/platform.ts";
import { formatReference, type Repository } from "./oci/reference.ts";
import type { Sources } from "./plan.ts";
import { type Found, lookUpPlatform, type Plan } from "./probe.ts";
import { cacheBeside } from "./publish.ts";
import { readBack } from "./readback.ts";
import { type Binding, nameForBuildKit } from "./upstream.ts";
import type { World } from "./world.ts";

/** What is to be built: without a plan there is no key, and what has no key is never pushed. */
export type BuildTask = {
  readonly inputs: Inputs;
  readonly sources: Sources;
  readonly plan: Plan | undefined;
  readonly platforms: readonly Platform[];
  readonly bindings: readonly Binding[];
  /** In the order of installation, and what fetching them may ask of the world. */
  readonly features: readonly InstalledFeature[];
  readonly ports: FeaturePorts;
  readonly output: { readonly kind: "push" } | { readonly kind: "load"; readonly name: string };
  readonly rebuild: Rebuild;
};

/** Whether what stands under a platform's tag is built over, and if so, with the layer cache or without. */
export type Rebuild = "no" | "cached" | "fresh";

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
 * @throws ActionError E_DOCKER, E_CHANGED, E_CONTEXT, E_REGISTRY before any build; E_BUILD, E_PUSH and what else buildx fails with from it.
 */
export async function buildPlatforms(task: BuildTask, world: World): Promise<BuiltPlatform[]> {
  const { sources, platforms } = task;
  const generator = generatorOf(task);
  warnOfAttestations(task, world.log);
  const env = await isolate(task, world);
  const [{ buildx, builders }, bindings, bases, features, commit] = await Promise.all([
    openBuilders(task, env, world),
    withGenerator(generator, task.bindings, world.registry),
    readBaseImages(task, world.registry),
    fetchFeatures(task.features, task.ports),
    readCommit(world),
  ]);
  const layout = await layOutBuild({ gathered: sources.build, platforms, bases, features, bindings }, world.files);
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

/** Everything that the build reads or pushes, what is pushed to first. */
function namesOf(task: BuildTask): readonly Repository[] {
  const { repository, platforms } = task.sources.wanted;
  const generator = generatorOf(task);
  const images = platforms.flatMap((one) => one.images.map(({ reference }) => reference));
  return [repository, ...images, ...(generator ? [generator] : [])];
}

/** A Docker configuration that knows only the registries of this build. */
async function isolate(
  task: BuildTask,
  { files, host, credentials }: World,
): Promise<Readonly<Record<string, string>>> {
  const { inputs } = task;
  const folder = await files.temporaryFolder("docker");
  const { builder, builders } = inputs.build;
  const named = [...(builder === undefined ? [] : [builder]), ...builders.values()];
  const cloud = (await needsHubLogin(files, host.env, named)) ? [HUB] : [];
  const mirrors = inputs.mirrors.map(({ registry, prefix }) => ({ registry, repository: prefix }));
  const logins = [...namesOf(task), ...mirrors, ...cloud].map(async (name): Promise<KnownLogin> => {
    return { name, login: await credentials(name) };
  });
  return isolateDockerConfiguration(files, host.env, folder, await Promise.all(logins));
}

/** What stands for Docker Hub where only the login matters. */
const HUB: Repository = { registry: "docker.io", repository: "library/scratch" };

async function openBuilders(
  task: BuildTask,
  env: Readonly<Record<string, string>>,
  world: World,
): Promise<{ readonly buildx: Buildx; readonly builders: Builders }> {
  const { sources, inputs, platforms, output } = task;
  const { buildxVersion, builder, builders, buildkitImage, builderRestart } = inputs.build;
  const fetched = buildxVersion === undefined ? undefined : await fetchBuildx(buildxVersion, world);
  const buildx = await openBuildx({ exec: world.exec, env: { ...world.host.env, ...env } }, fetched);
  const wanted: WantedBuilders = {
    platforms,
    push: output.kind === "push",
    name: builder,
    byPlatform: builders,
    image: buildkitImage,
    restart: builderRestart,
    network: await builderNetwork(inputs, namesOf(task), world),
    entitlements: entitlementsOf(sources),
  };
  const site = { ...world, env: { ...world.host.env, ...env }, buildx };
  return { buildx, builders: await chooseBuilders(wanted, site) };
}

/** What the options of the build ask for that a builder has to be allowed. */
function entitlementsOf({ build: { definition } }: Sources): readonly Entitlement[] {
  const asks = (name: string, value: string): boolean =>
    definition.counted.some((option) => option.name === name && option.value === value);
  return [
    ...(asks("network", "host") || asks("allow", "network.host") ? ["network.host" as const] : []),
    ...(asks("allow", "security.insecure") ? ["security.insecure" as const] : []),
  ];
}

/** Only its own lines can be told to the user; a Dockerfile of ours has none. */
function userDockerfile({ build: { file, dockerfileText } }: Sources): UserDockerfile | undefined {
  return file === undefined ? undefined : { file, lastLine: dockerfileText.split("\n").length };
}

type PlatformTask = BuildTask & {
  readonly platform: Platform;
  /** The name of the image that makes the SBOM; nothing where there is to be none. */
  readonly generator: string | undefined;
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  readonly buildx: Buildx;
  readonly builder: Builder;
  readonly commit: Provenance;
};

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
    return { built: { platform, found: late.found[0], seconds: 0, foundLate: true }, warnings: [] };
  }
  const name = formatReference({ ...sources.wanted.repository, tag: planned.tag });
  const { metadata, generator, seconds, warnings } = await runBuild(task, name, world);
  const found = await readBack({ ...task, generator, builder: task.builder.name }, metadata, world);
  return { built: { platform, found, seconds, foundLate: false }, warnings };
}

type Run = {
  readonly metadata: string;
  /** As it was used in the end. */
  readonly generator: string | undefined;
  readonly seconds: number;
  readonly warnings: readonly BuildWarning[];
};

/** What is pushed or loaded, and where buildx writes down what became of it. */
type Target = { readonly name: string; readonly metadataFile: string };

async function runBuild(task: PlatformTask, name: string, world: World): Promise<Run> {
  const { platform, sources, layout } = task;
  const title = formatPlatform(platform);
  const metadataFile = `${layout.folder}/metadata-${platformSlug(platform)}.json`;
  const target = { name, metadataFile };
  for (const warning of argumentsOf(task, target, world).warnings) world.log.warning(warning);
  const started = world.clock();
  const { code, end, generator } = await tryWithSbom(task, target, world);
  if (code !== 0) throw explainFailure(end.failure, { platform: title, dockerfile: userDockerfile(sources), code });
  const seconds = Math.round((world.clock() - started) / 100) / 10;
  return { metadata: (await world.files.readText(metadataFile)) ?? "", generator, seconds, warnings: end.warnings };
}

function argumentsOf(
  { platform, sources, layout, inputs, output, builder, commit, generator, rebuild }: PlatformTask,
  { name, metadataFile }: Target,
  { host }: World,
): { readonly args: readonly string[]; readonly warnings: readonly string[] } {
  const { definition, arguments: told } = sources.build;
  const laidOut = layout.platforms.get(formatPlatform(platform));
  if (!laidOut) throw new Error(`nothing was laid out for ${formatPlatform(platform)}`);
  const { label } = laidOut;
  const isFresh = inputs.build.noCache || rebuild === "fresh";
  const cache = cacheArguments({
    platform,
    from: inputs.build.cacheFrom,
    to: inputs.build.cacheTo,
    beside: cacheBeside(sources, inputs, host.event),
    mayExport: output.kind === "push" && !host.event.isPullRequest && abilitiesOf(builder).exportCache,
    isFresh,
    env: host.env,
  });
  const args = buildxArguments({
    builder: builder.name,
    platform,
    contextFolder: `${layout.folder}/context`,
    dockerfile: laidOut.dockerfile,
    target: laidOut.target,
    buildArgs: { ...offeredTo(sources, commit), ...told.args, ...told.uncounted },
    labels: { ...commitLabels(commit), ...(label === undefined ? {} : { [METADATA_LABEL]: label }) },
    cacheFrom: definition.cacheFrom,
    contexts: laidOut.contexts,
    options: [
      ...cache.args,
      ...(isFresh ? ["--no-cache"] : []),
      ...[...definition.counted, ...definition.uncounted].map(formatOption),
      ...told.secretOptions,
    ],
    metadataFile,
    output: { kind: output.kind, name, provenance: inputs.attestations.provenance, generator },
  });
  const tooLong = tooLongArgument(args);
  if (tooLong === undefined) return { args, warnings: cache.warnings };
  throw new ActionError("E_CONFIG", {
    what: `A build arg or the metadata label is longer than the system lets a program take (128 KiB): ${tooLong}…`,
    fix: "Shorten it, or put its content into a file of the build context.",
  });
}

/** What tells of the commit, for a Dockerfile that declares it and a user that did not say it. */
function offeredTo({ build }: Sources, commit: Provenance): Readonly<Record<string, string>> {
  const declared = declaredArgs(build.dockerfile);
  return Object.fromEntries([...offeredArguments(commit)].filter(([name]) => declared.has(name)));
}

type Attempt = { readonly code: number; readonly end: BuildEnd; readonly generator: string | undefined };

/** Once more without an SBOM where that is too large for BuildKit and nobody insists on it. */
async function tryWithSbom(task: PlatformTask, target: Target, world: World): Promise<Attempt> {
  const attempt = await tryFairly(task, target, world);
  const mayGoWithout = task.generator !== undefined && !task.inputs.attestations.required.includes("sbom");
  if (attempt.code === 0 || !mayGoWithout || !isTooLargeSbom(attempt.end.failure)) return attempt;
  world.log.warning(
    `${formatPlatform(task.platform)}: the SBOM is larger than this BuildKit lets through, so the image is built without one. BuildKit 0.33 takes 80 MiB; a generator that lists fewer files helps too.`,
  );
  return tryFairly({ ...task, generator: undefined }, target, world);
}

/** Once more where the registry failed while the image was pushed, for then everything is in BuildKit's cache. */
async function tryFairly(task: PlatformTask, target: Target, world: World): Promise<Attempt> {
  const { args } = argumentsOf(task, target, world);
  const attempt = await tryBuild(task, args, world);
  if (attempt.code === 0 || !isServersFault(attempt.end.failure)) return attempt;
  const title = formatPlatform(task.platform);
  world.log.info(`[${title}] The registry failed while the image was pushed; once more, from BuildKit's cache.`);
  return tryBuild(task, args, world);
}

async function tryBuild(
  { platform, sources, env, buildx, generator }: PlatformTask,
  args: readonly string[],
  world: World,
): Promise<Attempt> {
  const { args: counted, uncounted } = sources.build.arguments;
  const redact = hideValues({ ...counted, ...uncounted });
  const progress = openProgress({ title: formatPlatform(platform), clock: world.clock, redact });
  const wantsAll = world.host.env.RUNNER_DEBUG === "1";
  const finished = await world.exec(buildx.program, [...buildx.prefix, ...args], {
    env,
    onLine: (line) => {
      if (wantsAll) world.log.debug(redact(line));
      for (const told of progress.line(line)) world.log.info(told);
    },
  });
  const end = progress.end();
  for (const told of end.lines) world.log.info(told);
  return { code: finished?.code ?? 1, end, generator };
}
