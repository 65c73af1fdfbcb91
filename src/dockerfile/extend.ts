import { ActionError } from "../errors.ts";
import type { Dockerfile } from "./parse.ts";
import { targetStage } from "./stages.ts";

/** The name that a target without one is given, so that a stage can be built on it. */
export const TARGET = "dev-container-cache-target";

/**
 * A Dockerfile with one more stage, built on its target. What stands behind the target is left out: nothing before it can use it. The
 * user's own lines keep their numbers.
 * @param text of the Dockerfile.
 * @param instructions of the new stage, one a line, in the file's own escape character.
 * @returns the text, and how many of its first lines are the user's.
 * @throws ActionError E_DOCKERFILE for a file that nothing can be added to: its last instruction does not end.
 */
export function extendDockerfile(
  text: string,
  dockerfile: Dockerfile,
  target: string | undefined,
  instructions: readonly string[],
): { readonly text: string; readonly ownLines: number } {
  const stage = targetStage(dockerfile, target);
  const name = stage.name ?? TARGET;
  const last = stage.instructions.at(-1) ?? stage.from;
  if (last.isOpen)
    throw new ActionError("E_DOCKERFILE", {
      what: `${dockerfile.file}:${last.line}: the ${last.keyword} instruction does not end: nothing can be added behind it.`,
      fix: `Take the ${dockerfile.escape} at the end of its last line away.`,
      at: { file: dockerfile.file, line: last.line },
    });
  const lines = text.split(/(?<=\n)/).slice(0, last.endLine);
  if (stage.name === undefined) nameStage(lines, stage.from.endLine);
  const own = lines.join("");
  const added = [`FROM ${name}`, ...instructions].join("\n");
  return { text: `${own}${own.endsWith("\n") ? "" : "\n"}${added}\n`, ownLines: lines.length };
}

function nameStage(lines: string[], line: number): void {
  const written = lines[line - 1] ?? "";
  const [, before = "", end = ""] = /^(.*?)([\t ]*\r*\n?)$/s.exec(written) ?? [];
  lines[line - 1] = `${before} AS ${TARGET}${end}`;
}

/**
 * A word in double quotes that stands for exactly this text.
 * @param escapeChar of the Dockerfile.
 * @param live variables in it are replaced by the build.
 */
export function quoteWord(text: string, escapeChar: string, { live }: { readonly live: boolean }): string {
  const special = live ? ['"', escapeChar] : ['"', escapeChar, "$"];
  const escaped = [...text].map((char) => (special.includes(char) ? `${escapeChar}${char}` : char)).join("");
  return `"${escaped}"`;
}
