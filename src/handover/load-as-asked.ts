import { asActionError } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Outcome } from "../publish/outcome.ts";
import type { World } from "../world.ts";
import type { Loading } from "./load.ts";

/** Makes sure, before any work, that there is an engine to load into, where that is asked for. @throws ActionError E_DOCKER */
export async function requireEngineToLoad({ load }: Pick<Inputs, "load">, world: World): Promise<void> {
  if (load) await (await import("./load.ts")).requireEngine(world);
}

/** Puts the image into the local engine, where that is asked for. What goes wrong is the outcome: the image is there all the same. */
export async function loadAsAsked(outcome: Outcome, loading: Loading): Promise<Outcome> {
  if (!loading.inputs.load || outcome.failure) return outcome;
  try {
    await (await import("./load.ts")).loadImage(outcome, loading);
    return outcome;
  } catch (error) {
    return { ...outcome, result: "failed", failure: asActionError(error) };
  }
}
