import type { Exec, Finished } from "../../src/world.ts";

/** What programs answer, by the beginning of their command line; the longest one that fits counts. `undefined`: there is no such program. */
export type Answers = Readonly<Record<string, Finished | undefined | ((line: string) => Finished)>>;

export type Programs = {
  readonly exec: Exec;
  /** The command lines in their order. */
  readonly calls: string[];
  /** The environments of the calls. */
  readonly environments: Readonly<Record<string, string>>[];
};

/** Stands in for the programs of a machine. A command line that nobody expects fails. */
export function programsOf(answers: Answers): Programs {
  const calls: string[] = [];
  const environments: Readonly<Record<string, string>>[] = [];
  const beginnings = Object.keys(answers).sort((a, b) => b.length - a.length);
  const exec: Exec = async (program, args, options) => {
    const line = [program, ...args].join(" ");
    calls.push(line);
    environments.push(options?.env ?? {});
    const beginning = beginnings.find((one) => line === one || line.startsWith(`${one} `));
    const answer = beginning === undefined ? failed(`unexpected: ${line}`) : answers[beginning];
    return typeof answer === "function" ? answer(line) : answer;
  };
  return { exec, calls, environments };
}

export function ok(stdout = ""): Finished {
  return { code: 0, stdout, stderr: "" };
}

export function failed(stderr: string, code = 1): Finished {
  return { code, stdout: "", stderr };
}
