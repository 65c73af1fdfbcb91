import { ActionError, type Place } from "../errors.ts";
import { trimSpaceBefore } from "./text.ts";

/** Where a Dockerfile stands: a file of its own begins with line 1, a text in another file later. */
export type Origin = { readonly file: string; readonly firstLine: number };

export type Directives = {
  /** What escapes, and joins lines. */
  readonly escape: "\\" | "`";
  readonly syntax: Syntax | undefined;
};

/** The frontend that a Dockerfile chooses; `options` is what the frontend is told in the same line. */
export type Syntax = { readonly reference: string; readonly options: string; readonly line: number };

type Directive = { readonly name: string; readonly value: string; readonly line: number };

/** Go's `\s` is narrower than JavaScript's. */
const DIRECTIVE = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+?)[\t\n\f\r ]*$/;
const KNOWN = ["syntax", "escape", "check"];
/** Old frontends end the blanks behind `#` here, newer ones do not. */
const DOUBTFUL =
  /^#[\t\n\f\r ]*[\v\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]\s*(?:syntax|escape|check)\s*=/i;

/**
 * Reads the directives at the very top of a Dockerfile. The first line that is none ends them, a blank one too.
 *
 * BuildKit reads them twice, by different rules: the parser takes a line with blanks in front and knows nothing of `#!`; what
 * chooses the frontend passes over a `#!` line and takes no blanks in front.
 * @throws ActionError E_DOCKERFILE with the line.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/directives.go
 */
export function readDirectives(source: readonly string[], origin: Origin): Directives {
  refuseOtherLanguages(source, origin);
  const own = readWhile(source, 0, trimSpaceBefore, "#");
  const choosing = readWhile(source, firstLine(source), (line) => line, "#");
  refuseDoubtful(source, [own.length, firstLine(source) + choosing.length], origin);
  const twice = own.find(({ name }, index) => own.findIndex((other) => other.name === name) < index);
  if (twice)
    throw new ActionError("E_DOCKERFILE", {
      what: `The parser directive ${twice.name} stands twice.`,
      fix: "Leave one of them out.",
      at: placeIn(origin, twice.line),
    });
  return { escape: escapeOf(own, origin), syntax: shown(syntaxOf(choosing), origin) };
}

/** @param line of the text, from 1. */
function placeIn({ file, firstLine: first }: Origin, line: number): Required<Place> {
  return { file, line: first + line - 1 };
}

function shown(syntax: Syntax | undefined, origin: Origin): Syntax | undefined {
  return syntax && { ...syntax, line: placeIn(origin, syntax.line).line };
}

function escapeOf(directives: readonly Directive[], origin: Origin): Directives["escape"] {
  const written = directives.find(({ name }) => name === "escape");
  if (written === undefined) return "\\";
  if (written.value === "\\" || written.value === "`") return written.value;
  throw new ActionError("E_DOCKERFILE", {
    what: `The parser directive escape is "${written.value}".`,
    fix: "Allowed: \\ and `.",
    at: placeIn(origin, written.line),
  });
}

function syntaxOf(directives: readonly Directive[]): Directives["syntax"] {
  const found = directives.find(({ name }) => name === "syntax");
  if (!found) return undefined;
  const blank = found.value.indexOf(" ");
  const reference = blank < 0 ? found.value : found.value.slice(0, blank);
  return { reference, options: found.value.slice(reference.length + 1), line: found.line };
}

function firstLine(source: readonly string[]): number {
  return source[0]?.startsWith("#!") ? 1 : 0;
}

function readWhile(
  source: readonly string[],
  from: number,
  prepare: (line: string) => string,
  comment: string,
): readonly Directive[] {
  const directives: Directive[] = [];
  for (let at = from; at < source.length; at++) {
    const line = prepare(source[at] ?? "");
    if (!line.startsWith(comment)) break;
    const [, name = "", value = ""] = DIRECTIVE.exec(line.slice(comment.length).replace(/^[\t\n\f\r ]+/, "")) ?? [];
    if (!KNOWN.includes(name.toLowerCase())) break;
    directives.push({ name: name.toLowerCase(), value, line: at + 1 });
  }
  return directives;
}

/** `// syntax=` and `{"syntax": …}` choose a frontend for a language that is no Dockerfile: nothing here can read that. */
function refuseOtherLanguages(source: readonly string[], origin: Origin): void {
  const from = firstLine(source);
  const start = source.slice(from).find((line) => trimSpaceBefore(line) !== "") ?? "";
  const inSlashes = readWhile(source, from, (line) => line, "//");
  if (syntaxOf(inSlashes) === undefined && !trimSpaceBefore(start).startsWith("{")) return;
  throw new ActionError("E_DOCKERFILE", {
    what: `${origin.file} is written for a frontend that does not read Dockerfiles.`,
    fix: "Write it as a Dockerfile; a frontend for Dockerfiles is named by a line # syntax=<image> at the top.",
    at: placeIn(origin, from + 1),
  });
}

function refuseDoubtful(source: readonly string[], ends: readonly number[], origin: Origin): void {
  const doubtful = ends.find((end) => DOUBTFUL.test(trimSpaceBefore(source[end] ?? "")));
  if (doubtful === undefined) return;
  throw new ActionError("E_DOCKERFILE", {
    what: "Behind the # of this line stands a character that looks like a blank and is none: some versions of BuildKit take the line for a parser directive, others for a comment.",
    fix: "Replace it with a plain blank.",
    at: placeIn(origin, doubtful + 1),
  });
}
