import { ActionError } from "../errors.ts";
import { type Directives, type Heredoc, type Line, readLines } from "./lex.ts";

/** One instruction as BuildKit sees it. `line` counts from 1. */
export type Instruction = {
  /** Upper-case. */
  readonly keyword: string;
  /** The words with `--` right behind the keyword, quotes taken off. */
  readonly flags: readonly string[];
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  readonly line: number;
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
  readonly escape: string;
  readonly syntax: { readonly reference: string; readonly line: number } | undefined;
  readonly globalArgs: readonly Instruction[];
  readonly stages: readonly Stage[];
};

/**
 * Reads a Dockerfile as BuildKit's parser does. Unknown instructions and flags are kept: a newer frontend may know them.
 * @param file how messages name it.
 * @throws ActionError E_DOCKERFILE with the line, for what no frontend can read.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/parser/parser.go
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const { lines, directives } = readLines(text, file);
  const globalArgs: Instruction[] = [];
  const stages: { index: number; name: string | undefined; from: From; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const instruction = asInstruction(line);
    const stage = stages.at(-1);
    if (instruction.keyword === "FROM") stages.push(startStage(instruction, stages.length, file));
    else if (stage) stage.instructions.push(instruction);
    else if (instruction.keyword === "ARG") globalArgs.push(instruction);
    else
      throw new ActionError("E_DOCKERFILE", {
        what: `${instruction.keyword} stands before the first FROM, where only ARG may stand.`,
        fix: "Start the Dockerfile with FROM.",
        at: { file, line: line.line },
      });
  }
  if (stages.length === 0)
    throw new ActionError("E_DOCKERFILE", {
      what: `${file} has no FROM, so it builds nothing.`,
      fix: "Start it with FROM <image>.",
      at: { file, line: 1 },
    });
  return { file, escape: directives.escape, syntax: syntaxOf(directives), globalArgs, stages };
}

function syntaxOf({ syntax }: Directives): Dockerfile["syntax"] {
  // What stands behind the reference are options of the frontend's command line.
  return syntax && { reference: syntax.value.split(/\s+/, 1)[0] ?? "", line: syntax.line };
}

function startStage(
  instruction: Instruction,
  index: number,
  file: string,
): { index: number; name: string | undefined; from: From; instructions: Instruction[] } {
  const words = instruction.rest.split(/\s+/).filter((word) => word !== "");
  const [base, as, name] = words;
  const named = words.length === 3 && as?.toUpperCase() === "AS";
  if (base === undefined || (words.length !== 1 && !named))
    throw new ActionError("E_DOCKERFILE", {
      what: `FROM ${instruction.rest} is not written as FROM <image> or FROM <image> AS <name>.`,
      fix: "Check the line.",
      at: { file, line: instruction.line },
    });
  const platform = instruction.flags.find((flag) => flag.startsWith("--platform="))?.slice("--platform=".length);
  return {
    index,
    name: named ? name?.toLowerCase() : undefined,
    from: { ...instruction, base, platform },
    instructions: [],
  };
}

function asInstruction(line: Line): Instruction {
  const [, keyword = "", behind = ""] = /^(\S+)(?:[\t\v\f\r ]+([\s\S]*))?$/.exec(line.text.trim()) ?? [];
  const { flags, rest } = splitFlags(behind.trim());
  return { keyword: keyword.toUpperCase(), flags, rest, heredocs: line.heredocs, line: line.line };
}

/** Also for the instruction inside ONBUILD, and for a trigger of a base image. */
export function parseTrigger(text: string, line: number): Instruction {
  return asInstruction({ text, heredocs: [], line });
}

/**
 * Takes the flags off the front of an instruction: words with `--`, in which quotes group and a backslash takes the next character as
 * it is. A bare `--` ends them.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/parser/split_command.go (extractBuilderFlags)
 */
function splitFlags(text: string): { readonly flags: readonly string[]; readonly rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at] ?? "")) at++;
    if (!text.startsWith("--", at)) return { flags, rest: text.slice(at) };
    const word = readFlag(text, at);
    if (word.text === "--") return { flags, rest: text.slice(word.end).trimStart() };
    flags.push(word.text);
    at = word.end;
  }
}

function readFlag(text: string, from: number): { readonly text: string; readonly end: number } {
  let word = "";
  let quote = "";
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && /\s/.test(char)) break;
    if (char === "\\" && quote !== "'") word += text[++at] ?? "";
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = "";
    else word += char;
  }
  return { text: word, end: at };
}

/**
 * The one text of an instruction, as it goes into the key: comments, blank lines and line breaks of the source are gone, everything
 * that BuildKit sees is there.
 */
export function instructionText(instruction: Instruction): string {
  const head = [instruction.keyword, ...instruction.flags, instruction.rest].join(" ").trimEnd();
  const bodies = instruction.heredocs.map(({ name, expand, body }) => `\n<<${expand ? "" : "'"}${name}\n${body}`);
  return [head, ...bodies].join("");
}
