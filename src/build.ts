import { readBaseImages } from "./base.ts";
import { buildxArguments, tooLongArgument } from "./buildx/args.ts";
import { type Builder, findBuilder } from "./buildx/builder.ts";
import { explainBuildFailure, isPassing } from "./buildx/failure.ts";
import { isolateDockerConfiguration, type KnownLogin } from "./buildx/isolation.ts";
import { readPushedDigest } from "./buildx/metadata.ts";
import { POLICY_VARIABLE, sourcePolicy } from "./buildx/policy.ts";
import { PROVENANCE_TYPES, readUsedImages } from "./buildx/provenance.ts";
import { layOutContext } from "./context.ts";
import { METADATA_LABEL, metadataLabel } from "./devcontainer/label.ts";
import { formatOption } from "./devcontainer/options.ts";
import { ActionError } from "./errors.ts";
import { emptyIndex } from "./key/record.ts";
import type { ImageConfig } from "./oci/config.ts";
import type { Digest } from "./oci/digest.ts";
import { attestationsOf } from "./oci/manifest.ts";
import { formatPlatform, type Platform, platformSlug } from "./oci/platform.ts";
import { formatReference, formatRepository, type Repository } from "./oci/reference.ts";
import type { Sources } from "./plan.ts";
import { type Found, lookUpPlatform, type Plan, verifyPlatform } from "./probe.ts";
import type { Gathered } from "./sources.ts";
import type { Binding } from "./upstream.ts";
import type { Registry, World } from "./world.ts";

