import { ActionError, type Details, type ErrorCode, type Place } from "../errors.ts";
import type { EndedBy } from "../world.ts";
import {
  FAILED_UNDER_EMULATION,
  KNOWN_OUTPUT,
  KNOWN_WORDS,
  type KnownFailure,
  MORE_MEMORY,
  SCANNER_FAILED,
  SERVER_FAILED,
  STOPPED,
  TOO_LARGE,
  WRONG_OPTION,
} from "./known-failures.ts";
import type { BuildFailure } from "./last-words.ts";
import { signalOf, tellEnder } from "./signals.ts";

/**
 * The user's Dockerfile: the file, and in which of its lines the text that was sent begins. That may go on after `lastLine` of its own:
 * with instructions that are not the user's.
 */
export type UserDockerfile = { readonly file: string; readonly firstLine: number; readonly lastLine: number };

/** Where a person finds a line of the text that was sent. */
export function placeInFile({ file, firstLine }: UserDockerfile, line: number): Place {
  return { file, line: firstLine + line - 1 };
}

/**
 * Whether it was the server's own fault or a broken connection in the middle of a push: BuildKit tries such a push again for some
 * seconds, and then it is fair to try once more.
 */
export function isServersFault({ words }: BuildFailure): boolean {
  const told = withoutCommand(words);
  return SERVER_FAILED.test(told) || BROKEN_PUSH.test(told);
}

const BROKEN_PUSH =
  /failed to push .*(?:connection reset by peer|broken pipe|unexpected EOF|: EOF$|use of closed network connection)/;

/** Whether the SBOM was larger than BuildKit lets through. Nothing is pushed then, and a build without one would be. */
export function isTooLargeSbom({ words }: BuildFailure): boolean {
  return TOO_LARGE.test(withoutCommand(words));
}

/** What was built for, and how buildx itself ended. */
export type Failed = {
  readonly platform: string;
  /** For the line at which it failed. */
  readonly dockerfile: UserDockerfile | undefined;
  /** Where somebody asks for a step that stands in none of its lines. */
  readonly placeOfStep?: (step: string) => Place | undefined;
  /** 130 when it was stopped, 125 for a wrong option; every failure of a build is 1. */
  readonly code: number;
  /** Where something else has ended it. */
  readonly endedBy?: EndedBy | undefined;
};

/** Says why a build failed, to a person. */
export function explainFailure(
  failure: BuildFailure,
  { platform, dockerfile, placeOfStep, code, endedBy }: Failed,
): ActionError {
  const known = recognise(failure, code, endedBy);
  const at = placeOf(failure, dockerfile) ?? (failure.step === undefined ? undefined : placeOfStep?.(failure.step));
  return new ActionError(known?.code ?? codeOf(failure.words), {
    what: tellFailure(failure, platform, known?.what),
    details: tellOutput(failure),
    fix: known?.fix ?? OUTPUT_ABOVE,
    ...(at ? { at } : {}),
  });
}

const OUTPUT_ABOVE = "The build's own output stands in the log of this step.";

function tellFailure({ words, step }: BuildFailure, platform: string, what: string | undefined): string {
  const where = step === undefined ? "" : ` at ${step}`;
  const said = step === undefined ? words : words.replace(COMMAND, "the command");
  const why = what === undefined ? said : `${what}. BuildKit says: ${said}`;
  return `The build for ${platform} failed${where}: ${why}`;
}

function tellOutput({ output }: BuildFailure): Details | undefined {
  return output.length > 0 ? { title: "The last lines of that step:", lines: output } : undefined;
}

type Recognised = Omit<KnownFailure, "words">;

function recognise(failure: BuildFailure, code: number, endedBy: EndedBy | undefined): Recognised | undefined {
  const { words, step, output } = failure;
  if (code === 130) return STOPPED;
  if (endedBy !== undefined) return ended("docker buildx", endedBy);
  if (code === 125) return WRONG_OPTION;
  if (step !== undefined && SCANNER_FAILED.words.test(step)) return SCANNER_FAILED;
  const said = withoutCommand(words);
  const known = find(KNOWN_WORDS, said) ?? find(KNOWN_OUTPUT, output.join("\n"));
  const emulated = find([FAILED_UNDER_EMULATION], said);
  const signal = signalOf(Number(/exit code: (\d+)/.exec(said)?.[1]));
  if (known !== undefined || signal === undefined) return known ?? emulated;
  return { ...ended("a command", signal), ...(emulated && { fix: emulated.fix }) };
}

function ended(program: string, by: EndedBy): Recognised {
  return { what: `${program} ${tellEnder(by)}`, fix: by === "SIGKILL" ? MORE_MEMORY : OUTPUT_ABOVE };
}

function find(table: readonly KnownFailure[], text: string): Recognised | undefined {
  for (const known of table) {
    const match = known.words.exec(text);
    if (match) return { ...known, what: known.what.replaceAll("$1", () => match[1] ?? "") };
  }
  return undefined;
}

/** BuildKit quotes the command that failed. Its text tells nothing about why: `RUN curl … || echo "503 Service Unavailable"`. */
const COMMAND = /process "(\/dev\/\.buildkit_qemu_emulator)?(?:[^"\\]|\\.)*"/s;

function withoutCommand(words: string): string {
  return words.replace(COMMAND, 'process "$1"');
}

function codeOf(words: string): ErrorCode {
  if (/failed to push /.test(words)) return "E_PUSH";
  return /failed to resolve source metadata|failed to copy: /.test(words) ? "E_REGISTRY" : "E_BUILD";
}

function placeOf({ line }: BuildFailure, dockerfile: UserDockerfile | undefined): Place | undefined {
  if (dockerfile === undefined || line === undefined || line > dockerfile.lastLine) return undefined;
  return placeInFile(dockerfile, line);
}
