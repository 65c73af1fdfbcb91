import type { BuildArgs } from "./build-args.ts";
import { applyInstruction, environmentOf, openState } from "./effects.ts";
import type { Config } from "./image-json.ts";
import type { Instruction } from "./instruction.ts";

/** The default of an image that says nothing, not even an empty list. */
export const SCRATCH_ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

/**
 * Before the first stage the builder looks through all of them, each with arguments of its own: it may stop there already, and what it reads
 * in COPY --from is read then.
 * @returns the environment in front of each instruction, and the config for stages that stand on this one.
 */
export function lookThrough(
  instructions: readonly Instruction[],
  config: Config,
  args: BuildArgs,
): { readonly environments: Environments; readonly planned: Config } {
  const environments = new Map<Instruction, readonly string[]>();
  let state = openState({ ...config, env: config.env ?? SCRATCH_ENVIRONMENT }, args);
  for (const instruction of instructions) {
    const { kind } = instruction.command;
    if (kind === "copy") environments.set(instruction, environmentOf(state));
    if (kind === "env" || kind === "arg") state = applyInstruction(state, instruction);
  }
  return { environments, planned: state.config };
}

export type Environments = ReadonlyMap<Instruction, readonly string[]>;
