import { lowerCase } from "../dockerfile/text.ts";
import { ActionError, type Place } from "../errors.ts";
import { type Instruction, readInstructions } from "./instruction.ts";
import { baseArgs, type MetaArg, readMetaArgs } from "./meta-args.ts";
import { orUnprobeable, refuse, type Unprobeable } from "./unprobeable.ts";
import { openWords } from "./words.ts";
import { cut } from "./wrong-line.ts";

export type BuildRequest = {
  /** The Dockerfile as envbuilder compiles it, with its `DIRECTIVES` at the end. */
  readonly text: string;
  /** How messages name it. */
  readonly file: string;
  /** Where one of its lines is told to be; in `file` where nothing else is said. */
  readonly place?: (line: number) => Place;
  /** `NAME=value`, or a bare name. */
  readonly buildArgs: readonly string[];
  /** The context's folder as the builder sees it: `/workspaces/app`. */
  readonly root: string;
};

export type BuildStage = {
  readonly at: Place;
  readonly name: string;
  /** What it is built on: an earlier stage by its number, or an image. */
  readonly base: CopySource | { readonly kind: "scratch" };
  readonly instructions: readonly Instruction[];
  /** Where each COPY --from takes from. */
  readonly copies: ReadonlyMap<Instruction, CopySource>;
};

/** An earlier stage by its number, or an image by its name. */
export type CopySource =
  | { readonly kind: "stage"; readonly stage: number }
  | { readonly kind: "image"; readonly image: string };

/** A place, and what there is to say of it. */
export type Remark = { readonly at: Place; readonly what: string };

/** What is built, as far as it is known before anything was asked of a registry. */
export type Build = {
  readonly kind: "build";
  readonly root: string;
  readonly buildArgs: readonly string[];
  readonly metaArgs: readonly MetaArg[];
  readonly stages: readonly BuildStage[];
  /** The images that are built on, or copied from, as they are named, each once, and where it is named first. */
  readonly images: ReadonlyMap<string, Place>;
  /** What is done otherwise than the Dockerfile says. */
  readonly losses: readonly Remark[];
};

/** What a stage asks for is looked up in a registry. */
const MOST_STAGES = 100;

/**
 * Reads what envbuilder would build. The last stage is the target, and every stage is built.
 * @throws ActionError E_DOCKERFILE for what its parser refuses.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (DoCacheProbe), ../dockerfile/dockerfile.go
 */
