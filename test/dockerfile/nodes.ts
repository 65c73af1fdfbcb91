import type { Dockerfile, Instruction } from "../../src/dockerfile/parse.ts";
import { splitAtBlanks } from "../../src/dockerfile/text.ts";
import { argWords, envWords, jsonWords, listWords } from "../../src/dockerfile/words.ts";

/** An instruction in the shape in which BuildKit's parser was recorded. `args` only where both take the instruction apart. */
export type Node = {
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly args: readonly string[] | undefined;
  readonly heredocs: Instruction["heredocs"];
  readonly line: number;
  readonly endLine: number;
};

export function nodesOf({ globalArgs, stages }: Dockerfile): readonly Node[] {
  return [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])].map((instruction) => ({
    keyword: instruction.keyword,
    flags: instruction.flags,
    args: argsOf(instruction),
    heredocs: instruction.heredocs,
    line: instruction.line,
    endLine: instruction.endLine,
  }));
}

function argsOf({ keyword, rest, escape: escapeChar }: Instruction): readonly string[] | undefined {
  const whole = rest === "" ? [] : [rest];
  switch (keyword) {
    case "RUN":
    case "CMD":
    case "ENTRYPOINT":
    case "SHELL":
      return jsonWords(rest) ?? whole;
    case "COPY":
    case "ADD":
    case "VOLUME":
      return listWords(rest);
    case "FROM":
    case "EXPOSE":
      return whole.flatMap(splitAtBlanks);
    case "ARG":
      return argWords(rest, escapeChar).map(({ name, value }) => (value === undefined ? name : `${name}=${value}`));
    case "ENV":
    case "LABEL": {
      const sign = rest === "" || envWords(rest, escapeChar)[0]?.name === splitAtBlanks(rest)[0] ? "" : "=";
      return envWords(rest, escapeChar).flatMap(({ name, value = "" }) => [name, value, sign]);
    }
    case "WORKDIR":
    case "USER":
    case "STOPSIGNAL":
    case "MAINTAINER":
      return whole;
    default:
      return undefined;
  }
}
