/** The stable codes that the README's troubleshooting table lists. */
export type ErrorCode =
  | "E_INPUT"
  | "E_CONFIG"
  | "E_FEATURE"
  | "E_DOCKERFILE"
  | "E_CONTEXT"
  | "E_LIMIT"
  | "E_NOT_YET"
  | "E_AUTH"
  | "E_REGISTRY"
  | "E_MISS"
  | "E_DRIFT"
  | "E_UNKNOWN"
  | "E_PUSH"
  | "E_DOCKER"
  | "E_BUILD"
  | "E_CHANGED"
  | "E_BUG";

/** A place in a file that a person can open: `line` counts from 1. */
export type Place = { readonly file: string; readonly line?: number };

/** `file:line`, as compilers write it. */
export function tellPlace({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`;
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

export type ActionErrorParts = {
  readonly what: string;
  /** What stands below that, a line each: the last lines that a program printed. */
  readonly details?: readonly string[];
  readonly fix?: string;
  readonly at?: Place;
  readonly cause?: unknown;
  readonly noticed?: readonly Warning[];
};

/** Something that is probably not meant, with its place. */
export type Warning = { readonly text: string; readonly at?: Place };

/**
 * A message to a person: what happened, where, what to do now.
 * Every code but `E_BUG` says that something outside this program has to change.
 */
export class ActionError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly string[];
  readonly fix: string | undefined;
  readonly at: Place | undefined;
  /** What had been noticed until then: it may be the reason. */
  readonly noticed: readonly Warning[];

  constructor(code: ErrorCode, parts: ActionErrorParts) {
    super(parts.what, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "ActionError";
    this.code = code;
    this.details = parts.details ?? [];
    this.fix = parts.fix;
    this.at = parts.at;
    this.noticed = parts.noticed ?? [];
  }
}

/** The same error, told after what had been noticed before it. */
export function withNoticed(thrown: unknown, noticed: readonly Warning[]): ActionError {
  const { code, message: what, fix, at, cause, noticed: more } = asActionError(thrown);
  const parts = { what, cause, noticed: [...noticed, ...more] };
  return new ActionError(code, {
    ...parts,
    ...(fix === undefined ? {} : { fix }),
    ...(at === undefined ? {} : { at }),
  });
}

/** Turns whatever was thrown into a message to a person; what nobody foresaw is our bug and says so. */
export function asActionError(thrown: unknown): ActionError {
  if (thrown instanceof ActionError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new ActionError("E_BUG", {
    what: `This is a fault in dev-container-cache itself: ${what}`,
    fix: "Please report it with the log of this step.",
    cause: thrown,
  });
}
