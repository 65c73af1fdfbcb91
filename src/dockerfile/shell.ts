import { removePrefix, removeSuffix, replaceMatches } from "./shell-pattern.ts";
import { isSpace } from "./text.ts";

/** What a name stands for: a value, nothing at all, or something that only the build knows. */
export type Value =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "unset" }
  | { readonly kind: "unknown" };

export type Lookup = (name: string) => Value;

/** BuildKit 0.34 reads backslashes inside quotes otherwise than 0.26 in two places; both are in use. */
export type Dialect = "0.26" | "0.34";

export type Rules = {
  readonly escape: string;
  readonly lookup: Lookup;
  readonly dialect: Dialect;
  /** For finding here-documents: quotes, escapes and variables stay in the text as they are written. */
  readonly raw?: { readonly quotes: boolean; readonly escapes: boolean };
};

export type Lexed =
  | {
      readonly kind: "lexed";
      readonly text: string;
      /** Only where here-documents are looked for. */
      readonly words: readonly string[];
      readonly used: readonly string[];
      readonly unknown: readonly string[];
    }
  | { readonly kind: "wrong"; readonly what: string }
  /** More variables in one another than are read here; what BuildKit makes of it is not known. */
  | { readonly kind: "deep" };

/** A part of the result, and the names without which it cannot be told. */
type Piece = { readonly text: string; readonly unknown: readonly string[] };

type State = {
  readonly rules: Rules;
  readonly chars: readonly string[];
  readonly used: Set<string>;
  at: number;
  /** The first error; the rest of the text is skipped then. */
  wrong: string | undefined;
  keepEscapes: boolean;
  /** How many variables are open, each of which takes room on the stack. */
  depth: number;
  isDeep: boolean;
  /** The word being read. Shared with what is read inside `${…}`, as BuildKit has it: that drops what stood before in the word. */
  word: string;
};

/** Far more than anybody writes. */
const DEEPEST = 100;

const END = "";
const DIGIT = /^\p{Nd}$/u;
const LETTER = /^[\p{L}\p{Nd}_]$/u;
const SPECIAL = new Set(["@", "*", "#", "?", "-", "$", "!", "0"]);

/**
 * Takes a text apart as the shell would in BuildKit's eyes: variables replaced, quotes and escapes taken off, and split into words.
 * @returns an error where BuildKit has one: it refuses the instruction then, or (looking for here-documents) sees none in the line.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/shell/lex.go
 */
export function lexShell(source: string, rules: Rules): Lexed {
  const chars = [...source];
  const state: State = {
    rules,
    chars,
    used: new Set(),
    // Go's text/scanner passes over a byte order mark in front.
    at: chars[0] === "\uFEFF" ? 1 : 0,
    wrong: undefined,
    keepEscapes: rules.raw?.escapes ?? false,
    depth: 0,
    isDeep: false,
    word: "",
  };
  const words = rules.raw ? collectWords(state) : undefined;
  const { text, unknown } = readUntil(state, END, { keepEscapes: state.keepEscapes, isPattern: false, words });
  if (state.isDeep) return { kind: "deep" };
  if (state.wrong !== undefined) return { kind: "wrong", what: state.wrong };
  return { kind: "lexed", text, words: words?.all() ?? [], used: [...state.used], unknown: [...new Set(unknown)] };
}

const peek = (state: State): string => state.chars[state.at] ?? END;
const next = (state: State): string => state.chars[state.at++] ?? END;

function fail(state: State, what: string): Piece {
  state.wrong ??= what;
  state.at = state.chars.length;
  return { text: "", unknown: [] };
}

type Until = {
  readonly keepEscapes: boolean;
  /** The text is a pattern and is read once more as such. */
  readonly isPattern: boolean;
  /** Where the words go; nobody wants those inside of `${…}`. */
  readonly words?: Words | undefined;
};

