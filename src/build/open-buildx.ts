import { type Buildx, openBuildx } from "../buildx/buildx.ts";
import { fetchBuildx } from "../buildx/buildx-release.ts";
import { findPlugin } from "../buildx/plugin.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { World } from "../world.ts";

/**
 * Begins to look for the buildx of this run: the version that is asked for, else the machine's. Whoever waits for it hears of a failure,
 * and a run that ends before does not fail for that.
 * @throws ActionError E_DOCKER
 */
export function lookForBuildx(inputs: Pick<Inputs, "build">, world: World): Promise<Buildx> {
  const looking = findBuildx(inputs, world);
  looking.catch(() => undefined);
  return looking;
}

async function findBuildx({ build: { buildxVersion } }: Pick<Inputs, "build">, world: World): Promise<Buildx> {
  const fetched = buildxVersion === undefined ? undefined : await fetchBuildx(buildxVersion, world);
  const plugin = fetched === undefined ? await findPlugin(world.files, world.host.env) : undefined;
  return openBuildx({ exec: world.exec, env: world.host.env }, { fetched, plugin });
}
