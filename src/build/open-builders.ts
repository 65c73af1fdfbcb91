import { type Builders, chooseBuilders, type WantedBuilders } from "../buildx/builders.ts";
import type { Entitlement } from "../buildx/buildkitd.ts";
import type { Buildx } from "../buildx/buildx.ts";
import { askEngine } from "../buildx/engine.ts";
import { isolateDockerConfiguration, type KnownLogin, needsHubLogin } from "../buildx/isolation.ts";
import { ActionError } from "../errors.ts";
import { formatReference, type Reference, type Repository } from "../oci/reference.ts";
import type { Sources } from "../plan/plan.ts";
import { imageAllowed } from "../registry/allowed.ts";
import { grantedOptions } from "../sources/rights.ts";
import type { World } from "../world.ts";
import { builderNetwork } from "./builder-network.ts";
import { generatorOf } from "./generator.ts";
import type { BuildTask } from "./task.ts";

/** Everything that the build reads or pushes, what is pushed to first. */
function namesOf(task: BuildTask): readonly Repository[] {
  const { repository, platforms } = task.sources.wanted;
  const generator = generatorOf(task);
  const images = platforms.flatMap((one) => one.images.map(({ reference }) => reference));
  return [repository, ...images, ...(generator ? [generator] : [])];
}

/**
 * Makes a Docker configuration that knows only the registries of this build.
 * @returns the variables that point docker and buildx to it.
 */
export async function isolate(
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

/**
 * Finds a builder for every platform.
 * @param env the isolated configuration's.
 * @throws ActionError E_DOCKER saying what is missing and how to get it.
 */
export async function openBuilders(
  task: BuildTask,
  env: Readonly<Record<string, string>>,
  world: World,
): Promise<{ readonly buildx: Buildx; readonly builders: Builders }> {
  const { sources, inputs, platforms, output } = task;
  const { builder, builders, buildkitImage, builderRestart } = inputs.build;
  const buildx = await task.buildx;
  const wanted: WantedBuilders = {
    platforms,
    push: output.kind === "push",
    name: builder,
    byPlatform: builders,
    image: buildkitImage,
    refuseOwnImage: imageAllowed(inputs.allowedImages, OWN_IMAGE) ? undefined : foreignBuilder(),
    restart: builderRestart,
    network: await builderNetwork(inputs, namesOf(task), world),
    entitlements: entitlementsOf(sources),
  };
  const place = { exec: world.exec, env: { ...world.host.env, ...env } };
  const site = { ...world, ...place, buildx, engine: askEngine(place) };
  return { buildx, builders: await chooseBuilders(wanted, site) };
}

/** What buildx makes builders of. */
const OWN_IMAGE: Reference = { registry: "docker.io", repository: "moby/buildkit", tag: "buildx-stable-1" };

function foreignBuilder(): ActionError {
  return new ActionError("E_INPUT", {
    what: `A builder has to be made, and its image, ${formatReference(OWN_IMAGE)}, is not among allowed-images.`,
    fix: "Add a pattern for it to allowed-images, or set buildkit-image to one that is.",
  });
}

/** What the options of the build ask for that a builder has to be allowed: a stranger's commit gives itself no rights on this machine. */
function entitlementsOf({ build }: Sources): readonly Entitlement[] {
  const options = grantedOptions(build);
  const asks = (name: string, value: string): boolean =>
    options.some((option) => option.name === name && option.value === value);
  return [
    ...(asks("network", "host") || asks("allow", "network.host") ? ["network.host" as const] : []),
    ...(asks("allow", "security.insecure") ? ["security.insecure" as const] : []),
  ];
}
