/** A step that BuildKit called failed, and the last lines that it printed. */
export type FailedStep = { readonly name: string; readonly error: string; readonly output: readonly string[] };

/** What is known of a build that failed. */
export type BuildFailure = {
  /** BuildKit's or buildx's own last words. */
  readonly words: string;
  readonly step: string | undefined;
  /** The last lines that the step printed. */
  readonly output: readonly string[];
  /** Counts from 1, in the Dockerfile that was sent. */
  readonly line: number | undefined;
};

/**
 * Finds out what failed.
 * @param text what buildx wrote for people, a line each: an excerpt of the Dockerfile and `ERROR: …` at the end.
 * @param failed the failed steps in the order in which they failed; without any, the step that the text itself quotes counts.
 */
export function readFailure(text: readonly string[], failed: readonly FailedStep[]): BuildFailure {
  const words = lastWords(text);
  const step = failed.findLast(({ error }) => words.includes(error)) ?? failed[0] ?? quotedStep(text);
  return { words, step: step?.name, output: step?.output ?? [], line: quotedLine(text, words) };
}

/** Usage errors have no `ERROR:` and end with a hint to `--help`. */
function lastWords(text: readonly string[]): string {
  const said = text.filter((line) => line.trim() !== "");
  const last =
    said.findLast((line) => /^(ERROR|error):/.test(line)) ??
    said.findLast((line) => /^(unknown|invalid|bad) .*(flag|argument)|^flag needs/.test(line)) ??
    said.at(-1);
  return last?.replace(/^(ERROR|error): (failed to build: )?/, "") ?? "docker buildx ended without a word";
}

/** Before the excerpt: `Dockerfile:12`, then a row of dashes. */
function quotedLine(text: readonly string[], words: string): number | undefined {
  const at = text.findLastIndex((line, index) => /:\d+$/.test(line) && /^-{5,}$/.test(text[index + 1] ?? ""));
  const line = /:(\d+)$/.exec(text[at] ?? "") ?? /dockerfile parse error on line (\d+)/.exec(words);
  return line?.[1] === undefined ? undefined : Number(line[1]);
}

/** `--progress plain` repeats the failed step between rows of dashes: ` > [2/2] RUN make:`, then its output with seconds before each line. */
function quotedStep(text: readonly string[]): FailedStep | undefined {
  const at = text.findLastIndex((line, index) => /^ > .+:$/.test(line) && /^-{5,}$/.test(text[index - 1] ?? ""));
  const name = /^ > (.+):$/.exec(text[at] ?? "")?.[1];
  if (name === undefined) return undefined;
  const rest = text.slice(at + 1);
  const end = rest.findIndex((line) => /^-{5,}$/.test(line));
  const output = (end < 0 ? rest : rest.slice(0, end)).map((line) => line.replace(/^\d+\.\d+ /, ""));
  return { name, error: "", output };
}