export function readBuild(request: BuildRequest): Promise<Build | Unprobeable> {
  return orUnprobeable(() => {
    const { text, file, place, buildArgs, root } = request;
    const instructions = readInstructions(text, file, place);
    const first = instructions.findIndex(({ command }) => command.kind === "from");
    const early = first < 0 ? instructions : instructions.slice(0, first);
    refuseEarly(early, file, first < 0);
    if (/[*?[\\]/.test(root) || !/^\/./.test(root))
      refuse({ file }, `The context's folder would be ${root}, by which envbuilder cannot tell what is in it.`);
    const metaArgs = readMetaArgs(early, buildArgs);
    const stages = readStages(instructions.slice(first), metaArgs, buildArgs);
    for (const { instructions } of stages) refuseInstructions(instructions);
    const images = imagesOf(stages);
    if (images.size > MOST_STAGES) refuse({ file }, `It takes from more than ${MOST_STAGES} images.`);
    const losses = stages.flatMap((stage) => stage.instructions.flatMap(lossOf));
    return { kind: "build", root, buildArgs, metaArgs, stages, images, losses };
  });
}

function imagesOf(stages: readonly BuildStage[]): ReadonlyMap<string, Place> {
  const copies = stages.flatMap((stage) => [...stage.copies].map(([{ at }, base]) => ({ base, at })));
  const places = [...stages, ...copies].flatMap(({ base, at }): readonly (readonly [string, Place])[] =>
    base.kind === "image" ? [[base.image, at]] : [],
  );
  const images = new Map<string, Place>();
  for (const [image, at] of places) if (!images.has(image)) images.set(image, at);
  return images;
}

function lossOf({ at, text, losesText }: Instruction): readonly Remark[] {
  if (!losesText) return [];
  return [
    {
      at,
      what: `envbuilder takes the here-document off ${cut(text)} and runs the line without it, in every workspace too: the image lacks what it would have done, and a change in it is none. Write it without one.`,
    },
  ];
}

function refuseEarly(early: readonly Instruction[], file: string, isAll: boolean): void {
  const other = early.find(({ command }) => command.kind !== "arg");
  if (!other && !isAll) return;
  throw new ActionError("E_DOCKERFILE", {
    what: other
      ? `${other.name} stands before the first FROM, where only ARG may stand.`
      : `${file} has no build stage.`,
    fix: "Start the Dockerfile with FROM.",
    at: other?.at ?? { file, line: 1 },
  });
}

function readStages(
  instructions: readonly Instruction[],
  metaArgs: readonly MetaArg[],
  buildArgs: readonly string[],
): readonly BuildStage[] {
  const starts = instructions.flatMap(({ command }, at) => (command.kind === "from" ? [at] : []));
  const names: string[] = [];
  return starts.flatMap((start, index) => {
    const [from, ...others] = instructions.slice(start, starts[index + 1]);
    if (from?.command.kind !== "from") return [];
    const { at, command } = from;
    if (index >= MOST_STAGES) refuse(at, `There are more than ${MOST_STAGES} stages.`);
    if (command.stage === "scratch")
      refuse(at, "A stage with the name scratch is taken for the empty image now and then.");
    names.push(command.stage);
    const base = openWords(baseArgs(metaArgs, buildArgs), at)(command.base);
    if (base === "") refuse(at, "The name of the base image is empty.");
    const again = [...metaArgs.map(({ name, value = "" }) => `${name}=${value}`), ...buildArgs];
    const image = openWords(again, at)(base);
    if (image === "") refuse(at, "The name of the base image is empty.");
    const own = { at, name: command.stage, instructions: others };
    const copies = new Map(others.flatMap((one) => copySource(one, names)));
    return [{ ...own, base: baseOf(image, { stage: names.indexOf(lowerCase(base)), index, at }), copies }];
  });
}

/** Of two stages of one name the first counts, and a stage's own name too: then kaniko takes it for its own base. */
function baseOf(
  image: string,
  { stage, index, at }: { readonly stage: number; readonly index: number; readonly at: Place },
): BuildStage["base"] {
  if (stage === index) refuse(at, "The stage has the name of its own base, at which envbuilder's build ends.");
  if (image === "scratch") return { kind: "scratch" };
  return stage < 0 ? { kind: "image", image } : { kind: "stage", stage };
}

/**
 * @param names of the stages, the one that copies included.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/executor/build.go (ResolveCrossStageInstructions, fetchExtraStages)
 */
function copySource(
  instruction: Instruction,
  names: readonly string[],
): readonly (readonly [Instruction, CopySource])[] {
  const { command, at } = instruction;
  if (command.kind !== "copy" || command.from === "") return [];
  const named = names.lastIndexOf(lowerCase(command.from));
  const stage = named >= 0 ? named : /^[0-9]{1,3}$/.test(command.from) ? Number(command.from) : undefined;
  if (stage !== undefined) {
    if (stage < names.length - 1) return [[instruction, { kind: "stage", stage }]];
    return refuse(at, `COPY --from=${command.from} names no stage before this one.`);
  }
  if (/[$+-]/.test(command.from[0] ?? "") || command.from.includes("$") || command.from === "scratch")
    refuse(
      at,
      `COPY --from=${command.from} names neither a stage nor an image: envbuilder replaces no variables there.`,
    );
  return [[instruction, { kind: "image", image: command.from }]];
}

/** What can never be told, whatever is in a registry. Also asked of what a base image's ONBUILD adds. */
export function refuseInstructions(instructions: readonly Instruction[]): void {
  for (const { at, command } of instructions) {
    if (command.kind === "from") refuse(at, "FROM stands among a base image's triggers.");
    if (command.kind !== "add") continue;
    const address = command.sources.find((source) => /^[a-z]+:\/\//i.test(source));
    if (address !== undefined) refuse(at, `ADD fetches ${address}, and what is there cannot be told.`);
    // An archive of the builder's own may lie there, and then it would not be hashed.
    if (command.sources.some((source) => source.startsWith("/")))
      refuse(at, "ADD takes an absolute path: write it relative to the build context.");
  }
}
