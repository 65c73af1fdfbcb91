import { offeredArguments, type Provenance } from "../arguments/offered.ts";
import { buildxArguments, tooLongArgument } from "../buildx/args.ts";
import { abilitiesOf } from "../buildx/builder.ts";
import { cacheArguments, formatCacheEntry } from "../buildx/cache.ts";
import { explainFailure, isServersFault, isTooLargeSbom, type UserDockerfile } from "../buildx/failure.ts";
import { type BuildEnd, openProgress } from "../buildx/progress.ts";
import type { BuildWarning } from "../buildx/rawjson.ts";
import { hideValues } from "../buildx/redact.ts";
import { METADATA_LABEL } from "../devcontainer/label.ts";
import { formatOption } from "../devcontainer/options.ts";
import { writtenLabels } from "../dockerfile/labels.ts";
import { openArgs } from "../dockerfile/open-args.ts";
import { ActionError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, platformSlug } from "../oci/platform.ts";
import { nameGenerated, placeOfStep } from "../plan/generated-names.ts";
import type { Sources } from "../plan/plan.ts";
import type { FeatureStep } from "../plan/recipe.ts";
import { commitLabels } from "../sources/commit.ts";
import { grantedOptions } from "../sources/rights.ts";
import { scopeOf } from "../sources/scopes.ts";
import type { EndedBy, World } from "../world.ts";
import { changedMeanwhile } from "./addresses.ts";
import { cacheBeside } from "./branch-cache.ts";
import { stepsOf } from "./feature-build.ts";
import type { PlatformTask } from "./task.ts";

/** Only its own lines can be told to the user, of which those behind the target may be left out; a Dockerfile of ours has none. */
export function userDockerfile(
  { build: { file, dockerfile } }: Pick<Sources, "build">,
  { platforms }: Pick<PlatformTask["layout"], "platforms">,
): UserDockerfile | undefined {
  if (file === undefined) return undefined;
  const lastLine = Math.min(...[...platforms.values()].map(({ ownLines }) => ownLines));
  return { file, firstLine: dockerfile.firstLine, lastLine };
}

/** What came of a build. */
export type Run = {
  readonly metadata: string;
  /** As it was used in the end. */
  readonly generator: string | undefined;
  readonly seconds: number;
  readonly warnings: readonly BuildWarning[];
  /** Why its layer cache was not exported, where that went wrong. */
  readonly lostCache: string | undefined;
  /** Layer caches that could not be read. */
  readonly refusedCaches: BuildEnd["refusedCaches"];
};

/** With one digit after the point. */
export function secondsSince(started: number, { clock }: Pick<World, "clock">): number {
  return Math.round((clock() - started) / 100) / 10;
}

/** What is pushed or loaded, and where buildx writes down what became of it. */
type Target = { readonly name: string; readonly metadataFile: string };

/**
 * Runs one platform's build, again where that is fair.
 * @param name under which the image is pushed or loaded.
 * @throws ActionError for a build that fails, with what to do.
 */
export async function runBuild(task: PlatformTask, name: string, world: World): Promise<Run> {
  const { platform, sources, layout } = task;
  const title = formatPlatform(platform);
  const metadataFile = `${layout.folder}/metadata-${platformSlug(platform)}.json`;
  const target = { name, metadataFile };
  for (const warning of argumentsOf(task, target, world).warnings) world.log.warning(warning);
  const started = world.clock();
  const { code, endedBy, end, generator } = await tryWithSbom(task, target, world);
  if (code !== 0)
    throw (
      changedMeanwhile(end.failure, layout.pins) ??
      explainFailure(end.failure, {
        ...{ platform: title, code, endedBy },
        dockerfile: userDockerfile(sources, layout),
        placeOfStep: (step) => placeOfStep(step, stepsOfTask(task)),
      })
    );
  const seconds = secondsSince(started, world);
  const metadata = (await world.files.readText(metadataFile)) ?? "";
  return {
    metadata,
    generator,
    seconds,
    warnings: end.warnings,
    lostCache: end.lostCache,
    refusedCaches: end.refusedCaches,
  };
}

