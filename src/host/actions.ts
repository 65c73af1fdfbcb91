import { appendFileSync } from "node:fs";
import * as core from "@actions/core";
import { type ActionError, tellPlace } from "../errors.ts";
import type { Log } from "../world.ts";

/** The log port on the runner's own commands. */
export function openLog(): Log {
  return {
    info: core.info,
    debug: core.debug,
    warning: (line, at) =>
      core.warning(line, at ? { file: at.file, ...(at.line === undefined ? {} : { startLine: at.line }) } : {}),
    error: (error) => core.error(describeError(error), place(error)),
    group: core.group,
    mask,
  };
}

/** What happened, the code by which the README lists it, and what to do now. */
export function describeError(error: ActionError): string {
  const where = error.at === undefined ? "" : `${tellPlace(error.at)}: `;
  return `${where}${error.message} [${error.code}]${error.fix === undefined ? "" : `\n${error.fix}`}`;
}

function place(error: ActionError): core.AnnotationProperties {
  if (error.at === undefined) return {};
  return { file: error.at.file, ...(error.at.line === undefined ? {} : { startLine: error.at.line }) };
}

/** Some runners mask only whole values and some only single lines: each line is masked on its own, very short ones would hide half the log. */
function mask(secret: string): void {
  for (const line of new Set([secret, ...secret.split(/\r?\n/)])) if (line.trim().length >= 4) core.setSecret(line);
}

/** An input's text, as `core.getInput` finds it. */
export const readInput = (name: string): string => core.getInput(name);

/** Sets every output, in one loop; on a terminal, where there is no file for them, they are printed by the log instead. */
export function publishOutputs(outputs: Readonly<Record<string, string>>): void {
  if (!process.env.GITHUB_OUTPUT) return;
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
}

/** Adds the summary to the job's page; hosts that show none accept the file or have none. */
export function publishSummary(markdown: string): void {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, markdown);
}

export function fail(error: ActionError): void {
  core.error(describeError(error), place(error));
  process.exitCode = 1;
}

/** Tells of a failure with which the job goes on. */
export function forgive(error: ActionError): void {
  core.warning(describeError(error), place(error));
}
