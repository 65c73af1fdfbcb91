import type { ActionError } from "../errors.ts";
import { type Argument, type Origin, refuse, type Warning, warn } from "./argument.ts";

/** All arguments in the order in which they are written, names that come again too: which of them counts, only the environment tells. */
export type ParsedArguments = { readonly entries: readonly Argument[]; readonly notices: readonly Warning[] };

/**
 * Reads a file of build args, one `KEY=VALUE` a line. No standard says how; these are the rules:
 *
 * - UTF-8, lines end in LF or CRLF, a byte order mark in front is passed over.
 * - Empty lines and lines that start with `#` do not count. A `#` behind something belongs to the value.
 * - `export ` in front is passed over. White space around key and value does not count.
 * - The key is a letter or `_`, then letters, digits and `_`; it ends at the first `=`.
 * - One pair of `'` or `"` around the whole value is taken off. Nothing else has a meaning: no `$`, no escapes.
 * - `KEY` alone takes the variable of that name from the step's environment.
 *
 * @param file how messages name it.
 * @throws E_INPUT with file and line. No message repeats what is not a name: it could be part of a value.
 */
export function parseArgumentFile(text: string, file: string): ParsedArguments {
  const lines = readLines(text, (line) => ({ kind: "file", at: { file, line } }));
  return parseLines(lines.filter(({ text }) => !text.startsWith("#")));
}

/**
 * Reads the input build-args by the same rules, but for comments, which are for files only. A value of several lines cannot be written
 * here: it is set as a variable of the step, and named alone.
 * @throws E_INPUT with the line, counted from the input's first.
 */
export function parseArgumentInput(text: string): ParsedArguments {
  return parseLines(readLines(text, (line) => ({ kind: "input", line })));
}

type Line = { readonly text: string; readonly origin: Origin };

function readLines(text: string, originOf: (line: number) => Origin): readonly Line[] {
  return text.split("\n").flatMap((written, index) => {
    // A byte order mark counts as white space.
    const line = { text: written.trim(), origin: originOf(index + 1) };
    if (/[\0\r\uFFFD]/.test(line.text))
      throw refuse(
        line.origin,
        `${subjectOf(line.origin)} holds a character that no text file has.`,
        "Save the file as UTF-8, with LF or CRLF at the end of each line.",
      );
    return line.text === "" ? [] : [line];
  });
}

function parseLines(lines: readonly Line[]): ParsedArguments {
  const parsed = lines.map(parseLine);
  const entries = parsed.map(({ entry }) => entry);
  return { entries, notices: [...parsed.flatMap(({ notices }) => notices), ...tellRepeated(entries)] };
}

function parseLine({ text, origin }: Line): { readonly entry: Argument; readonly notices: readonly Warning[] } {
  const written = text.replace(/^export\s+(?=[^\s=])/, "");
  const end = written.indexOf("=");
  const name = (end < 0 ? written : written.slice(0, end)).trim();
  const value = end < 0 ? undefined : written.slice(end + 1).trim();
  if (value?.startsWith("@lkt:"))
    throw refuse(
      origin,
      `${subjectOf(origin)} has a value that linuxkit computes (@lkt:…), which nothing else can.`,
      "Write the value itself, or compute it in a step before this action.",
    );
  if (!isArgumentName(name)) throw notAnArgument(origin, name, value !== undefined);
  if (value === undefined) return { entry: { name, value: { kind: "environment" }, origin }, notices: [] };
  const { content, isBalanced } = unquote(value);
  const entry: Argument = { name, value: { kind: "text", text: content }, origin };
  const notice = `Build arg ${name} has a quotation mark on one side only: it is taken as part of the value`;
  return { entry, notices: isBalanced ? [] : [warn(origin, notice)] };
}

/** Tells whether a text can be the name of a build arg in a file or an input. */
function isArgumentName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

function unquote(value: string): { readonly content: string; readonly isBalanced: boolean } {
  const [first = "", last = ""] = [value.at(0), value.at(-1)];
  const isQuote = (char: string): boolean => char === "'" || char === '"';
  if (isQuote(first) && first === last && value.length > 1) return { content: value.slice(1, -1), isBalanced: true };
  const isOdd = (char: string): boolean => value.split(char).length % 2 === 0;
  return { content: value, isBalanced: !(isQuote(first) || (isQuote(last) && isOdd(last))) };
}

function notAnArgument(origin: Origin, name: string, hasValue: boolean): ActionError {
  if (name.includes("*"))
    return refuse(
      origin,
      `${subjectOf(origin)} passes on every variable that fits a pattern, which is not done: a runner's environment holds secrets.`,
      "Name each variable on a line of its own.",
    );
  return refuse(
    origin,
    `${subjectOf(origin)} is not KEY=VALUE: ${whyNoName(origin, name, hasValue)}.`,
    "A key is a letter or _, then letters, digits and _. For a value of several lines set a variable of the step (env:), and write its name alone on a line.",
  );
}

function whyNoName(origin: Origin, name: string, hasValue: boolean): string {
  if (name === "") return "nothing stands before the =";
  if (name.startsWith("#") && origin.kind === "input") return "comments are for files only";
  if (name.startsWith("-")) return "a dash stands before the key, as in a list of YAML";
  if (/^['"]/.test(name)) return "a quotation mark stands before the key, and only a value can be quoted";
  return hasValue ? "what stands before the = is not a key" : "it has no =, and is not the name of a variable";
}

function subjectOf(origin: Origin): string {
  return origin.kind === "input" ? `Line ${origin.line} of the input build-args` : "This line";
}

function tellRepeated(entries: readonly Argument[]): readonly Warning[] {
  const seen = new Set<string>();
  return entries.flatMap(({ name, origin }) => {
    const isRepeated = seen.has(name);
    seen.add(name);
    return isRepeated ? [warn(origin, `Build arg ${name} is set twice here: the last value counts`)] : [];
  });
}
