import type { BaseImage } from "./base-image.ts";
import { type BuildStage, type Remark, refuseInstructions } from "./build.ts";
import type { BuildArgs } from "./build-args.ts";
import type { Command } from "./command.ts";
import type { Copied } from "./copied.ts";
import { applyInstruction, environmentOf, finishConfig, openState, type State, sharesShell } from "./effects.ts";
import { type Environments, lookThrough, SCRATCH_ENVIRONMENT } from "./first-look.ts";
import { compareBytes } from "./go-json.ts";
import { openHash, type RunningHash } from "./hashes.ts";
import type { Config } from "./image-json.ts";
import { type Instruction, readInstructions } from "./instruction.ts";
import { isPattern, resolveSources } from "./sources.ts";
import type { Step, StepLayer } from "./step.ts";
import type { Tree } from "./tree.ts";
import { refuse } from "./unprobeable.ts";
import { openWords } from "./words.ts";

type StageRequest = {
  readonly stage: BuildStage;
  readonly base: BaseImage;
  /** The config of the stage that this one is built on as the first look at the Dockerfile has it; none where it is built on an image. */
  readonly planned: Config | undefined;
  readonly args: BuildArgs;
  /** The arguments as they are before any instruction. */
  readonly given: BuildArgs;
  /** What the first key begins with. */
  readonly first: string;
  readonly tree: Tree;
  readonly copied: Copied;
  /** Whether an earlier stage has volumes: their folders may come up in later layers. */
  readonly hasVolumes: boolean;
};

export type WalkedStage = {
  readonly steps: readonly Omit<Step, "stage">[];
  readonly args: BuildArgs;
  readonly config: Config;
  /** The config for the first look at stages that stand on this one. */
  readonly planned: Config;
  readonly hasVolumes: boolean;
  /** What may make the builder write another config than the one that is computed. */
  readonly doubts: readonly Remark[];
};

/**
 * Goes over one stage: the key of every instruction, and the config that comes of them.
 * @throws ActionError E_UNKNOWN, E_MISS where a layer that COPY --from takes from is not there, E_DOCKERFILE for a base image's trigger.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (optimize, probeCache), composite_cache.go
 */
export async function walkStage(request: StageRequest): Promise<WalkedStage> {
  const { stage, base, args, given } = request;
  const { instructions, config } = prepare(stage, base);
  if (request.planned?.onBuild && stage.copies.size > 0)
    refuse(stage.at, "It stands on a stage whose base image has triggers, and copies from another image.");
  const { environments, planned } = lookThrough(instructions, request.planned ?? base.config.config, given);
  const opened = openState(config, args);
  const volume = instructions.some(({ command }) => command.kind === "volume");
  const layerOf = layersBeside({ volume, hasVolumes: request.hasVolumes });
  const { steps, state: optimised } = await keysOf(instructions, opened, { ...request, environments, layerOf });
  const state = secondPass(instructions, opened, optimised);
  const doubts = instructions.flatMap((instruction) => doubtOf(instruction, state));
  const ofVolumes = { at: stage.at, what: "an earlier stage has volumes, whose folders may be in its layers" };
  const hasVolumes = volume || request.hasVolumes;
  return {
    steps,
    args: state.args,
    config: reviewed(stage, finishConfig(state)),
    planned,
    hasVolumes,
    doubts: request.hasVolumes ? [ofVolumes, ...doubts] : doubts,
  };
}

/** Folders of volumes are made before the stage is laid out, and are in whichever layer comes next. */
function layersBeside({
  volume,
  hasVolumes,
}: {
  readonly volume: boolean;
  readonly hasVolumes: boolean;
}): (command: Command) => StepLayer {
  return (command) => {
    if (command.kind === "run" || command.kind === "copy") return "kept";
    if (command.kind === "add" || volume) return "unkept";
    return hasVolumes || (command.kind === "workdir" && !isThere(command.value)) ? "unsure" : "empty";
  };
}

/** The builder lays features out before it begins. */
function isThere(folder: string): boolean {
  return folder === "/" || folder.startsWith("/.envbuilder/features/");
}

function doubtOf({ at, command }: Instruction, state: State): readonly Remark[] {
  if (command.kind === "workdir" && !isThere(command.value))
    return [{ at, what: "where this folder is not there yet, the builder makes it, at another time in each build" }];
  if (command.kind === "volume")
    return [{ at, what: "the builder makes the folder of a volume, at another time in each build" }];
  if (command.kind === "cmd" && sharesShell(state))
    return [
      {
        at,
        what: "envbuilder mixes up CMD and a RUN behind it where SHELL has so many words, when it has to run that",
      },
    ];
  return [];
}

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

