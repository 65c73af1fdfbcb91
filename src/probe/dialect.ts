import type { Workspace } from "../devcontainer/paths.ts";
import type { FeaturePorts } from "../features/found.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { readSources, type Sources } from "../plan/plan.ts";
import type { Triggers } from "../sources/build-source.ts";
import type { Registry, World } from "../world.ts";
import { type Probed, probe } from "./probe.ts";

/** Whose way a dev container is read and looked for in: the two questions to which every tool has an answer of its own. */
export type Dialect = {
  /** What the checkout and the inputs say. @throws ActionError for what is wrong with them, before any request. */
  readonly read: (
    inputs: Inputs,
    workspace: Workspace,
    world: Pick<World, "files" | "host" | "clock">,
    triggers?: Triggers,
  ) => Promise<Sources>;
  /** Whether the image that follows from it is in the cache repository. */
  readonly probe: (sources: Sources, registry: Registry, ports: FeaturePorts) => Promise<Probed>;
};

const DIALECTS: Readonly<Record<Inputs["dialect"], Dialect>> = {
  devcontainer: {
    read: readSources,
    probe: ({ wanted }, registry, ports) => probe(wanted, registry, ports),
  },
};

/** The dialect that the input of that name asks for. */
export function dialectOf({ dialect }: Pick<Inputs, "dialect">): Dialect {
  return DIALECTS[dialect];
}
