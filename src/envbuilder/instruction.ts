import { splitFlags } from "../dockerfile/flags.ts";
import { readLines } from "../dockerfile/lex.ts";
import { keywordOf, takesHeredocs } from "../dockerfile/parse.ts";
import { cutAtBlanks, trimSpace } from "../dockerfile/text.ts";
import type { Place } from "../errors.ts";
import { type Command, readCommand } from "./command.ts";
import { refuse } from "./unprobeable.ts";
import { wrongLine } from "./wrong-line.ts";

/** One instruction as kaniko holds it. */
export type Instruction = {
  readonly at: Place;
  /** The keyword as it is written. */
  readonly name: string;
  /** Its source in one line: what kaniko puts into keys and into the image's history. */
  readonly text: string;
  readonly command: Command;
  /** Whether a here-document stands behind it, which kaniko takes off and never runs. */
  readonly losesText: boolean;
};

/** One line of Go's `bufio.Scanner`. */
const LONGEST_LINE = 64 * 1024 - 1;
/** Each makes a layer, and no engine takes an image of so many. */
const MOST_INSTRUCTIONS = 1000;

/**
 * Reads a Dockerfile as the parser of BuildKit 0.16 does, which kaniko has.
 * @param place where a line is told to be: a base image's triggers have no lines of their own.
 * @throws ActionError E_DOCKERFILE for what that parser refuses, E_UNKNOWN for what it reads otherwise than the builder then does.
 * @see https://github.com/moby/buildkit/blob/v0.16.0/frontend/dockerfile/parser/parser.go (Parse)
 */
export function readInstructions(
  text: string,
  file: string,
  place = (line: number): Place => ({ file, line }),
): readonly Instruction[] {
  const tooLong = text.split("\n").findIndex((line) => new TextEncoder().encode(line).length >= LONGEST_LINE);
  if (tooLong >= 0) refuse(place(tooLong + 1), "This line is longer than envbuilder reads one.");
  const { lines, directives } = readLines(text, { file, firstLine: 1 }, takesHeredocs);
  if (directives.escape !== "\\")
    refuse(
      place(1),
      "The Dockerfile has another escape character, which envbuilder's parser heeds and its variables do not.",
    );
  if (lines.length > MOST_INSTRUCTIONS)
    refuse(place(lines[MOST_INSTRUCTIONS]?.line ?? 1), `There are more than ${MOST_INSTRUCTIONS} instructions.`);
  return lines.map(({ text: line, line: number, heredocs }) => {
    const at = place(number);
    const instruction = readInstruction(line, at);
    const losesText = heredocs.length > 0;
    if (losesText && instruction.command.kind !== "run")
      refuse(at, "envbuilder takes a here-document off an instruction and never looks at it: write it without.");
    return { ...instruction, losesText };
  });
}

function readInstruction(line: string, at: Place): Omit<Instruction, "losesText"> {
  const [name, behind = ""] = cutAtBlanks(trimSpace(line));
  const keyword = keywordOf(name);
  if (/[^ -~]/.test(keyword)) throw wrongLine(at, `${name} has a character that is in no instruction's name`);
  const { flags, rest } = splitFlags(behind, "\\");
  const command = readCommand({ keyword, flags, rest, line, at });
  return { at, name, text: trimSpace(line), command };
}