function readTriggers(triggers: readonly string[], { at, base }: BuildStage): readonly Instruction[] {
  const name = base.kind === "image" ? base.image : "its base";
  const read = readInstructions(triggers.join("\n"), `ONBUILD of ${name}`, () => at);
  if (read.length === 0) refuse(at, `The triggers of ${name} hold no instruction, which the builder refuses.`);
  refuseInstructions(read);
  return read;
}

type Keying = Pick<StageRequest, "stage" | "first" | "tree" | "copied"> & {
  readonly environments: Environments;
  readonly layerOf: (command: Command) => StepLayer;
};

/** What kaniko calls its optimisation: the keys, and what the instructions do to a copy of the config. */
async function keysOf(
  instructions: readonly Instruction[],
  opened: State,
  keying: Keying,
): Promise<Pick<WalkedStage, "steps"> & { readonly state: State }> {
  const steps: Omit<Step, "stage">[] = [];
  const read: Read[] = [];
  const hash = openHash();
  hash.add(keying.first);
  let state = opened;
  for (const instruction of instructions) {
    const { at, text, command } = instruction;
    const { kind } = command;
    if (kind === "run") addEnvironment(hash, environmentOf(state));
    hash.add(`-${text}`);
    const { parts, taken } = await fileParts(instruction, state, keying);
    for (const part of parts) hash.add(`-${part}`);
    steps.push({ at, text, key: hash.digest(), layer: keying.layerOf(command), taken });
    read.push({ kind, variables: environmentOf(state), names: await namesBeside(instruction, taken, keying.tree) });
    if (kind !== "workdir") state = applyInstruction(state, instruction);
  }
  const known = new Set([
    ...(opened.config.env ?? []),
    ...(state.config.env ?? []),
    ...read.flatMap(({ kind, variables }) => (kind === "run" ? variables : [])),
  ]);
  return { steps: steps.map((step, index) => withBeside(step, read[index], known)), state };
}

/** What an instruction has found that its key does not tell. */
type Read = {
  readonly kind: Command["kind"];
  readonly variables: readonly string[];
  readonly names: readonly string[];
};

/** The names under a folder, and those that a pattern finds; others stand in the instruction. */
async function namesBeside(
  { at, command }: Instruction,
  taken: readonly string[],
  tree: Tree,
): Promise<readonly string[]> {
  if (command.kind !== "add") return [];
  const names = await Promise.all(taken.map((path) => tree.names(path, at)));
  const isWritten =
    !command.sources.some(isPattern) && names.every((below, index) => below.every((name) => name === taken[index]));
  return isWritten ? [] : names.flat();
}

/** @param known variables that the base or the config tells, and those that a RUN of the stage puts into its key. */
function withBeside<One extends Omit<Step, "stage">>(
  step: One,
  read: Read | undefined,
  known: ReadonlySet<string>,
): One {
  if (!read || (read.kind !== "add" && (read.kind !== "workdir" || step.layer === "empty"))) return step;
  const variables = step.text.includes("$") ? read.variables.filter((variable) => !known.has(variable)) : [];
  const beside = [...variables, ...read.names];
  return beside.length === 0 ? step : { ...step, beside: JSON.stringify(beside) };
}

async function fileParts(
  instruction: Instruction,
  state: State,
  { stage, tree, copied, environments }: Keying,
): Promise<{ readonly parts: readonly string[]; readonly taken: readonly string[] }> {
  const { at, command } = instruction;
  if (command.kind !== "copy" && command.kind !== "add") return { parts: [], taken: [] };
  const expand = openWords(environmentOf(state), at);
  const source = stage.copies.get(instruction);
  if (source && command.kind === "copy") {
    const planned = openWords(environments.get(instruction) ?? [], at);
    return { parts: await copied(command, source, { expand, planned, at }), taken: [] };
  }
  if (command.kind === "copy" && command.from !== "")
    return refuse(at, "A trigger of the base image copies from another image.");
  const parts: string[] = [];
  const taken = await resolveSources(command, expand, tree, at);
  for (const path of taken) {
    const part = await tree.keyPart(path, at);
    if (part !== undefined) parts.push(part);
  }
  return { parts, taken };
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
