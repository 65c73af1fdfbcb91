import type { Place } from "../errors.ts";
import { type BaseImage, readBaseImage, type ServedImage, scratch } from "./base-image.ts";
import { type Build, type BuildStage, refuseInstructions } from "./build.ts";
import { type BuildArgs, openBuildArgs, withMeta } from "./build-args.ts";
import type { Context } from "./context.ts";
import { applyInstruction, environmentOf, finishConfig, openState, type State, sharesShell } from "./effects.ts";
import { finishImage, type Target } from "./finish.ts";
import { compareBytes } from "./go-json.ts";
import { openHash, type RunningHash } from "./hashes.ts";
import { readIgnored } from "./ignored.ts";
import type { Config } from "./image-json.ts";
import { type Instruction, readInstructions } from "./instruction.ts";
import { resolveSources } from "./sources.ts";
import { openTree, type Tree } from "./tree.ts";
import { orUnprobeable, refuse, type Unprobeable } from "./unprobeable.ts";
import { openWords } from "./words.ts";

/** One instruction of one stage, in the order in which they are executed. */
export type Step = {
  readonly stage: number;
  readonly at: Place;
  /** Its source in one line, as the image's history tells it. */
  readonly text: string;
  /** 64 hexadecimal digits: the tag under which a layer is kept. */
  readonly key: string;
  /** Whether its layer is kept there, as that of RUN and COPY is; the others' layers are empty. */
  readonly isLookedUp: boolean;
};

/** All that is known of a build before its layers are looked up: none of the keys waits for an answer. */
export type Keyed = {
  readonly kind: "keyed";
  readonly steps: readonly Step[];
  /** The stage that is pushed, and those of the steps that make its layers. */
  readonly target: Target;
  readonly targetSteps: readonly Step[];
  /** What may make the builder push another image than the one that is computed, though every layer is found. */
  readonly doubts: readonly Doubt[];
};

export type Doubt = { readonly at: Place; readonly what: string };

export type KeyRequest = {
  /** By the names of `Build.images`. */
  readonly images: ReadonlyMap<string, ServedImage>;
  readonly context: Context;
  /** `<Dockerfile>.dockerignore`, else the context's `.dockerignore`, where there is one. */
  readonly ignore: { readonly text: string; readonly file: string } | undefined;
  /** What is built for: `linux/amd64`. */
  readonly platform: string;
};

/**
 * The key of every instruction, and the config that comes of them.
 * @throws ActionError E_DOCKERFILE for a trigger of a base image that the parser refuses.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (optimize, probeCache), composite_cache.go
 */
export function computeKeys(build: Build, request: KeyRequest): Promise<Keyed | Unprobeable> {
  return orUnprobeable(async () => {
    const tree = openTree(request.context, readIgnored(request.ignore));
    const meta = new Map(build.metaArgs.map(({ name, value }) => [name, value]));
    const given = withMeta(openBuildArgs(build.buildArgs), meta);
    const walked: WalkedStage[] = [];
    /** The images of stages without instructions: such a stage leaves no key, and whoever builds on the very same image starts with none. */
    const keyless = new Set<string>();
    for (const [index, stage] of build.stages.entries()) {
      // What an ARG has allowed stays allowed in the stages behind it.
      const args = walked.at(-1)?.args ?? given;
      const base = baseOf(stage, request.images);
      const first = keyless.has(base.digest) ? "" : base.digest;
      const { config, ...one } = await walkStage({ stage, base, args, given, first, tree });
      const target = { base, config, platform: request.platform };
      if (one.steps.length === 0) keyless.add(finishImage(target, [], { isCanonical: false }).digest);
      walked.push({ ...one, target, steps: one.steps.map((step) => ({ ...step, stage: index })) });
    }
    const last = walked.at(-1);
    if (!last) return refuse({ file: "Dockerfile" }, "There is no stage.");
    const steps = walked.flatMap((one) => one.steps);
    const doubts = walked.flatMap((one) => one.doubts);
    return { kind: "keyed", steps, target: last.target, targetSteps: last.steps, doubts };
  });
}

type WalkedStage = {
  readonly steps: readonly Step[];
  readonly args: BuildArgs;
  readonly target: Target;
  readonly doubts: readonly Doubt[];
};

type StageRequest = {
  readonly stage: BuildStage;
  readonly base: BaseImage;
  readonly args: BuildArgs;
  /** The arguments as they are before any instruction. */
  readonly given: BuildArgs;
  /** What the first key begins with. */
  readonly first: string;
  readonly tree: Tree;
};

async function walkStage({ stage, base, args, given, first, tree }: StageRequest) {
  const { instructions, config } = prepare(stage, base);
  refuseUnreadable(instructions, config, given);
  const opened = openState(config, args);
  const { steps, state: optimised } = await keysOf(instructions, opened, first, tree);
  const state = secondPass(instructions, opened, optimised);
  const doubts = instructions.flatMap((instruction) => doubtOf(instruction, state));
  return { steps, args: state.args, config: reviewed(stage, finishConfig(state)), doubts };
}

function doubtOf({ at, command }: Instruction, state: State): readonly Doubt[] {
  if (command.kind === "workdir" && command.value !== "/")
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

function baseOf({ image, at }: BuildStage, images: ReadonlyMap<string, ServedImage>): BaseImage {
  if (image === undefined) return scratch();
  const served = images.get(image);
  const base = served && readBaseImage(served);
  return base ?? refuse(at, `It cannot be told what the builder makes of the manifest and the config of ${image}.`);
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

/** Before the first stage the builder has looked through all of them, each with arguments of its own: it may stop there already. */
function refuseUnreadable(instructions: readonly Instruction[], config: Config, args: BuildArgs): void {
  const relevant = instructions.filter(({ command }) => command.kind === "env" || command.kind === "arg");
  relevant.reduce((state, instruction) => applyInstruction(state, instruction), openState(config, args));
}

type StageKeys = { readonly steps: readonly Omit<Step, "stage">[]; readonly state: State };

/** What kaniko calls its optimisation: the keys, and what the instructions do to a copy of the config. */
async function keysOf(
  instructions: readonly Instruction[],
  opened: State,
  first: string,
  tree: Tree,
): Promise<StageKeys> {
  const steps: Omit<Step, "stage">[] = [];
  const hash = openHash();
  hash.add(first);
  let state = opened;
  for (const instruction of instructions) {
    const { at, text, command } = instruction;
    if (command.kind === "run") addEnvironment(hash, environmentOf(state));
    hash.add(`-${text}`);
    if (command.kind === "copy")
      for (const path of await resolveSources(command, openWords(environmentOf(state), at), tree, at)) {
        const part = await tree.keyPart(path, at);
        if (part !== undefined) hash.add(`-${part}`);
      }
    steps.push({ at, text, key: hash.digest(), isLookedUp: command.kind === "run" || command.kind === "copy" });
    if (command.kind !== "workdir") state = applyInstruction(state, instruction);
  }
  return { steps, state };
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
