/** The stable codes that the README's troubleshooting table lists. */
export type ErrorCode =
  | "E_INPUT"
  | "E_CONFIG"
  | "E_FEATURE"
  | "E_DOCKERFILE"
  | "E_CONTEXT"
  | "E_LIMIT"
  | "E_GIT"
  | "E_GIT_ABSENT"
  | "E_GIT_AUTH"
  | "E_AUTH"
  | "E_REGISTRY"
  | "E_MISS"
  | "E_DRIFT"
  | "E_UNKNOWN"
  | "E_PUSH"
  | "E_DOCKER"
  | "E_BUILD"
  | "E_CHANGED"
  | "E_SYSTEM"
  | "E_BUG";

/** A place in a file that a person can open: `line` counts from 1. */
export type Place = { readonly file: string; readonly line?: number };

/** `file:line`, as compilers write it. */
export function tellPlace({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** A message with its place in front; where it names the file itself, the line is added there. */
export function withPlace(message: string, at: Place | undefined): string {
  if (at === undefined) return message;
  const { file } = at;
  const place = tellPlace(at);
  const isNamed = (name: string, from: number): boolean =>
    !/[\w/.-]$/.test(message.slice(0, from)) && !/^(?:[\w/-]|[.:]\w)/.test(message.slice(from + name.length));
  const placed = message.indexOf(place);
  if (placed >= 0 && isNamed(place, placed)) return message;
  const named = message.indexOf(file);
  // "Dockerfile" is a word too.
  return /[/.]/.test(file) && named >= 0 && isNamed(file, named)
    ? `${message.slice(0, named)}${place}${message.slice(named + file.length)}`
    : `${place}: ${message}`;
}

const MOST_TOLD = 20;
const LONGEST_NAME = 100;

/** The names that there are, as a sentence lists them: the first of them where a stranger has written thousands. */
export function tellSome(names: readonly string[]): string {
  const told = names
    .slice(0, MOST_TOLD)
    .map((name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name));
  return [...told, ...(names.length > MOST_TOLD ? [`and ${names.length - MOST_TOLD} more`] : [])].join(", ");
}

/** What a path shows of how it was written, where nothing is there: the end of a sentence, or nothing. */
export function tellSlip(path: string): string {
  if (path.includes("\\")) return "; a path is written with /, and this one has \\";
  if (/["'“”‘’]/.test(path)) return "; the quotation marks count as a part of it";
  if (/(?:^|\/)~(?:\/|$)/.test(path)) return "; ~ stands for no folder here";
  return /(?:^|\/)https?:\//.test(path) ? "; nothing is fetched from an address" : "";
}

/** What a program or a server said, where that is to be shown as it is, under a title of ours. */
export type Details = { readonly title?: string; readonly lines: readonly string[] };

export type ActionErrorParts = {
  readonly what: string;
  readonly details?: Details | undefined;
  readonly fix?: string;
  readonly at?: Place;
  readonly cause?: unknown;
  readonly noticed?: readonly Warning[];
  readonly also?: readonly ActionError[];
};

/** Something that is probably not meant, with its place. */
export type Warning = { readonly text: string; readonly at?: Place };

/**
 * A message to a person: what happened, where, what to do now.
 * Every code but `E_BUG` says that something outside this program has to change.
 */
export class ActionError extends Error {
  readonly code: ErrorCode;
  readonly details: Details | undefined;
  readonly fix: string | undefined;
  readonly at: Place | undefined;
  /** What had been noticed until then: it may be the reason. */
  readonly noticed: readonly Warning[];
  /** What went wrong at the same time, each of it a failure of its own. */
  readonly also: readonly ActionError[];

  constructor(code: ErrorCode, parts: ActionErrorParts) {
    super(parts.what, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "ActionError";
    this.code = code;
    this.details = parts.details;
    this.fix = parts.fix;
    this.at = parts.at;
    this.noticed = parts.noticed ?? [];
    this.also = parts.also ?? [];
  }
}

/** The same error, told after what had been noticed before it. */
export function withNoticed(thrown: unknown, noticed: readonly Warning[]): ActionError {
  const error = asActionError(thrown);
  return new ActionError(error.code, { ...partsOf(error), noticed: [...noticed, ...error.noticed] });
}

/** Failures of the same moment as one: a fault of ours comes first, then they stand as they came. Nothing where there is none. */
export function joinErrors(all: readonly ActionError[]): ActionError | undefined {
  const isBug = ({ code }: ActionError): boolean => code === "E_BUG";
  const [first, ...others] = [...all.filter(isBug), ...all.filter((one) => !isBug(one))];
  if (first === undefined || others.length === 0) return first;
  return new ActionError(first.code, { ...partsOf(first), also: [...first.also, ...others] });
}

function partsOf({ message: what, fix, at, cause, details, noticed, also }: ActionError): ActionErrorParts {
  const parts = { what, cause, details, noticed, also };
  return { ...parts, ...(fix === undefined ? {} : { fix }), ...(at === undefined ? {} : { at }) };
}

const ANY_SYSTEM_FIX =
  "Look at that file and at the disk that it lies on; another try may do where it was written meanwhile.";

/** What the file system says, in words; the codes are those of errno(3). */
const SYSTEM_WORDS: Readonly<Record<string, readonly [why: string, fix: string]>> = {
  EACCES: [
    "this user has no right to it",
    "Give the user that this job runs as the right to it: a container of an earlier step may have made it as root.",
  ],
  EPERM: [
    "this user has no right to it",
    "Give the user that this job runs as the right to it: a container of an earlier step may have made it as root.",
  ],
  ENOSPC: ["no space is left on the device", "Free some space before this step, or give the runner a larger disk."],
  EDQUOT: [
    "this user's share of the disk is used up",
    "Free some space before this step, or give the runner a larger disk.",
  ],
  ENOENT: ["it is not there", ANY_SYSTEM_FIX],
  ENOTDIR: ["a part of its path is no folder", ANY_SYSTEM_FIX],
  EISDIR: ["it is a folder", "Put a file there, or name another one."],
  ENOTSUP: ["it is no file", "Put a file there, or name another one."],
  EROFS: ["the file system is read-only", "Point RUNNER_TEMP to a folder that can be written."],
  EMFILE: ["too many files are open", "Raise the limit of open files (ulimit -n) of this runner."],
};
type SystemError = Error & { readonly code: unknown; readonly syscall: unknown; readonly path: unknown };

/** A call of the system that has failed on a file, as Node throws it. */
function isSystemError(thrown: unknown): thrown is SystemError {
  return thrown instanceof Error && "code" in thrown && "syscall" in thrown && "path" in thrown;
}

/** Why a call of the system has failed, in words without the file; `undefined` for everything else that is thrown. */
export function systemReason(thrown: unknown): string | undefined {
  return isSystemError(thrown)
    ? (SYSTEM_WORDS[String(thrown.code)]?.[0] ?? `the system says ${thrown.code}`)
    : undefined;
}

/**
 * What a call of the system that failed tells, where it is one: the runner's trouble and not ours.
 * @param at the file as people know it, where the system's own path says less.
 */
export function asSystemError(thrown: unknown, at?: Place): ActionError | undefined {
  if (!isSystemError(thrown)) return undefined;
  const subject = at === undefined ? `${thrown.path}` : tellPlace(at);
  return new ActionError("E_SYSTEM", {
    what: `${subject} cannot be used (${thrown.syscall}): ${systemReason(thrown)}.`,
    fix: SYSTEM_WORDS[String(thrown.code)]?.[1] ?? ANY_SYSTEM_FIX,
    cause: thrown,
    ...(at === undefined ? {} : { at }),
  });
}

/** The same error in other words, details and what goes with it too. */
export function reworded(error: ActionError, reword: (text: string) => string): ActionError {
  const { what, fix, details, noticed = [], also = [], ...rest } = partsOf(error);
  const title = details?.title === undefined ? {} : { title: reword(details.title) };
  return new ActionError(error.code, {
    ...rest,
    what: reword(what),
    ...(fix === undefined ? {} : { fix: reword(fix) }),
    details: details && { ...title, lines: details.lines.map(reword) },
    noticed: noticed.map((warning) => ({ ...warning, text: reword(warning.text) })),
    also: also.map((one) => reworded(one, reword)),
  });
}

/** The same error at another place. */
export function placedAt(error: ActionError, at: Place): ActionError {
  return new ActionError(error.code, { ...partsOf(error), at });
}

/** Turns whatever was thrown into a message to a person; what nobody foresaw is our bug and says so. */
export function asActionError(thrown: unknown): ActionError {
  if (thrown instanceof ActionError) return thrown;
  const system = asSystemError(thrown);
  if (system) return system;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new ActionError("E_BUG", {
    what: `This is a fault in dev-container-cache itself: ${what}`,
    fix: "Please report it with the log of this step.",
    cause: thrown,
  });
}
