import { ActionError } from "../errors.ts";
import type { Origin, Syntax } from "./directives.ts";
import { splitFlags } from "./flags.ts";
import type { Heredoc } from "./heredoc.ts";
import { readLines } from "./lex.ts";
import { cutAtBlanks, lowerCase, splitAtBlanks, trimSpace } from "./text.ts";
import { jsonWords } from "./words.ts";

/** One instruction as BuildKit sees it. */
export type Instruction = {
  /** Upper-case. */
  readonly keyword: string;
  /** The words with `--` right behind the keyword, quotes and escapes taken off as BuildKit does before it looks at them. */
  readonly flags: readonly string[];
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  /** As the file counts it. */
  readonly line: number;
  /** As the text counts it, from 1. */
  readonly endLine: number;
  /** Its last line is joined with the next one, and there is none. */
  readonly isOpen: boolean;
  /** What escapes in its words. An ONBUILD trigger is read with the default one, whatever its Dockerfile says. */
  readonly escape: string;
};

export type From = Instruction & { readonly base: string; readonly platform: string | undefined };

/** `name` is lower-case: BuildKit compares stage names without regard to case. */
export type Stage = {
  readonly index: number;
  readonly name: string | undefined;
  readonly from: From;
  readonly instructions: readonly Instruction[];
};

export type Dockerfile = {
  /** How messages name the file. */
  readonly file: string;
  /** The line of that file in which the text begins. */
  readonly firstLine: number;
  readonly escape: string;
  readonly syntax: Syntax | undefined;
  readonly globalArgs: readonly Instruction[];
  readonly stages: readonly Stage[];
};

/** Far more than anybody writes: what a stage inherits is followed through all stages below it. */
const MOST_STAGES = 300;

/**
 * Reads a Dockerfile as BuildKit's parser does. Unknown instructions and flags are kept: a newer frontend may know them.
 * @param text without loss: invalid UTF-8 that became U+FFFD on the way here would make different files equal.
 * @param file how messages name it.
 * @param firstLine the line of that file in which the text begins.
 * @throws ActionError E_DOCKERFILE with the line, for what no frontend can read.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/parser.go
 */
export function parseDockerfile(text: string, file: string, firstLine = 1): Dockerfile {
  const { instructions, directives } = readInstructions(text, { file, firstLine });
  const first = instructions.findIndex(({ keyword }) => keyword === "FROM");
  const globalArgs = first < 0 ? instructions : instructions.slice(0, first);
  const early = globalArgs.find(({ keyword }) => keyword !== "ARG");
  if (early)
    throw new ActionError("E_DOCKERFILE", {
      what: `${early.keyword} stands before the first FROM, where only ARG may stand.`,
      fix: `Start the Dockerfile with FROM, and check how ${early.keyword.slice(0, 100)} is written.`,
      at: { file, line: early.line },
    });
  if (first < 0)
    throw new ActionError("E_DOCKERFILE", {
      what: `${file} has no build stage: there is no FROM in it.`,
      fix: "Start it with FROM <image>.",
      at: { file, line: firstLine },
    });
  const stages = splitStages(instructions.slice(first), file);
  const tooMany = stages[MOST_STAGES];
  if (tooMany)
    throw new ActionError("E_DOCKERFILE", {
      what: `There are more than ${MOST_STAGES} stages.`,
      fix: "Split the Dockerfile.",
      at: { file, line: tooMany.from.line },
    });
  return { file, firstLine, escape: directives.escape, syntax: directives.syntax, globalArgs, stages };
}

function readInstructions(text: string, origin: Origin) {
  const { lines, directives } = readLines(text, origin, takesHeredocs);
  const instructions = lines.map((line): Instruction => {
    const escapeChar = directives.escape;
    const { keyword, flags, rest } = splitInstruction(line.text, escapeChar);
    if (/[^ -~]/.test(keyword))
      throw new ActionError("E_DOCKERFILE", {
        what: `The instruction "${keyword}" has a character that is in no instruction's name.`,
        fix: "Write it again with plain letters.",
        at: { file: origin.file, line: line.line },
      });
    return {
      keyword,
      flags,
      rest,
      heredocs: line.heredocs,
      line: line.line,
      endLine: line.endLine,
      isOpen: line.isOpen,
      escape: escapeChar,
    };
  });
  return { instructions, directives };
}

function splitInstruction(text: string, escapeChar: string): Pick<Instruction, "keyword" | "flags" | "rest"> {
  const whole = trimSpace(text);
  const [written, behind = ""] = cutAtBlanks(whole);
  const [keyword, { flags, rest }] = [keywordOf(written), splitFlags(behind, escapeChar)];
  if (keyword !== "ONBUILD") return { keyword, flags, rest };
  // A trigger goes into the image's config with the blanks behind it.
  return { keyword, flags, rest: rest + text.slice(text.indexOf(whole) + whole.length) };
}

