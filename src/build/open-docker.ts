import { type Asked, askBuilder } from "../buildx/builder.ts";
import { type Buildx, openBuildx } from "../buildx/buildx.ts";
import { fetchBuildx } from "../buildx/buildx-release.ts";
import { askEngine, type Engine } from "../buildx/engine.ts";
import { isolateDockerConfiguration, type KnownLogin, needsHubLogin } from "../buildx/isolation.ts";
import { findPlugin } from "../buildx/plugin.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Reference, Repository } from "../oci/reference.ts";
import type { Sources } from "../plan/plan.ts";
import type { World } from "../world.ts";

/** Docker as a build of this run needs it. Whoever waits for a part of it hears of its failure. */
export type Docker = {
  /** The variables of a configuration that knows only the registries of this build, over the host's. */
  readonly env: Readonly<Record<string, string>>;
  readonly buildx: Promise<Buildx>;
  readonly engine: Promise<Engine | undefined>;
  /** What buildx says of the builder that there is for all platforms; nothing where none is to be used as it is. */
  readonly asked: Asked | undefined;
};

/** What docker is opened for. `generator` makes the SBOMs of what is pushed: it may be known only when that is. */
export type DockerTask = {
  readonly inputs: Inputs;
  readonly sources: Sources;
  readonly generator: Promise<Reference | undefined>;
};

/**
 * Isolates a Docker configuration, and begins to ask what every build needs to know: which buildx there is (the version that is asked for,
 * else the machine's), which engine, which builder. Each program takes a twentieth of a second and more, so it is begun while the network is
 * waited for, and docker's plugin is asked for the builder beside its version: where it will not do, the answer counts for nothing.
 * @throws ActionError where the user's configuration cannot be read.
 */
export async function openDocker(task: DockerTask, world: World): Promise<Docker> {
  const { exec, files, host } = world;
  const { buildxVersion } = task.inputs.build;
  const finding = buildxVersion === undefined ? findPlugin(files, host.env) : Promise.resolve(undefined);
  const buildx = handled(findBuildx(buildxVersion, finding, world));
  const [env, plugin] = await Promise.all([isolate(task, world), finding]);
  const place = { exec, env: { ...host.env, ...env } };
  // Not beside the version: three programs at once on two cores only wait for one another.
  const engine = handled(buildx.then(() => askEngine(place)));
  const { ask, name } = builderForAll(task.inputs);
  if (!ask) return { env, buildx, engine, asked: undefined };
  const early = plugin === undefined ? undefined : handled(askBuilder(name, { ...place, buildx: asBuildx(plugin) }));
  const answer = buildx.then((its) =>
    early && its.program === plugin ? early : askBuilder(name, { ...place, buildx: its }),
  );
  return { env, buildx, engine, asked: { name, answer: handled(answer) } };
}

/** A run that ends before does not fail for what nobody has waited for. */
function handled<T>(asked: Promise<T>): Promise<T> {
  asked.catch(() => undefined);
  return asked;
}

const asBuildx = (program: string): Buildx => ({ program, prefix: [], version: undefined });

/** @throws ActionError E_DOCKER */
async function findBuildx(
  version: Inputs["build"]["buildxVersion"],
  plugin: Promise<string | undefined>,
  world: World,
): Promise<Buildx> {
  const fetched = version === undefined ? undefined : await fetchBuildx(version, world);
  return openBuildx({ exec: world.exec, env: world.host.env }, { fetched, plugin: await plugin });
}

/** The builder that is used for all platforms as it is, where none is made (anew): the one that is named, else the current one. */
function builderForAll({ build }: Inputs): { readonly ask: boolean; readonly name: string | undefined } {
  const { builder: name, builders, buildkitImage, builderRestart } = build;
  return { ask: builders.size === 0 && buildkitImage === undefined && !builderRestart, name };
}

/** Everything that the build reads or pushes, what is pushed to first. */
export function namesOf({ wanted }: Sources, generator: Reference | undefined): readonly Repository[] {
  const images = wanted.platforms.flatMap((one) => one.images.map(({ reference }) => reference));
  return [wanted.repository, ...images, ...(generator ? [generator] : [])];
}

async function isolate(
  { inputs, sources, generator }: DockerTask,
  { files, host, credentials }: World,
): Promise<Readonly<Record<string, string>>> {
  const folder = await files.temporaryFolder("docker");
  const { builder, builders } = inputs.build;
  const named = [...(builder === undefined ? [] : [builder]), ...builders.values()];
  const cloud = (await needsHubLogin(files, host.env, named)) ? [HUB] : [];
  const mirrors = inputs.mirrors.map(({ registry, prefix }) => ({ registry, repository: prefix }));
  const names = [...namesOf(sources, await generator), ...mirrors, ...cloud];
  const logins = names.map(async (name): Promise<KnownLogin> => ({ name, login: await credentials(name) }));
  return isolateDockerConfiguration(files, host.env, folder, await Promise.all(logins));
}

/** What stands for Docker Hub where only the login matters. */
const HUB: Repository = { registry: "docker.io", repository: "library/scratch" };