/** What is to be built: without a plan there is no key, and what has no key is never pushed. */
export type BuildTask = {
  readonly sources: Sources;
  readonly plan: Plan | undefined;
  readonly platforms: readonly Platform[];
  readonly bindings: readonly Binding[];
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
  const bases = await readBaseImages(task, world.registry);
  const folder = await layOut(task, world);
  const policy = { [POLICY_VARIABLE]: `${folder}/policy.json` };
  const builds = task.platforms.map((platform) =>
    buildPlatform(
      { ...task, platform, folder, base: bases.get(formatPlatform(platform)), env: { ...env, ...policy }, builder },
      world,
    ),
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

/**
 * The context is a folder rather than a tar stream: a stream has to hold the Dockerfile too, and where that lies outside the context or
 * is ignored, `COPY . .` would copy it into the image. The Dockerfile lies beside the context, with an ignore file of its own that is
 * empty, for what is ignored is left out already.
 */
async function layOut({ sources, bindings }: BuildTask, { files }: World): Promise<string> {
  const folder = await files.temporaryFolder("build");
  await files.makeDirectory(`${folder}/context`, { mode: 0o755 });
  if (sources.build.context)
    await layOutContext(files, sources.build.context.root, sources.build.context.entries, `${folder}/context`);
  for (const [name, context] of sources.build.namedContexts)
    await layOutContext(files, context.root, context.entries, namedContextFolder(sources.build, folder, name));
  await files.write(`${folder}/Dockerfile`, sources.build.dockerfileText);
  await files.write(`${folder}/Dockerfile.dockerignore`, "");
  await files.write(`${folder}/policy.json`, sourcePolicy(bindings));
  return folder;
}

/** A name may hold what a path may not: so the folders have numbers. */
function namedContextFolder({ namedContexts }: Gathered, folder: string, name: string): string {
  return `${folder}/named-${[...namedContexts.keys()].indexOf(name)}`;
}

function contextArguments(gathered: Gathered, folder: string): Record<string, string> {
  const contexts = [...gathered.definition.contexts].map(([name, { kind, value }]) => {
    const source = kind === "image" ? `docker-image://${value}` : namedContextFolder(gathered, folder, name);
    return [name, source] as const;
  });
  return Object.fromEntries(contexts);
}

type PlatformTask = BuildTask & {
  readonly platform: Platform;
  readonly folder: string;
  readonly base: ImageConfig | undefined;
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
  return { platform, found: await readBack(task, built.metadata, world), seconds: built.seconds, foundLate: false };
}

async function runBuildx(
  task: PlatformTask,
  name: string,
  world: World,
): Promise<{ readonly metadata: string; readonly seconds: number }> {
  const { platform, sources, folder } = task;
  const title = formatPlatform(platform);
  const metadataFile = `${folder}/metadata-${platformSlug(platform)}.json`;
  const label = metadataLabel({ base: task.base?.labels[METADATA_LABEL], raw: sources.raw });
  const { definition } = sources.build;
  const args = buildxArguments({
    platform,
    contextFolder: `${folder}/context`,
    dockerfile: `${folder}/Dockerfile`,
    target: definition.target?.value,
    buildArgs: { ...sources.build.args, ...sources.build.uncounted },
    labels: label === undefined ? {} : { [METADATA_LABEL]: label },
    cacheFrom: definition.cacheFrom,
    contexts: contextArguments(sources.build, folder),
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

/** Only what the registry serves counts as pushed. */
async function readBack(task: PlatformTask, metadata: string, world: World): Promise<Found> {
  const { platform, sources } = task;
  const title = formatPlatform(platform);
  const digest = readPushedDigest(metadata);
  if (digest === undefined)
    throw new ActionError("E_PUSH", {
      what: `docker buildx ended well for ${title} and did not tell what it pushed.`,
      fix: "Use a newer buildx: docker/setup-buildx-action installs one.",
    });
  const answer = await world.registry.manifest({ ...sources.wanted.repository, digest });
  const repository = formatRepository(sources.wanted.repository);
  if (answer.kind !== "found")
    throw new ActionError("E_PUSH", {
      what: `The image for ${title} was pushed to ${repository}, and the registry does not serve it: ${answer.words} (${answer.request}).`,
      fix: "Run the job again; if it stays so, ask whoever runs the registry.",
      cause: answer,
    });
  const look = await verifyPlatform({ ...sources.wanted, verify: "layers" }, platform, answer.value, world.registry);
  if (look.kind === "sound" && look.found[0]) {
    await checkBinding(task, look.found[0], world);
    return look.found[0];
  }
  const what = look.kind === "damaged" ? look.what : look.kind === "doubt" ? look.doubt.what : "nothing was found";
  throw new ActionError("E_PUSH", {
    what: `The image for ${title} was pushed to ${repository}, and is not whole there: ${what}.`,
    fix: "Run the job again; if it stays so, ask whoever runs the registry.",
  });
}

/**
 * What was probed is what must have been built: BuildKit's own record of the images that it used is compared with the digests in the
 * plan. An image that does not hold what its key says is taken out of the way before anyone finds it.
 */
async function checkBinding(task: PlatformTask, found: Found, world: World): Promise<void> {
  const { repository } = task.sources.wanted;
  const used = await readUsed(found, repository, world.registry);
  const bound = new Set(task.bindings.map(({ digest }) => digest));
  const foreign = used?.filter((digest) => !bound.has(digest));
  if (foreign?.length === 0) return;
  const tag = task.plan?.platforms.find(({ platform }) => platform === task.platform)?.tag;
  const nothing = emptyIndex();
  await world.registry.putManifest(repository, nothing.bytes, nothing.descriptor.mediaType, tag);
  throw new ActionError("E_DOCKER", {
    what: foreign
      ? `The builder ${task.builder.name} used ${foreign.join(", ")} for ${formatPlatform(task.platform)}, which is not what the key names.`
      : `The builder ${task.builder.name} did not record which images it used for ${formatPlatform(task.platform)}, so nothing shows that they are those of the key.`,
    fix: "Use a newer buildx and BuildKit: docker/setup-buildx-action installs them.",
  });
}

async function readUsed(
  found: Found,
  repository: Repository,
  registry: Registry,
): Promise<readonly Digest[] | undefined> {
  const attestations = found.index.body.kind === "index" ? attestationsOf(found.index.body, found.manifest) : [];
  for (const entry of attestations) {
    const manifest = await registry.manifest({ ...repository, digest: entry.digest });
    const layers =
      manifest.kind === "found" && manifest.value.body.kind === "manifest" ? manifest.value.body.layers : [];
    const layer = layers.find(({ annotations }) =>
      PROVENANCE_TYPES.includes(annotations?.["in-toto.io/predicate-type"] ?? ""),
    );
    const blob = layer ? await registry.blob(repository, layer) : undefined;
    if (blob?.kind === "found") return readUsedImages(new TextDecoder().decode(blob.value));
  }
  return undefined;
}
