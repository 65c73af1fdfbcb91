import { appendFileSync, realpathSync } from "node:fs";
import * as core from "@actions/core";
import { ActionError, type Place, tellPlace, withPlace } from "../errors.ts";
import { asLine } from "../line.ts";
import type { Log } from "../world.ts";
import { formatCommand } from "./command.ts";

/** What a run says at its end beside its log. */
export type Door = {
  readonly log: Log;
  /** Tells of a failure that ends the job, and where it happened where that is a fault of ours. */
  readonly fail: (error: ActionError) => void;
  /** Tells of a failure with which the job goes on. */
  readonly forgive: (error: ActionError) => void;
  /** Whether a text holds something that this run has hidden. */
  readonly holdsMasked: (text: string) => boolean;
  /** A text with asterisks in the place of what this run has hidden, for where no runner does that. */
  readonly hide: (text: string) => string;
};

type Print = (text: string) => void;

type Annotating = {
  /** Whether the runner makes annotations of errors and warnings; one that does not would show the commands as they stand. */
  readonly annotates: boolean;
  /** Which file of the repository it is that messages name: an annotation at a link, or behind one, is shown nowhere. */
  readonly fileOf?: (file: string) => string;
};

/**
 * The one door through which text leaves: names, a commit's words and a registry's come through it as lines in which no runner finds a
 * command, whoever passes them on.
 * @param print takes whole lines.
 */
export function openDoor(print: Print, { annotates, fileOf = (file) => file }: Annotating = { annotates: true }): Door {
  const masked = new Set<string>();
  // A registry may repeat a login, and a build print what it was given.
  const hide = (text: string): string =>
    [...masked]
      .sort((one, other) => other.length - one.length)
      .reduce((told, secret) => told.replaceAll(secret, "***"), text);
  const info = (line: string): void => print(`${hide(asLine(line))}\n`);
  const command = (...told: Parameters<typeof formatCommand>): void => print(`${formatCommand(...told)}\n`);
  let isOurs = true;
  const annotate = (kind: "warning" | "error" | "notice", message: string, at: Place | undefined): void => {
    if (annotates) command(kind, hide(message), at && isOurs ? { file: asLine(fileOf(at.file)), line: at.line } : {});
    else for (const line of `${PLAIN[kind]}${message}`.split("\n")) info(line);
  };
  const warn = (line: string, at: Place | undefined): void =>
    annotate("warning", asLine(annotates && isOurs ? line : withPlace(line, at)), at);
  // Where nothing shows the place, the words have to.
  const isPlain = (line: string, { file }: Place): boolean => (annotates && isOurs) || line.includes(file);
  const log: Log = {
    info,
    debug: (line) => command("debug", hide(asLine(line))),
    warning: warn,
    notice: (line, at) => annotate("notice", asLine(isPlain(line, at) ? line : `${line} (${tellPlace(at)})`), at),
    detach: () => {
      isOurs = false;
    },
    group: async (title, body) => {
      command("group", hide(asLine(title)));
      try {
        return await body();
      } finally {
        command("endgroup", "");
      }
    },
    mask: (secret) => {
      for (const text of maskedForms(secret)) {
        masked.add(text);
        command("add-mask", text);
      }
    },
  };
  return {
    log,
    fail: (error) => {
      for (const one of [error, ...error.also]) {
        for (const line of stackOf(one)) info(line);
        annotate("error", describeError(one), one.at);
      }
    },
    forgive: (error) => {
      for (const one of [error, ...error.also]) annotate("warning", describeError(one), one.at);
    },
    hide,
    holdsMasked: (text) => [...masked].some((secret) => text.includes(secret)),
  };
}

const PLAIN = { warning: "Warning: ", error: "Error: ", notice: "  " } as const;

/** Of a program's last lines, what an annotation shows without being folded. */
const TOLD_LINES = 8;

