import { type Buildx, openBuildx } from "./buildx/buildx.ts";
import { fetchBuildx } from "./buildx/buildx-release.ts";
import { findPlugin } from "./buildx/plugin.ts";
import type { Inputs } from "./inputs.ts";
import type { World } from "./world.ts";

/**
 * Looks for the buildx of this run: the version that is asked for, else the machine's.
 * @throws ActionError E_DOCKER
 */
export async function lookForBuildx(
  { build: { buildxVersion } }: Pick<Inputs, "build">,
  world: World,
): Promise<Buildx> {
  const fetched = buildxVersion === undefined ? undefined : await fetchBuildx(buildxVersion, world);
  const plugin = fetched === undefined ? await findPlugin(world.files, world.host.env) : undefined;
  return openBuildx({ exec: world.exec, env: world.host.env }, { fetched, plugin });
}
