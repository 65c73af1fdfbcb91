import { readExpression } from "./expression.ts";
import { matchesWhole, type Step } from "./wildcard.ts";

/** A pattern of an ignore file. `isPlain`: it has no character that stands for another one. */
export type IgnorePattern = {
  readonly written: string;
  readonly isPlain: boolean;
  readonly matches: (subject: Subject) => boolean;
};

/** A path that is matched with many patterns: its characters are made once, if any of them wants them. */
export type Subject = { readonly path: string; readonly chars: () => readonly string[] };

export function asSubject(path: string): Subject {
  let chars: readonly string[] | undefined;
  return {
    path,
    chars: () => {
      chars ??= [...path];
      return chars;
    },
  };
}

/**
 * Turns a pattern into what it matches, along BuildKit's own way: a plain text, the start or the end of one, or a regular expression.
 * The three take some patterns differently, `**foo` for one.
 * @returns `undefined` for a regular expression that BuildKit refuses.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.1/patternmatcher.go (compile, match)
 */
export function compileIgnorePattern(written: string): IgnorePattern | undefined {
  const { kind, expression } = translate(written);
  if (kind === "plain") return { written, isPlain: true, matches: ({ path }) => path === written };
  if (kind === "start") {
    const start = written.slice(0, -2);
    return { written, isPlain: false, matches: ({ path }) => path.startsWith(start) };
  }
  if (kind === "end") {
    const end = written.slice(2);
    const matches = ({ path }: Subject) => path.endsWith(end) || (end.startsWith("/") && path === end.slice(1));
    return { written, isPlain: false, matches };
  }
  const rows = readExpression(expression)?.map((steps) => ({ steps, ...literalEnds(steps) }));
  if (!rows) return undefined;
  const matches = ({ path, chars }: Subject) =>
    rows.some(({ steps, start, end }) => path.startsWith(start) && path.endsWith(end) && matchesWhole(steps, chars()));
  return { written, isPlain: false, matches };
}

/** What a text that the steps match has to begin and end with: most paths fail there already. */
function literalEnds(steps: readonly Step[]): { readonly start: string; readonly end: string } {
  const literals = steps.map((step) => (step.kind === "one" ? step.char : undefined));
  const first = literals.indexOf(undefined);
  return {
    start: (first < 0 ? literals : literals.slice(0, first)).join(""),
    end: literals.slice(literals.lastIndexOf(undefined) + 1).join(""),
  };
}

type Kind = "plain" | "start" | "end" | "expression";

type Translated = { readonly kind: Kind; readonly expression: string };

/** The regular expression, in Go's writing, that the pattern becomes. It matches as a whole. */
function translate(written: string): Translated {
  // Go's text/scanner passes over a byte order mark in front.
  const chars = [...written.replace(/^\uFEFF/, "")];
  let done: Translated = { kind: "plain", expression: "" };
  for (let at = 0; at < chars.length; ) {
    const length = lengthOfPiece(chars, at);
    const piece = chars.slice(at, at + length).join("");
    const isLast = at + length >= chars.length;
    done = piece.startsWith("**") ? addDeep(done, at === 0, isLast) : addPiece(done, piece);
    at += length;
  }
  return done;
}

/** A star takes a second one with it, and the slash behind that; a backslash the character behind it. */
function lengthOfPiece(chars: readonly string[], at: number): number {
  if (chars[at] === "\\") return 2;
  if (chars[at] !== "*" || chars[at + 1] !== "*") return 1;
  return chars[at + 2] === "/" ? 3 : 2;
}

function addDeep({ kind, expression }: Translated, isFirst: boolean, isLast: boolean): Translated {
  const isStart = isLast && kind === "plain";
  const more = !isLast ? "(.*/)?" : isStart ? "" : ".*";
  return { kind: isFirst ? "end" : isStart ? "start" : "expression", expression: expression + more };
}

function addPiece({ kind, expression }: Translated, piece: string): Translated {
  if (piece === "*") return { kind: "expression", expression: `${expression}[^/]*` };
  if (piece === "?") return { kind: "expression", expression: `${expression}[^/]` };
  if (/^[\\[\]]/.test(piece)) return { kind: "expression", expression: expression + piece };
  // A bar and braces were meant to be escaped as well, and are not: the table of what is escaped is too small for them.
  return { kind, expression: expression + (".+()$".includes(piece) ? `\\${piece}` : piece) };
}
