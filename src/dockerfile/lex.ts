import { ActionError } from "../errors.ts";
import { type Directives, type Origin, readDirectives } from "./directives.ts";
import { findOpenings, type Heredoc, type Opening } from "./heredoc.ts";
import { trimSpaceBefore } from "./text.ts";

/** One instruction's text: continuations joined, comments and blank lines in it gone. */
export type Line = {
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  /** As the file counts it. */
  readonly line: number;
  /** As the text counts it, from 1. */
  readonly endLine: number;
  /** Its last line is joined with the next one, and there is none. */
  readonly isOpen: boolean;
};

/** Tells whether an instruction may open here-documents; what does not is not searched for them. */
export type TakesHeredocs = (text: string, escapeChar: string) => boolean;

/**
 * Splits a Dockerfile into instructions.
 * @throws ActionError E_DOCKERFILE with the line.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/parser.go (Parse)
 */
export function readLines(
  text: string,
  { file, firstLine }: Origin,
  takesHeredocs: TakesHeredocs,
): { readonly lines: readonly Line[]; readonly directives: Directives } {
  const withEnds = text.replace(/^\uFEFF/, "").match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const source = withEnds.map(withoutEnd);
  const directives = readDirectives(source, { file, firstLine });
  const lines: Line[] = [];
  for (let at = 0; at < source.length; ) {
    const place = { file, line: firstLine + at };
    const joined = joinContinuations(source, at, directives.escape);
    at = joined.next;
    if (trimSpaceBefore(joined.text) === "") {
      if (joined.isJoined) throw nothingJoined(directives.escape, place);
      continue;
    }
    const heredocs: Heredoc[] = [];
    for (const opening of openingsOf(joined.text, place, directives.escape, takesHeredocs)) {
      const { body, next } = readBody(withEnds, at, opening, place);
      heredocs.push({ ...opening, body });
      at = next;
    }
    lines.push({ text: joined.text, heredocs, line: place.line, endLine: at, isOpen: joined.isOpen });
  }
  return { lines, directives };
}

function withoutEnd(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\n" || line[end - 1] === "\r") end--;
  return line.slice(0, end);
}

/**
 * Joins an instruction's lines. Blanks in front of the first line go, those in front of the others stay; comments and blank lines
 * between them go.
 */
function joinContinuations(
  source: readonly string[],
  from: number,
  escapeChar: string,
): { readonly text: string; readonly isJoined: boolean; readonly isOpen: boolean; readonly next: number } {
  const first = trimSpaceBefore(source[from] ?? "");
  let next = from + 1;
  if (first.startsWith("#")) return { text: "", isJoined: false, isOpen: false, next };
  let part = withoutContinuation(first, escapeChar);
  let text = part ?? first;
  const isJoined = part !== undefined;
  while (part !== undefined && next < source.length) {
    const line = source[next++] ?? "";
    const start = trimSpaceBefore(line);
    if (start === "" || start.startsWith("#")) continue;
    part = withoutContinuation(line, escapeChar);
    text += part ?? line;
  }
  return { text, isJoined, isOpen: part !== undefined, next };
}

/** BuildKit takes it for an instruction without a name, and refuses that. */
function nothingJoined(escapeChar: string, at: At): ActionError {
  return new ActionError("E_DOCKERFILE", {
    what: `This line has nothing but a ${escapeChar}, and nothing follows that it could join.`,
    fix: "Take the line out.",
    at,
  });
}

/**
 * A line without the escape character at its end that joins the next one; blanks behind it are allowed. With another escape character
 * in front it is an escaped one and joins nothing.
 */
function withoutContinuation(line: string, escapeChar: string): string | undefined {
  let end = line.length;
  while (line[end - 1] === " " || line[end - 1] === "\t") end--;
  return line[end - 1] === escapeChar && line[end - 2] !== escapeChar ? line.slice(0, end - 1) : undefined;
}

type At = { readonly file: string; readonly line: number };

function openingsOf(text: string, at: At, escapeChar: string, takesHeredocs: TakesHeredocs): readonly Opening[] {
  if (!text.includes("<<") || !takesHeredocs(text, escapeChar)) return [];
  const openings = findOpenings(text);
  if (openings) return openings;
  throw new ActionError("E_DOCKERFILE", {
    what: "It cannot be told which here-documents this line opens: a name has a backslash between double quotes, which the versions of BuildKit read in different ways, or variables stand in one another beyond reason.",
    fix: "Give it a plain name, like <<EOF.",
    at,
  });
}

function readBody(
  withEnds: readonly string[],
  from: number,
  { name, stripTabs }: Opening,
  at: At,
): { readonly body: string; readonly next: number } {
  const isEnd = (line: string): boolean =>
    (stripTabs ? withoutEnd(line).replace(/^\t+/, "") : withoutEnd(line)) === name;
  for (let end = from; end < withEnds.length; end++)
    if (isEnd(withEnds[end] ?? "")) return { body: withEnds.slice(from, end).join(""), next: end + 1 };
  throw new ActionError("E_DOCKERFILE", {
    what: `The here-document ${name} does not end.`,
    fix: `Put a line with ${name} alone behind it.`,
    at,
  });
}
