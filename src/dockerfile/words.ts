import { readJsonList } from "./json-list.ts";
import { cutAtBlanks, isSpace, splitAtBlanks } from "./text.ts";

/**
 * The words of an instruction like COPY or ADD: a JSON list of texts, or words at blanks. Quotes in the plain form stay, for they are
 * taken off together with the variables.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/line_parsers.go (parseMaybeJSONToList)
 */
export function listWords(rest: string): readonly string[] {
  return jsonWords(rest) ?? (rest === "" ? [] : splitAtBlanks(rest));
}

/** The texts of the JSON form, `undefined` where it is none. A list of something else than texts is refused by BuildKit. */
export function jsonWords(rest: string): readonly string[] | undefined {
  const list = readJsonList(rest);
  return list?.every((item) => typeof item === "string") ? list : undefined;
}

/** Whether words stand in the JSON form, and that one holds something else than texts. */
export function isMixedJson(rest: string): boolean {
  return readJsonList(rest)?.some((item) => typeof item !== "string") ?? false;
}

export type NameValue = { readonly name: string; readonly value: string | undefined };

/** ARG: words `NAME` or `NAME=value`, quotes kept. */
export function argWords(rest: string, escapeChar: string): readonly NameValue[] {
  return quotedWords(rest, escapeChar).map(asNameValue);
}

/** ENV: words `NAME=value`, or the old form `NAME value`, where everything behind the name is the value. */
export function envWords(rest: string, escapeChar: string): readonly NameValue[] {
  const words = quotedWords(rest, escapeChar);
  if (words[0] === undefined || words[0].includes("=")) return words.map(asNameValue);
  const [name, value] = cutAtBlanks(rest);
  return [{ name, value }];
}

function asNameValue(word: string): NameValue {
  const equals = word.indexOf("=");
  return equals < 0 ? { name: word, value: undefined } : { name: word.slice(0, equals), value: word.slice(equals + 1) };
}

/**
 * Words at white space that stands outside of quotes and is not escaped. Quotes and escapes stay, but for an escape at the very end.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/line_parsers.go (parseWords)
 */
function quotedWords(rest: string, escapeChar: string): readonly string[] {
  const chars = [...rest];
  const words: string[] = [];
  let word = "";
  let quote = "";
  const flush = () => {
    if (word !== "") words.push(word);
    word = "";
  };
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (quote === "" && isSpace(char)) flush();
    else if (char !== escapeChar || quote === "'") {
      word += char;
      quote = quoteAfter(char, quote);
    } else if (at + 1 < chars.length) word += char + (chars[++at] ?? "");
  }
  flush();
  return words;
}

/** The quote that is open behind a character. */
function quoteAfter(char: string, quote: string): string {
  if (char === quote) return "";
  return quote === "" && (char === '"' || char === "'") ? char : quote;
}
