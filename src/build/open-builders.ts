import { type Builders, chooseBuilders, type WantedBuilders } from "../buildx/builders.ts";
import type { Entitlement } from "../buildx/buildkitd.ts";
import type { Buildx } from "../buildx/buildx.ts";
import { ActionError } from "../errors.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { Sources } from "../plan/plan.ts";
import { imageAllowed } from "../registry/allowed.ts";
import { grantedOptions } from "../sources/rights.ts";
import type { World } from "../world.ts";
import { builderNetwork } from "./builder-network.ts";
import { generatorOf } from "./generator.ts";
import { type Docker, namesOf } from "./open-docker.ts";
import type { BuildTask } from "./task.ts";

/**
 * Finds a builder for every platform.
 * @throws ActionError E_DOCKER saying what is missing and how to get it.
 */
export async function openBuilders(
  task: BuildTask,
  { env, engine, asked, ...docker }: Docker,
  world: World,
): Promise<{ readonly buildx: Buildx; readonly builders: Builders; readonly env: Docker["env"] }> {
  const { sources, inputs, platforms, output } = task;
  const { builder, builders, buildkitImage, builderRestart } = inputs.build;
  const buildx = await docker.buildx;
  const wanted: WantedBuilders = {
    platforms,
    push: output.kind === "push",
    name: builder,
    byPlatform: builders,
    image: buildkitImage,
    refuseOwnImage: imageAllowed(inputs.allowedImages, OWN_IMAGE) ? undefined : foreignBuilder(),
    restart: builderRestart,
    network: await builderNetwork(inputs, namesOf(sources, generatorOf(task)), world),
    entitlements: entitlementsOf(sources),
  };
  const site = { ...world, env: { ...world.host.env, ...env }, buildx, engine, asked };
  return { buildx, builders: await chooseBuilders(wanted, site), env };
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
