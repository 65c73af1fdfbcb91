import { type Dialect, type Lookup, lexShell } from "./shell.ts";

/** A here-document as it is opened: `<<NAME`, `<<-NAME`, or with quotes, which keep variables in the body as they are. */
export type Opening = { readonly name: string; readonly expand: boolean; readonly stripTabs: boolean };

/** A here-document: its body verbatim, line ends and leading tabs included. BuildKit strips the tabs only where it uses the body. */
export type Heredoc = Opening & { readonly body: string };

/** Go's `\s` is narrower than JavaScript's. */
const OPENING = /^\d*<<(-?)[\t\n\f\r ]*([^<]*)$/;

const nothingSet: Lookup = () => ({ kind: "unset" });

/**
 * Finds what a line opens, in the order of the bodies. An error in the line's quotes or variables, `${#a[@]}` for one, makes BuildKit
 * see no here-document at all in it.
 * @returns `undefined` where BuildKit's versions would look for different names, or for names that are not known here.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/parser.go (heredocsFromLine)
 */
export function findOpenings(line: string): readonly Opening[] | undefined {
  const newest = openingsIn(line, "0.34");
  const older = openingsIn(line, "0.26");
  return JSON.stringify(newest) === JSON.stringify(older) ? newest : undefined;
}

function openingsIn(line: string, dialect: Dialect): readonly Opening[] | undefined {
  const raw = { quotes: true, escapes: true };
  // The Dockerfile's own escape character does not count here.
  const lexed = lexShell(line, { escape: "\\", lookup: nothingSet, dialect, raw });
  if (lexed.kind === "deep") return undefined;
  return lexed.kind === "wrong" ? [] : lexed.words.flatMap((word) => readOpening(word) ?? []);
}

/**
 * Reads one word as the opening of a here-document.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/parser.go (ParseHeredoc)
 */
export function readOpening(word: string): Opening | undefined {
  const [, dash, written = ""] = OPENING.exec(word) ?? [];
  if (written === "") return undefined;
  const lex = (quotes: boolean) =>
    lexShell(written, { escape: "\\", lookup: nothingSet, dialect: "0.34", raw: { quotes, escapes: false } });
  const plain = lex(false);
  const quoted = lex(true);
  if (plain.kind !== "lexed" || quoted.kind !== "lexed") return undefined;
  const [name, ...more] = plain.words;
  if (name === undefined || more.length > 0 || quoted.words.length !== 1) return undefined;
  return { name, expand: countQuotes(name) === countQuotes(quoted.words[0] ?? ""), stripTabs: dash === "-" };
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, "").length;
}
