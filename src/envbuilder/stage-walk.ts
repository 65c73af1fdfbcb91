import type { Place } from "../errors.ts";
import type { BaseImage } from "./base-image.ts";
import { type BuildStage, refuseInstructions } from "./build.ts";
import type { BuildArgs } from "./build-args.ts";
import type { Copied, Copy } from "./copied.ts";
import { applyInstruction, environmentOf, finishConfig, openState, type State, sharesShell } from "./effects.ts";
import { compareBytes } from "./go-json.ts";
import { openHash, type RunningHash } from "./hashes.ts";
import type { Config } from "./image-json.ts";
import { type Instruction, readInstructions } from "./instruction.ts";
import { resolveSources } from "./sources.ts";
import type { Step } from "./step.ts";
import type { Tree } from "./tree.ts";
import { refuse } from "./unprobeable.ts";
import { openWords } from "./words.ts";

export type Doubt = { readonly at: Place; readonly what: string };

type StageRequest = {
  readonly stage: BuildStage;
  readonly base: BaseImage;
  readonly args: BuildArgs;
  /** The arguments as they are before any instruction. */
  readonly given: BuildArgs;
  /** What the first key begins with. */
  readonly first: string;
  readonly tree: Tree;
  readonly copied: Copied;
};

export type WalkedStage = {
  readonly steps: readonly Omit<Step, "stage">[];
  readonly args: BuildArgs;
  readonly config: Config;
  readonly doubts: readonly Doubt[];
};

/**
 * Goes over one stage: the key of every instruction, and the config that comes of them.
 * @throws ActionError E_UNKNOWN, E_MISS where a layer that COPY --from takes from is not there, E_DOCKERFILE for a base image's trigger.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (optimize, probeCache), composite_cache.go
 */
export async function walkStage(request: StageRequest): Promise<WalkedStage> {
  const { stage, base, args, given } = request;
  const { instructions, config } = prepare(stage, base);
  const planned = lookThrough(instructions, config, given);
  const opened = openState(config, args);
  const { steps, state: optimised } = await keysOf(instructions, opened, { ...request, planned });
  const state = secondPass(instructions, opened, optimised);
  const doubts = instructions.flatMap((instruction) => doubtOf(instruction, state));
  return { steps, args: state.args, config: reviewed(stage, finishConfig(state)), doubts };
}

/** The builder lays features out before it begins. */
function isThere(folder: string): boolean {
  return folder === "/" || folder.startsWith("/.envbuilder/features/");
}

function doubtOf({ at, command }: Instruction, state: State): readonly Doubt[] {
  if (command.kind === "workdir" && !isThere(command.value))
    return [{ at, what: "where this folder is not there yet, the builder makes it, at another time in each build" }];
  if (command.kind === "cmd" && sharesShell(state))
    return [
      {
        at,
        what: "envbuilder mixes up CMD and a RUN behind it where SHELL has so many words, when it has to run that",
      },
    ];
  return [];
}

/** The default of an image that says nothing, not even an empty list. */
const SCRATCH_ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

/** The base's triggers run in front of the stage's own instructions, and MAINTAINER is none. */
function prepare(
  stage: BuildStage,
  base: BaseImage,
): { readonly instructions: readonly Instruction[]; readonly config: Config } {
  const { onBuild, env } = base.config.config;
  const triggers = (onBuild ?? []).length === 0 ? [] : readTriggers(onBuild ?? [], stage);
  return {
    instructions: [...triggers, ...stage.instructions].filter(({ command }) => command.kind !== "maintainer"),
    config: { ...base.config.config, onBuild: undefined, env: env ?? SCRATCH_ENVIRONMENT },
  };
}

function readTriggers(triggers: readonly string[], { at, image = "" }: BuildStage): readonly Instruction[] {
  const read = readInstructions(triggers.join("\n"), `ONBUILD of ${image}`, () => at);
  if (read.length === 0) refuse(at, `The triggers of ${image} hold no instruction, which the builder refuses.`);
  refuseInstructions(read);
  return read;
}

/**
 * Before the first stage the builder looks through all of them, each with arguments of its own: it may stop there already, and what it reads
 * in COPY --from is read then.
 * @returns the environment in front of each instruction.
 */
function lookThrough(
  instructions: readonly Instruction[],
  config: Config,
  args: BuildArgs,
): ReadonlyMap<Instruction, readonly string[]> {
  const environments = new Map<Instruction, readonly string[]>();
  let state = openState(config, args);
  for (const instruction of instructions) {
    const { kind } = instruction.command;
    if (kind === "copy") environments.set(instruction, environmentOf(state));
    if (kind === "env" || kind === "arg") state = applyInstruction(state, instruction);
  }
  return environments;
}

type Keying = Pick<StageRequest, "stage" | "first" | "tree" | "copied"> & {
  readonly planned: ReadonlyMap<Instruction, readonly string[]>;
};

/** What kaniko calls its optimisation: the keys, and what the instructions do to a copy of the config. */
async function keysOf(
  instructions: readonly Instruction[],
  opened: State,
  keying: Keying,
): Promise<Pick<WalkedStage, "steps"> & { readonly state: State }> {
  const steps: Omit<Step, "stage">[] = [];
  const hash = openHash();
  hash.add(keying.first);
  let state = opened;
  for (const instruction of instructions) {
    const { at, text, command } = instruction;
    const { kind } = command;
    if (kind === "run") addEnvironment(hash, environmentOf(state));
    hash.add(`-${text}`);
    for (const part of kind === "copy" ? await fileParts(instruction, command, state, keying) : [])
      hash.add(`-${part}`);
    steps.push({ at, text, key: hash.digest(), isLookedUp: kind === "run" || kind === "copy" });
    if (kind !== "workdir") state = applyInstruction(state, instruction);
  }
  return { steps, state };
}

async function fileParts(
  instruction: Instruction,
  copy: Copy,
  state: State,
  { stage, tree, copied, planned }: Keying,
): Promise<readonly string[]> {
  const { at } = instruction;
  const expand = openWords(environmentOf(state), at);
  const source = stage.copies.get(instruction);
  if (source) return copied(copy, source, { expand, planned: openWords(planned.get(instruction) ?? [], at), at });
  if (copy.from !== "") return refuse(at, "A trigger of the base image copies from another image.");
  const parts: string[] = [];
  for (const path of await resolveSources(copy, expand, tree, at)) {
    const part = await tree.keyPart(path, at);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

function addEnvironment(hash: RunningHash, environment: readonly string[]): void {
  if (environment.length === 0) return;
  hash.add(["", `|${environment.length}`, ...[...environment].sort(compareBytes)].join("-"));
}

/** The instructions once more, over the real config. The labels of the base image are one map in both, and what LABEL has read is read again. */
function secondPass(instructions: readonly Instruction[], opened: State, first: State): State {
  const shared = opened.config.labels ? first.config.labels : undefined;
  const state: State = { ...opened, config: { ...opened.config, labels: shared }, labels: first.labels };
  return instructions.reduce((reached, instruction) => applyInstruction(reached, instruction), state);
}

/** An ENTRYPOINT without a CMD, both written in capitals, takes the base's CMD away. */
function reviewed({ instructions }: BuildStage, config: Config): Config {
  const names = new Set(instructions.map(({ name }) => name));
  return names.has("ENTRYPOINT") && !names.has("CMD") ? { ...config, cmd: undefined } : config;
}