/** What happened, the code by which the README lists it, and what to do now, each line of them one line. */
function describeError({ message, details, code, fix, at }: ActionError): string {
  const { title, lines = [] } = details ?? {};
  const printed = [...(title === undefined ? [] : [title]), ...lines.slice(-TOLD_LINES)];
  const [what = "", ...more] = [withPlace(message, at), ...printed].map(asLine);
  const told = `${[what, ...more].join("\n")} [${code}]`;
  return fix === undefined ? told : `${told}\n${asLine(fix)}`;
}

function stackOf({ code, cause }: ActionError): readonly string[] {
  return code === "E_BUG" && cause instanceof Error ? (cause.stack ?? "").split("\n") : [];
}

/** Below that a mask would hide half the log. */
const SHORTEST_MASK = 4;

/**
 * Some runners mask only whole values and some only single lines: each line is masked on its own, and as it is told where that differs.
 * act takes what follows the last `::` for the value and prints the command: what stands around it is masked before that.
 */
function maskedForms(secret: string): readonly string[] {
  const lines = secret.split(/\r\n|[\n\r]/);
  const pieces = lines.filter((line) => line.includes("::")).flatMap((line) => line.split("::"));
  const forms = [...pieces, secret, ...lines, ...lines.map(asLine)];
  return [...new Set(forms)].filter((text) => text.trim().length >= SHORTEST_MASK);
}

/**
 * Opens the door on standard output. What a library prints by itself leaves as mere lines from then on; only its debug lines stay what
 * they are.
 */
export function openStandardDoor({ annotates }: { readonly annotates: boolean }, root: string): Door {
  const print = process.stdout.write.bind(process.stdout);
  for (const stream of [process.stdout, process.stderr]) tameStream(stream);
  return openDoor(print, { annotates, fileOf: (file) => behindLinks(root, file) });
}

/** The file that a path leads to, where that is another one in the same folder; else the path as it is. */
function behindLinks(root: string, file: string): string {
  try {
    const [home, real] = [`${realpathSync(root)}/`, realpathSync(`${root}/${file}`)];
    return real.startsWith(home) ? real.slice(home.length) : file;
  } catch {
    return file;
  }
}

/** Each piece ends its line: none can be completed to a command by another. */
function tameStream(stream: NodeJS.WriteStream): void {
  const write = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
    const done = rest.find((one) => typeof one === "function");
    const lines = text.replace(/\n$/, "").split(/\r?\n/);
    return write(lines.map((line) => `${tameForeign(line)}\n`).join(""), () => done?.());
  };
}

const DEBUG = "::debug::";

function tameForeign(line: string): string {
  return line.startsWith(DEBUG) ? DEBUG + asLine(line.slice(DEBUG.length)) : asLine(line);
}

/** An input's text, as `core.getInput` finds it. */
export const readInput = (name: string): string => core.getInput(name);

/**
 * Sets every output, in one loop, each between delimiters that nobody can foresee; on a terminal, where there is no file for them, they
 * are printed by the log instead.
 */
export function publishOutputs(outputs: Readonly<Record<string, string>>): void {
  if (!process.env.GITHUB_OUTPUT) return;
  try {
    for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
  } catch (cause) {
    throw new ActionError("E_SYSTEM", {
      what: `The outputs cannot be written: the runner's file for them (GITHUB_OUTPUT) takes nothing. ${wordsOf(cause)}`,
      fix: "Look at the runner's disk, and at steps that remove or replace its own files.",
      cause,
    });
  }
}

/** Adds the summary to the job's page; hosts that show none accept the file or have none. No run fails for want of it. */
export function publishSummary(markdown: string, { warning }: Pick<Log, "warning">): void {
  const file = process.env.GITHUB_STEP_SUMMARY;
  try {
    if (file) appendFileSync(file, markdown);
  } catch (error) {
    warning(`The summary cannot be written into the runner's file for it (GITHUB_STEP_SUMMARY): ${wordsOf(error)}`);
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