function argumentsOf(
  task: PlatformTask,
  { name, metadataFile }: Target,
  { host }: World,
): { readonly args: readonly string[]; readonly warnings: readonly string[] } {
  const { platform, sources, layout, inputs, output, builder, commit, generator, rebuild } = task;
  const { definition, arguments: told } = sources.build;
  const laidOut = layout.platforms.get(formatPlatform(platform));
  if (!laidOut) throw new Error(`nothing was laid out for ${formatPlatform(platform)}`);
  const { label } = laidOut;
  const isFresh = inputs.build.noCache || rebuild === "fresh";
  const cache = cacheArguments({
    platform,
    from: inputs.build.cacheFrom,
    to: inputs.build.cacheTo,
    beside: cacheBeside(sources),
    mayExport: output.kind === "push" && !host.event.isPullRequest && abilitiesOf(builder).exportCache,
    isFresh,
    env: host.env,
  });
  const args = buildxArguments({
    builder: builder.name,
    platform,
    contextFolder: laidOut.contextFolder,
    dockerfile: laidOut.dockerfile,
    target: laidOut.target,
    buildArgs: argsToTell(sources, commit),
    labels: {
      ...labelsToTell(task),
      ...(label === undefined ? {} : { [METADATA_LABEL]: label }),
      ...laidOut.ownLabels,
    },
    cacheFrom: output.kind === "push" ? [] : definition.cacheFrom.map(({ entry }) => formatCacheEntry(entry)),
    contexts: laidOut.contexts,
    options: [
      ...cache.args,
      ...(isFresh ? ["--no-cache"] : []),
      ...[...grantedOptions(sources.build), ...definition.uncounted].map(formatOption),
      ...told.secretOptions,
    ],
    metadataFile,
    output: {
      kind: output.kind,
      name,
      driver: builder.driver,
      kept: inputs.load,
      provenance: inputs.attestations.provenance,
      generator,
    },
  });
  const tooLong = tooLongArgument(args);
  if (tooLong === undefined) return { args, warnings: cache.warnings };
  throw new ActionError("E_CONFIG", {
    what: `A build arg or the metadata label is longer than the system lets a program take (128 KiB): ${tooLong}…`,
    fix: "Shorten it, or put its content into a file of the build context.",
  });
}

/** What tells of the commit, where the Dockerfile leaves that open, and what the user says over it. */
function argsToTell({ build }: Sources, commit: Provenance): Readonly<Record<string, string>> {
  const { args, uncounted, toldByDocker } = build.arguments;
  const open = openArgs(build.dockerfile);
  const offered = [...offeredArguments(commit)].filter(([name]) => open.has(name));
  const said = Object.entries({ ...args, ...uncounted }).filter(([name]) => !toldByDocker.has(name));
  return Object.fromEntries([...offered, ...said]);
}

/** What tells of the commit; where the Dockerfile says that itself, its words stay. */
function labelsToTell({ sources: { build }, platform, commit }: PlatformTask): Readonly<Record<string, string>> {
  const written = writtenLabels(build.dockerfile, build.definition.target?.value, scopeOf(build, platform));
  return Object.fromEntries(Object.entries(commitLabels(commit)).filter(([name]) => !written.has(name)));
}

type Attempt = {
  readonly code: number;
  readonly endedBy: EndedBy | undefined;
  readonly end: BuildEnd;
  readonly generator: string | undefined;
};

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

function stepsOfTask({ features, sources }: PlatformTask): readonly FeatureStep[] {
  return stepsOf(
    features.map((feature) => ({ feature })),
    sources.configuration,
  );
}

/** What commands print stands in base64 there, where no mask finds a secret. */
function readableRaw(line: string): string {
  return line.replaceAll(/"data":"([A-Za-z0-9+/=]*)"/g, (_, data: string) => `"data":${JSON.stringify(atob(data))}`);
}

/**
 * buildx makes a build arg of the first one, and labels of the checkout for the second, whoever set it in the step: no key would know. In
 * the folder that is built it would look for git in vain, and the provenance that it would write down once more is read from the registry.
 * @see https://docs.docker.com/build/building/variables/
 */
const FOR_BUILDX = {
  SOURCE_DATE_EPOCH: "",
  BUILDX_GIT_LABELS: "",
  BUILDX_GIT_INFO: "false",
  BUILDX_METADATA_PROVENANCE: "disabled",
};

async function tryBuild(task: PlatformTask, args: readonly string[], world: World): Promise<Attempt> {
  const { platform, sources, env, buildx, generator, onSteps, onExported } = task;
  const { args: counted, uncounted } = sources.build.arguments;
  const hide = hideValues({ ...counted, ...uncounted });
  const steps = stepsOfTask(task);
  const reword = (text: string): string => nameGenerated(hide(text), steps);
  const onPushed = (digest: Digest): void => onExported?.(digest);
  const progress = openProgress({ title: formatPlatform(platform), clock: world.clock, reword, onPushed });
  const wantsAll = world.host.env.RUNNER_DEBUG === "1";
  const finished = await world.exec(buildx.program, [...buildx.prefix, ...args], {
    env: { ...env, ...FOR_BUILDX },
    onLine: (line) => {
      if (wantsAll) world.log.debug(hide(readableRaw(line)));
      for (const told of progress.line(line)) world.log.info(told);
    },
  });
  const end = progress.end();
  onSteps(end.steps);
  for (const told of end.lines) world.log.info(told);
  return { code: finished?.code ?? 1, endedBy: finished?.endedBy, end, generator };
}