/** Reads up to a character, or to the end. */
function readUntil(state: State, stop: string, { keepEscapes, isPattern, words }: Until): Piece {
  const before = state.keepEscapes;
  state.keepEscapes = keepEscapes;
  state.word = "";
  const unknown: string[] = [];
  let text = "";
  const finish = (): Piece => {
    state.keepEscapes = before;
    if (!words) state.word = "";
    return { text, unknown };
  };
  while (peek(state) !== END) {
    const char = peek(state);
    if (stop !== END && char === stop) {
      state.at++;
      return finish();
    }
    const special = readSpecial(state, char, isPattern);
    if (special) {
      text += special.text;
      for (const name of special.unknown) unknown.push(name);
      if (char === "$") words?.add(special.text);
      else words?.addRaw(special.text);
      continue;
    }
    state.at++;
    if (char !== state.rules.escape) {
      text += char;
      words?.add(char);
      continue;
    }
    const escaped = (keepEscapes ? char : "") + next(state);
    text += escaped;
    if (escaped !== "") words?.addRaw(escaped);
  }
  if (stop !== END) fail(state, `it lacks a ${stop}`);
  return finish();
}

type Words = {
  readonly add: (text: string) => void;
  readonly addRaw: (text: string) => void;
  readonly all: () => readonly string[];
};

function collectWords(state: State): Words {
  const words: string[] = [];
  let isInside = false;
  const flush = () => {
    if (state.word === "") return;
    words.push(state.word);
    state.word = "";
    isInside = false;
  };
  const addRaw = (text: string) => {
    state.word += text;
    isInside = true;
  };
  const add = (text: string) => {
    for (const char of text) {
      if (!isSpace(char)) addRaw(char);
      else if (isInside) flush();
    }
  };
  const all = (): readonly string[] => {
    flush();
    return words;
  };
  return { add, addRaw, all };
}

function readSpecial(state: State, char: string, isPattern: boolean): Piece | undefined {
  if (char === "$") return readVariable(state);
  if (char === "<") return { text: readPossibleHeredoc(state), unknown: [] };
  if (char === "'") return { text: readSingleQuoted(state, isPattern), unknown: [] };
  return char === '"' ? readDoubleQuoted(state, isPattern) : undefined;
}

/** `<<` holds blanks behind it together with the word that follows. */
function readPossibleHeredoc(state: State): string {
  state.at++;
  if (peek(state) !== "<") return "<";
  state.at++;
  let text = "<<";
  while (["\t", "\r", " "].includes(peek(state))) text += next(state);
  return text;
}

function readSingleQuoted(state: State, isPattern: boolean): string {
  const { escape: escapeChar, dialect, raw } = state.rules;
  state.at++;
  const quote = raw?.quotes ? "'" : "";
  let text = quote;
  for (let char = next(state); char !== "'"; char = next(state)) {
    if (char === END) return fail(state, "it lacks a single quote").text;
    text += isPattern && char === escapeChar && dialect === "0.34" ? char + char : char;
  }
  return text + quote;
}

function readDoubleQuoted(state: State, isPattern: boolean): Piece {
  state.at++;
  const quote = state.rules.raw?.quotes ? '"' : "";
  const unknown: string[] = [];
  let text = quote;
  for (;;) {
    const char = peek(state);
    if (char === END) return fail(state, "it lacks a double quote");
    if (char === "$") {
      const variable = readVariable(state);
      text += variable.text;
      for (const name of variable.unknown) unknown.push(name);
      continue;
    }
    state.at++;
    if (char === '"') return { text: text + quote, unknown };
    text += char === state.rules.escape ? readEscapeInQuotes(state, isPattern) : char;
  }
}

/** Inside double quotes only what would else mean something is escaped. */
function readEscapeInQuotes(state: State, isPattern: boolean): string {
  const { escape: escapeChar, dialect, raw } = state.rules;
  const kept = state.keepEscapes ? escapeChar : "";
  if (['"', "$", escapeChar].includes(peek(state))) return kept + next(state);
  if (peek(state) === END) return "";
  return (dialect === "0.26" || !raw?.quotes || isPattern ? kept : "") + escapeChar;
}

function readVariable(state: State): Piece {
  state.at++;
  if (peek(state) !== "{") {
    const name = readName(state);
    return name === "" ? { text: "$", unknown: [] } : plainValue(state, name, `$${name}`);
  }
  state.at++;
  if (["", "{", "}", ":"].includes(peek(state))) return fail(state, "a variable in it has no name");
  const name = readName(state);
  const operator = next(state);
  if (operator === "}") return plainValue(state, name, `\${${name}}`);
  if (state.depth >= DEEPEST) {
    state.isDeep = true;
    return fail(state, "it is nested beyond reason");
  }
  state.depth++;
  const piece = readInside(state, name, operator);
  state.depth--;
  return piece;
}

