import { literal, notNewline, type Step } from "./wildcard.ts";

type Test = (char: string) => boolean;

type Reader = {
  readonly chars: readonly string[];
  at: number;
  /** Where the next `]` is, as far as it was looked for. */
  close: number;
};

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ["a", "\u0007"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

const isWord: Test = (char) => /^[0-9A-Za-z_]$/.test(char);

const CLASSES: ReadonlyMap<string, Test> = new Map([
  ["d", (char) => /^[0-9]$/.test(char)],
  ["s", (char) => /^[\t\n\f\r ]$/.test(char)],
  ["w", isWord],
]);

/** `[:name:]` inside brackets; the two with control characters follow below. */
const NAMED: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /^[0-9A-Za-z]$/],
  ["alpha", /^[A-Za-z]$/],
  ["blank", /^[\t ]$/],
  ["digit", /^[0-9]$/],
  ["graph", /^[!-~]$/],
  ["lower", /^[a-z]$/],
  ["print", /^[ -~]$/],
  ["punct", /^[!-/:-@[-`{-~]$/],
  ["space", /^[\t\n\v\f\r ]$/],
  ["upper", /^[A-Z]$/],
  ["word", /^[0-9A-Za-z_]$/],
  ["xdigit", /^[0-9A-Fa-f]$/],
]);

/** Stands for what an unanchored expression leaves out on its sides. */
const ANYTHING: Step = { kind: "many", test: () => true };

const notSlash: Test = (char) => char !== "" && char !== "/";
const FOLDERS: Step = { kind: "folders" };
const MANY: Step = { kind: "many", test: notNewline };
const MANY_IN_FOLDER: Step = { kind: "many", test: notSlash };
const ONE_IN_FOLDER: Step = { kind: "one", test: notSlash };

/**
 * Reads the part of Go's regular expressions that a pattern of an ignore file can become: a letter behind a backslash, a star inside
 * brackets, a bar or a count in braces passes through to them and means there what it means.
 * @param expression without the `^` in front and the `$` at the end.
 * @returns rows of steps of which one has to take the whole text; `undefined` for what Go refuses, and for `\Q` and Unicode classes,
 * which nobody means.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function readExpression(expression: string): readonly (readonly Step[])[] | undefined {
  const reader: Reader = { chars: [...expression], at: 0, close: -1 };
  const rows: Step[][] = [[]];
  while (reader.at < reader.chars.length) {
    // Only the first row is bound to the start, and only the last one to the end.
    if (take(reader, "|")) {
      rows.at(-1)?.push(ANYTHING);
      rows.push([ANYTHING]);
      continue;
    }
    const step = readStep(reader);
    if (!step) return undefined;
    rows.at(-1)?.push(step);
  }
  return rows;
}

function startsWith(reader: Reader, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (reader.chars[reader.at + index] !== text[index]) return false;
  return true;
}

function take(reader: Reader, text: string): boolean {
  if (!startsWith(reader, text)) return false;
  reader.at += text.length;
  return true;
}

/** One step and how often it is taken. */
function readStep(reader: Reader): Step | undefined {
  const isBehindBar = reader.chars[reader.at - 1] === "|";
  const early = readCount(reader);
  if (early === "refused" || (early && isBehindBar)) return undefined;
  // In front of everything it is the start of the text that is counted.
  if (early) return early.min === 0 ? ANYTHING : { kind: "where", test: (_, at) => at === 0 };
  const step = readSingle(reader);
  const count = step && readCount(reader);
  if (!step || !count) return step;
  const isOnce = step.kind === "one" || step.kind === "where";
  return count === "refused" || !isOnce || readCount(reader) !== undefined
    ? undefined
    : { kind: "times", step, ...count };
}

type Count = { readonly min: number; readonly max: number };

/** `{n}`, `{n,}` or `{n,m}`; anything else in braces stands for itself. */
function readCount(reader: Reader): Count | "refused" | undefined {
  const rest = reader.chars.slice(reader.at, reader.at + 24).join("");
  const [whole, min, comma, max] = /^\{(0|[1-9][0-9]*)(,?)(0|[1-9][0-9]*|)\}/.exec(rest) ?? [];
  if (whole === undefined || (comma === "" && max !== "")) return undefined;
  reader.at += whole.length;
  const count = {
    min: Number(min),
    max: comma === "" ? Number(min) : max === "" ? Number.POSITIVE_INFINITY : Number(max),
  };
  const isTooMuch = count.min > 1000 || (count.max > 1000 && max !== "") || count.min > count.max;
  return isTooMuch ? "refused" : count;
}

function readSingle(reader: Reader): Step | undefined {
  if (take(reader, "(.*/)?")) return FOLDERS;
  if (take(reader, ".*")) return MANY;
  // What a star and a question mark become.
  if (take(reader, "[^/]*")) return MANY_IN_FOLDER;
  if (take(reader, "[^/]")) return ONE_IN_FOLDER;
  const char = reader.chars[reader.at++] ?? "";
  if (char === "^") return { kind: "where", test: (_, at) => at === 0 };
  if (char === "\\") return readEscape(reader);
  if (char !== "[") return literal(char);
  const test = readBrackets(reader);
  return test && { kind: take(reader, "*") ? "many" : "one", test };
}

function readEscape(reader: Reader): Step | undefined {
  const place = readPlace(reader.chars[reader.at] ?? "");
  if (place) {
    reader.at++;
    return place;
  }
  const test = readClass(reader) ?? asTest(readEscapedChar(reader));
  return test && { kind: "one", test };
}

/** `\A`, `\z`, `\b` and `\B`. */
function readPlace(char: string): Step | undefined {
  if (char === "A") return { kind: "where", test: (_, at) => at === 0 };
  if (char === "z") return { kind: "where", test: (chars, at) => at === chars.length };
  if (char !== "b" && char !== "B") return undefined;
  return {
    kind: "where",
    test: (chars, at) => (isWord(chars[at - 1] ?? "") !== isWord(chars[at] ?? "")) === (char === "b"),
  };
}

function asTest(char: string | undefined): Test | undefined {
  return char === undefined ? undefined : (other) => other === char;
}

/** `\d`, `\s`, `\w`, and in capitals everything else. */
function readClass(reader: Reader): Test | undefined {
  const char = reader.chars[reader.at] ?? "";
  const test = CLASSES.get(char.toLowerCase());
  if (!test) return undefined;
  reader.at++;
  return char === char.toLowerCase() ? test : (other) => !test(other);
}

/** What stands behind a backslash and means one character. */
function readEscapedChar(reader: Reader): string | undefined {
  const rest = reader.chars.slice(reader.at, reader.at + 12).join("");
  const [octal] = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest) ?? [];
  if (octal !== undefined) return passed(reader, octal, Number.parseInt(octal, 8));
  const [hex, bare, braced] = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/.exec(rest) ?? [];
  if (hex !== undefined) return passed(reader, hex, Number.parseInt(bare ?? braced ?? "", 16));
  const char = reader.chars[reader.at++] ?? "";
  const control = ESCAPED.get(char);
  if (control !== undefined) return control;
  return isAscii(char) && !/^[0-9A-Za-z]$/.test(char) ? char : undefined;
}

function passed(reader: Reader, text: string, code: number): string | undefined {
  reader.at += text.length;
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

function readBrackets(reader: Reader): Test | undefined {
  const isNegated = take(reader, "^");
  const tests: Test[] = [];
  for (let isFirst = true; isFirst || !startsWith(reader, "]"); isFirst = false) {
    if (reader.at >= reader.chars.length) return undefined;
    const test = readMember(reader);
    if (!test) return undefined;
    tests.push(test);
  }
  reader.at++;
  // No character at all is no character outside of the brackets either.
  return (char) => char !== "" && tests.some((test) => test(char)) !== isNegated;
}

function readMember(reader: Reader): Test | undefined {
  const named = readNamed(reader);
  if (named !== undefined) return named === "unknown" ? undefined : named;
  if (startsWith(reader, "\\")) {
    reader.at++;
    const test = readClass(reader);
    if (test) return test;
    reader.at--;
  }
  const low = readBracketChar(reader);
  if (low === undefined) return undefined;
  if (!startsWith(reader, "-") || reader.chars[reader.at + 1] === "]") return asTest(low);
  reader.at++;
  const high = readBracketChar(reader);
  if (high === undefined || codeOf(high) < codeOf(low)) return undefined;
  return (char) => codeOf(low) <= codeOf(char) && codeOf(char) <= codeOf(high);
}

/** `[:name:]` and `[:^name:]`; nothing where something else stands there. */
function readNamed(reader: Reader): Test | "unknown" | undefined {
  const { chars, at } = reader;
  if (chars[at] !== "[" || chars[at + 1] !== ":") return undefined;
  // Looked for once for all that begin before it.
  if (reader.close < at) {
    const close = chars.indexOf("]", at);
    reader.close = close < 0 ? chars.length : close;
  }
  const end = reader.close - 1;
  if (end < at + 2 || reader.close >= chars.length || chars[end] !== ":") return undefined;
  const isNegated = chars[at + 2] === "^" && end > at + 2;
  const name = chars.slice(isNegated ? at + 3 : at + 2, end).join("");
  const known = namedTest(name);
  reader.at = reader.close + 1;
  return known ? (char) => known(char) !== isNegated : "unknown";
}

function namedTest(name: string): Test | undefined {
  if (name === "ascii") return isAscii;
  if (name === "cntrl") return (char) => isAscii(char) && !/^[ -~]$/.test(char);
  const known = NAMED.get(name);
  return known && ((char) => known.test(char));
}

function readBracketChar(reader: Reader): string | undefined {
  if (take(reader, "\\")) return readEscapedChar(reader);
  return reader.chars[reader.at++];
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? -1;
}

function isAscii(char: string): boolean {
  return char !== "" && codeOf(char) < 0x80;
}
