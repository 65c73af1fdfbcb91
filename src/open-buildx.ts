import { type Buildx, openBuildx } from "./buildx/buildx.ts";
import { fetchBuildx } from "./buildx/buildx-release.ts";
import { askEngine, type Engine } from "./buildx/engine.ts";
import { findPlugin } from "./buildx/plugin.ts";
import type { Inputs } from "./inputs.ts";
import type { World } from "./world.ts";

/** What a build is made with, asked for early. */
export type BuildTools = {
  /** @throws ActionError E_DOCKER */
  readonly buildx: Promise<Buildx>;
  /** Matters only where the builder is part of the engine. */
  readonly engine: Promise<Engine | undefined>;
};

/** Begins to find out what this machine builds with; whoever needs it waits for it. */
export function askForTools({ build: { buildxVersion } }: Pick<Inputs, "build">, world: World): BuildTools {
  const place = { exec: world.exec, env: world.host.env };
  const engine = askEngine(place);
  const buildx = (async () => {
    const fetched = buildxVersion === undefined ? undefined : await fetchBuildx(buildxVersion, world);
    const plugin = fetched === undefined ? await findPlugin(world.files, world.host.env) : undefined;
    return openBuildx(place, { fetched, plugin });
  })();
  // A run that ends before it builds does not fail for that.
  buildx.catch(() => undefined);
  return { buildx, engine };
}