/** BuildKit folds a keyword down, so that `WORKDİR` is one; upper-case here, but for what then is none in ASCII. */
export function keywordOf(word: string): string {
  const folded = lowerCase(word);
  return /[^ -~]/.test(folded) ? word : folded.toUpperCase();
}

/** Only these take here-documents, and not in their JSON form; ONBUILD hands them on. */
export function takesHeredocs(text: string, escapeChar: string): boolean {
  const outer = splitInstruction(text, escapeChar);
  const { keyword, rest } = outer.keyword === "ONBUILD" ? splitInstruction(outer.rest, escapeChar) : outer;
  return ["RUN", "COPY", "ADD"].includes(keyword) && jsonWords(rest) === undefined;
}

function splitStages(instructions: readonly Instruction[], file: string): readonly Stage[] {
  const starts = instructions.flatMap(({ keyword }, at) => (keyword === "FROM" ? [at] : []));
  return starts.flatMap((start, index) => {
    const [first, ...others] = instructions.slice(start, starts[index + 1]);
    return first ? [{ index, ...readFrom(first, file), instructions: others }] : [];
  });
}

function readFrom(instruction: Instruction, file: string): Pick<Stage, "name" | "from"> {
  const [base = "", as, name, ...more] = splitAtBlanks(instruction.rest);
  const isNamed = as?.toUpperCase() === "AS" && name !== undefined && more.length === 0;
  if (base === "" || (as !== undefined && !isNamed))
    throw new ActionError("E_DOCKERFILE", {
      what: `${`FROM ${instruction.rest}`.trim()} is not written as FROM <image> or FROM <image> AS <name>.`,
      fix: "Check the line.",
      at: { file, line: instruction.line },
    });
  const platform = instruction.flags.find((flag) => flag.startsWith("--platform="))?.slice("--platform=".length);
  return { name: name === undefined ? undefined : lowerCase(name), from: { ...instruction, base, platform } };
}

/**
 * The instruction that ONBUILD holds back, as the stage that runs it reads it: anew, with the default escape character.
 * @param text what stands behind ONBUILD, here-documents below it.
 * @returns `undefined` where BuildKit would refuse it: it is not one instruction.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/convert.go (initOnBuildTriggers)
 */
export function readTrigger(
  text: string,
  at: { readonly line: number; readonly endLine: number },
): Instruction | undefined {
  try {
    const { instructions } = readInstructions(text, { file: "ONBUILD", firstLine: 1 });
    const [only, ...more] = instructions;
    return only && more.length === 0 ? { ...only, line: at.line, endLine: at.endLine } : undefined;
  } catch (thrown) {
    if (thrown instanceof ActionError) return undefined;
    throw thrown;
  }
}

/** What an ONBUILD instruction hands to the stages that build on its stage. */
export function triggerText({ rest, heredocs }: Instruction): string {
  return [rest, ...heredocs.map(({ name, body }) => `${body}${name}`)].join("\n");
}

/**
 * The Dockerfile as it is once the ONBUILD triggers of a base image are known: they run first in the stage that is built on it.
 * @param line of the stage's FROM.
 * @param triggers `OnBuild` of the image's config. What BuildKit would refuse is left out.
 */
export function withTriggers(dockerfile: Dockerfile, line: number, triggers: readonly string[]): Dockerfile {
  const stages = dockerfile.stages.map((stage): Stage => {
    if (stage.from.line !== line) return stage;
    const run = triggers.flatMap((text) => readTrigger(text, stage.from) ?? []);
    return { ...stage, instructions: [...run, ...stage.instructions] };
  });
  return { ...dockerfile, stages };
}

/** Of these BuildKit sees nothing but the words, however far they stand apart: a line that goes on is often indented. */
function isSplitAtBlanks(keyword: string, rest: string): boolean {
  return ["FROM", "COPY", "ADD"].includes(keyword) && jsonWords(rest) === undefined;
}

/**
 * The one text of an instruction, as it goes into the key: comments, blank lines and line breaks of the source are gone, everything
 * that BuildKit sees is there. Two instructions that BuildKit sees as different have different texts.
 */
export function instructionText({ keyword, flags, rest, heredocs }: Instruction): string {
  const words = flags.map((flag) => (/^--[!#-[\]-~]*$/.test(flag) ? flag : JSON.stringify(flag)));
  // Behind a bare `--` what looks like a flag is none.
  const separator = /^"?--/.test(rest) ? ["--"] : [];
  const written = isSplitAtBlanks(keyword, rest) ? splitAtBlanks(rest).join(" ") : rest;
  const head = [keyword, ...words, ...separator, ...(rest === "" ? [] : [written])].join(" ");
  const bodies = heredocs.map(({ name, expand, stripTabs, body }) => {
    const sign = `<<${stripTabs ? "-" : ""}${expand ? name : `'${name}'`}`;
    // No line of the body is the name: so the name ends it.
    return `\n${sign}\n${body}${name}`;
  });
  return [head, ...bodies].join("");
}
