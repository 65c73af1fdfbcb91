import { ActionError } from "../errors.ts";

/** A here-document: its body verbatim, without the tabs in front of its lines where it was opened with `<<-`. */
export type Heredoc = { readonly name: string; readonly expand: boolean; readonly body: string };

/** One instruction's text: continuations joined, comments and blank lines in it gone. `line` counts from 1. */
export type Line = { readonly text: string; readonly heredocs: readonly Heredoc[]; readonly line: number };

export type Directives = {
  readonly escape: string;
  readonly syntax: { readonly value: string; readonly line: number } | undefined;
};

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const KNOWN_DIRECTIVES = ["syntax", "escape", "check"];
const COMMENT = /^\s*#/;
const BLANK = /^\s*$/;

/** Only these take here-documents; ONBUILD hands them on. */
const TAKES_HEREDOC = /^(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\b/i;

/**
 * Splits a Dockerfile into instructions.
 * @throws ActionError E_DOCKERFILE with the line.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/parser/parser.go (Parse)
 */
export function readLines(
  text: string,
  file: string,
): { readonly lines: readonly Line[]; readonly directives: Directives } {
  const source = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const directives = readDirectives(source, file);
  const continuation = continuationOf(directives.escape);
  const lines: Line[] = [];
  for (let at = 0; at < source.length; ) {
    const start = at;
    const joined = joinContinuations(source, at, continuation);
    at = joined.next;
    if (BLANK.test(joined.text)) continue;
    const heredocs: Heredoc[] = [];
    for (const opened of TAKES_HEREDOC.test(joined.text.trimStart()) ? findHeredocs(joined.text) : []) {
      const body = readHeredoc(source, at, opened, { file, line: start + 1 });
      heredocs.push(body.heredoc);
      at = body.next;
    }
    lines.push({ text: joined.text, heredocs, line: start + 1 });
  }
  return { lines, directives };
}

/** Directives stand at the very top, one each; the first line that is none ends them. */
function readDirectives(source: readonly string[], file: string): Directives {
  const found = new Map<string, { readonly value: string; readonly line: number }>();
  // A shebang in front is passed over, so that a Dockerfile can be run.
  for (let at = source[0]?.startsWith("#!") ? 1 : 0; at < source.length; at++) {
    const [, name, value] = DIRECTIVE.exec(source[at]?.trimStart() ?? "") ?? [];
    if (name === undefined || value === undefined || !KNOWN_DIRECTIVES.includes(name.toLowerCase())) break;
    if (found.has(name.toLowerCase()))
      throw new ActionError("E_DOCKERFILE", {
        what: `The parser directive ${name} stands twice.`,
        fix: "Leave one of them out.",
        at: { file, line: at + 1 },
      });
    found.set(name.toLowerCase(), { value, line: at + 1 });
  }
  const escapeWith = found.get("escape");
  if (escapeWith && escapeWith.value !== "\\" && escapeWith.value !== "`")
    throw new ActionError("E_DOCKERFILE", {
      what: `The parser directive escape is "${escapeWith.value}".`,
      fix: "Allowed: \\ and `.",
      at: { file, line: escapeWith.line },
    });
  return { escape: escapeWith?.value ?? "\\", syntax: found.get("syntax") };
}

/** The escape character at a line's end, blanks behind it allowed, another escape character in front of it not. */
function continuationOf(escapeChar: string): RegExp {
  const one = escapeChar === "`" ? "`" : "\\\\";
  return new RegExp(`(^|[^${one}])${one}[ \\t]*$`);
}

function joinContinuations(
  source: readonly string[],
  from: number,
  continuation: RegExp,
): { readonly text: string; readonly next: number } {
  const first = source[from] ?? "";
  let next = from + 1;
  if (COMMENT.test(first)) return { text: "", next };
  let text = first.trimStart();
  let goesOn = continuation.test(text);
  text = text.replace(continuation, "$1");
  while (goesOn && next < source.length) {
    const line = source[next++] ?? "";
    if (COMMENT.test(line) || BLANK.test(line)) continue;
    goesOn = continuation.test(line);
    text += line.replace(continuation, "$1");
  }
  return { text, next };
}

type Opened = { readonly name: string; readonly expand: boolean; readonly stripTabs: boolean };

/**
 * Finds the words `<<NAME`, `<<-NAME`, `<<"NAME"` of an instruction; a quoted name keeps the body as it is. What stands in quotes is no
 * here-document.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/parser/parser.go (heredocsFromLine, ParseHeredoc)
 */
function findHeredocs(text: string): Opened[] {
  return splitWords(text).flatMap((word) => {
    const [, dash, written] = /^\d*<<(-?)([^<]+)$/.exec(word) ?? [];
    if (written === undefined || /^\s/.test(written)) return [];
    const name = written.replace(/["']/g, "").replace(/\\(.)/g, "$1");
    return name === "" ? [] : [{ name, expand: !/^["']/.test(written), stripTabs: dash === "-" }];
  });
}

/** Words at white space outside of quotes, quotes kept. */
function splitWords(text: string): string[] {
  return text.match(/(?:[^\s"'\\]|\\[\s\S]?|"(?:[^"\\]|\\[\s\S])*"?|'[^']*'?)+/g) ?? [];
}

function readHeredoc(
  source: readonly string[],
  from: number,
  opened: Opened,
  at: { readonly file: string; readonly line: number },
): { readonly heredoc: Heredoc; readonly next: number } {
  const strip = (line: string): string => (opened.stripTabs ? line.replace(/^\t+/, "") : line);
  const end = source.findIndex((line, index) => index >= from && strip(line) === opened.name);
  if (end < 0)
    throw new ActionError("E_DOCKERFILE", {
      what: `The here-document ${opened.name} does not end.`,
      fix: `Put a line with ${opened.name} alone behind it.`,
      at,
    });
  const body = source
    .slice(from, end)
    .map((line) => `${strip(line)}\n`)
    .join("");
  return { heredoc: { name: opened.name, expand: opened.expand, body }, next: end + 1 };
}