function readInside(state: State, name: string, operator: string): Piece {
  if (operator === "/") return readReplacement(state, name);
  if (operator !== ":") return readModifier(state, name, operator, false);
  return readModifier(state, name, next(state), true);
}

function plainValue(state: State, name: string, written: string): Piece {
  const value = lookUp(state, name);
  if (value.kind === "unknown") return { text: "", unknown: [name] };
  if (value.kind === "value") return { text: value.value, unknown: [] };
  return { text: state.rules.raw ? written : "", unknown: [] };
}

function lookUp(state: State, name: string): Value {
  const value = state.rules.lookup(name);
  if (value.kind === "value") state.used.add(name);
  return value;
}

/** Digits, one special character, or letters, digits and underscores. */
function readName(state: State): string {
  const first = peek(state);
  let name = "";
  if (DIGIT.test(first)) {
    while (DIGIT.test(peek(state))) name += next(state);
    return name;
  }
  if (SPECIAL.has(first)) return next(state);
  while (LETTER.test(peek(state))) name += next(state);
  return name;
}

/** `${X-word}`, `${X+word}`, `${X?word}`, with a colon also where X is empty; `${X#pattern}` and `${X%pattern}`. */
function readModifier(state: State, name: string, operator: string, alsoEmpty: boolean): Piece {
  const isPattern = operator === "#" || operator === "%";
  const isKnown = isPattern ? !alsoEmpty : alsoEmpty || ["+", "-", "?"].includes(operator);
  const sign = (alsoEmpty ? ":" : "") + operator;
  if (!isKnown) return fail(state, `it has \${${name}${sign}`);
  const word = readUntil(state, "}", { keepEscapes: isPattern, isPattern });
  const value = lookUp(state, name);
  if (value.kind === "unknown") return { text: "", unknown: [name] };
  if (state.rules.raw && value.kind === "unset") return { text: `\${${name}${sign}${word.text}}`, unknown: [] };
  if (isPattern) return removeMatch(state, value.kind === "value" ? value.value : "", operator, word);
  const own = value.kind === "unset" || (alsoEmpty && value.value === "") ? undefined : value.value;
  const chosen = choose(operator, own, word);
  return chosen ?? fail(state, `${name} ${sign} ${word.text}`);
}

function choose(operator: string, own: string | undefined, word: Piece): Piece | undefined {
  if (operator === "+") return own === undefined ? { text: "", unknown: [] } : word;
  if (own !== undefined) return operator === "-" || operator === "?" ? { text: own, unknown: [] } : undefined;
  return operator === "-" ? word : undefined;
}

/** A doubled operator removes the longest match, a single one the shortest. */
function removeMatch(state: State, own: string, operator: string, word: Piece): Piece {
  if (word.unknown.length > 0) return { text: "", unknown: word.unknown };
  const isLongest = word.text.startsWith(operator);
  const pattern = isLongest ? word.text.slice(1) : word.text;
  const text = operator === "#" ? removePrefix(own, pattern, isLongest) : removeSuffix(own, pattern, isLongest);
  return text === undefined ? fail(state, `${pattern} is no pattern`) : { text, unknown: [] };
}

/** `${X/pattern/replacement}`, and `${X//pattern/replacement}` for every match. */
function readReplacement(state: State, name: string): Piece {
  const all = peek(state) === "/";
  if (all) state.at++;
  const pattern = readUntil(state, "/", { keepEscapes: true, isPattern: true });
  const replacement = readUntil(state, "}", { keepEscapes: true, isPattern: false });
  const value = lookUp(state, name);
  if (value.kind === "unknown") return { text: "", unknown: [name] };
  if (state.rules.raw && value.kind === "unset")
    return { text: `\${${name}/${pattern.text}/${replacement.text}}`, unknown: [] };
  const unknown = [...pattern.unknown, ...replacement.unknown];
  if (unknown.length > 0) return { text: "", unknown };
  // Go's Regexp.ReplaceAllString takes `$1` in the replacement for a group of the pattern: nobody means that.
  if (all && replacement.text.includes("$")) return { text: "", unknown: [name] };
  const own = value.kind === "value" ? value.value : "";
  const text = replaceMatches(own, pattern.text, replacement.text, all);
  return text === undefined ? fail(state, `${pattern.text} is no pattern`) : { text, unknown: [] };
}
