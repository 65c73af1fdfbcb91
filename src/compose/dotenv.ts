import { ActionError, type Place } from "../errors.ts";
import type { Effort } from "../world.ts";
import { type Filled, fillTemplate, type Variables } from "./template.ts";

/** White space that is not the end of a line, as compose's reader knows it. */
const BLANKS = /^[\t\v\f\r \u0085\u00a0]*/;
const EXPORT = /^export(?=\s)[\t\v\f\r \u0085\u00a0]*/;
/** A name may hold blanks until it is looked at; what ends it is `=`, `:` or the end of the line. */
const NAME = /^([\p{L}\p{N}_.\-[\]\t\v\f\r \u0085\u00a0]*)([=:\n])/u;

/** A value of an env file, where it is set, and the variables without a value that took part in it. */
export type DotenvValue = Pick<Filled, "text" | "missing"> & { readonly at: Place };

/**
 * Reads an env file: `NAME=value` a line, `NAME: value` and `export NAME=value` too; a name alone takes the value that is there already.
 * Values in double quotes know escapes, those in single quotes are as they are, and both may go over several lines.
 * @param file how messages name it.
 * @param known what values may use, and what counts before what earlier lines say.
 * @param earlier what files before this one said; its names are kept.
 * @param effort told of what variables put in.
 * @throws E_CONFIG with the line, but without its text, which may be secret.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/dotenv/parser.go
 */
export function readDotenv(
  { text, file }: { readonly text: string; readonly file: string },
  known: Variables,
  earlier: ReadonlyMap<string, DotenvValue> = new Map(),
  effort?: Effort,
): ReadonlyMap<string, DotenvValue> {
  const source = text.replace(/^\uFEFF/, "");
  const values = new Map(earlier);
  const variables = withValues(known, values);
  let line = 1;
  let end = 0;
  for (let at = nextStatement(source, 0); at < source.length; at = nextStatement(source, end)) {
    line += source.slice(end, at).split("\n").length - 1;
    const place = { file, line };
    const { name, next, isAlone } = readName(source, at, place);
    const { text, ...value } = isAlone
      ? { text: variables.get(name), next, isTemplate: false }
      : readValue(source, next, place);
    if (text !== undefined) {
      const set = value.isTemplate ? fillTemplate(text, variables, place) : { text, missing: [] };
      effort?.spend(set.text.length, place);
      values.set(name, { text: set.text, missing: set.missing, at: place });
    }
    line += source.slice(at, value.next).split("\n").length - 1;
    end = value.next;
  }
  return values;
}

/** The variables that are known, and behind them those of env files. */
export function withValues(known: Variables, values: ReadonlyMap<string, DotenvValue>): Variables {
  return {
    get: (name) => known.get(name) ?? values.get(name)?.text,
    placeOf: (name) => (known.get(name) === undefined ? values.get(name)?.at : known.placeOf?.(name)),
    missingIn: (name) => (known.get(name) === undefined ? values.get(name)?.missing : known.missingIn?.(name)) ?? [],
  };
}

type At = { readonly file: string; readonly line: number };

/** Where the next statement begins; comments, blanks and empty lines are passed over. */
function nextStatement(source: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < source.length && /[\s\u0085]/.test(source[at] ?? "")) at++;
    if (source[at] !== "#") return at;
    const end = source.indexOf("\n", at);
    at = end < 0 ? source.length : end;
  }
}

function readName(
  source: string,
  from: number,
  at: At,
): { readonly name: string; readonly next: number; readonly isAlone: boolean } {
  const start = from + (EXPORT.exec(source.slice(from))?.[0].length ?? 0);
  const rest = source.slice(start);
  const [whole, written = "", end] = NAME.exec(rest) ?? [];
  // compose takes a last line without a line break and without a sign for the value of a variable without a name.
  if (whole === undefined && rest !== "" && /^[\p{L}\p{N}_.\-[\]\s]*$/u.test(rest))
    return { name: "", next: start, isAlone: false };
  const name = written.trimEnd();
  if (whole === undefined || name.includes(" ")) throw badName(at);
  const next = start + whole.length;
  return { name, next: next + (BLANKS.exec(source.slice(next))?.[0].length ?? 0), isAlone: end === "\n" };
}

type Value = { readonly text: string; readonly next: number; readonly isTemplate: boolean };

function readValue(source: string, from: number, at: At): Value {
  const quote = source[from];
  if (quote !== '"' && quote !== "'") return readUnquoted(source, from);
  let text = "";
  for (let next = from + 1; next < source.length; next++) {
    const char = source[next] ?? "";
    if (char === quote) {
      return { text: quote === '"' ? replaceEscapes(text) : text, next: next + 1, isTemplate: quote === '"' };
    }
    if (char !== "\\") text += char;
    else if (source[++next] === quote) text += quote;
    else text += char + (source[next] ?? "");
  }
  throw new ActionError("E_CONFIG", {
    what: "A value in quotes does not end.",
    fix: `Put a ${quote} behind it.`,
    at,
  });
}

function readUnquoted(source: string, from: number): Value {
  const end = source.indexOf("\n", from);
  const line = source.slice(from, end < 0 ? source.length : end);
  const [value = ""] = line.split(" #", 1);
  return { text: value.trimEnd(), next: end < 0 ? source.length : end + 1, isTemplate: true };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  '"': '"',
  "\\": "\\",
  // A dollar sign that shall stay one is a doubled one for what replaces the variables afterwards.
  $: "$$",
};

/** `\c` stands in compose's list of escapes and is none; an octal number has a leading 0 that does not count, then three digits. */
function replaceEscapes(text: string): string {
  return text.replace(/\\(?:([abcfnrtv$"\\])|0(\d{0,3}))/g, (whole, char: string | undefined, octal = "") => {
    if (char !== undefined) return ESCAPES[char] ?? whole;
    const code = /^[0-3][0-7]{2}$/.test(octal) ? Number.parseInt(octal, 8) : undefined;
    return code === undefined ? `\\${octal}` : String.fromCodePoint(code);
  });
}

function badName(at: At): ActionError {
  return new ActionError("E_CONFIG", {
    what: "This line does not begin with the name of a variable.",
    fix: "Write NAME=value; a comment begins with #.",
    at,
  });
}
