/**
 * The words of an instruction like COPY or ADD: a JSON list of texts, or words at white space. Quotes in the plain form stay, for they
 * are taken off together with the variables.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/parser/line_parsers.go (parseMaybeJSONToList, parseStringsWhitespaceDelimited)
 */
export function listWords(rest: string): readonly string[] {
  return asJsonList(rest) ?? rest.split(/\s+/).filter((word) => word !== "");
}

function asJsonList(rest: string): readonly string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(rest);
    return Array.isArray(list) && list.every((item) => typeof item === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}

export type NameValue = { readonly name: string; readonly value: string | undefined };

/** ARG: words `NAME` or `NAME=value`, quotes kept. */
export function argWords(rest: string, escapeChar: string): readonly NameValue[] {
  return quotedWords(rest, escapeChar).map((word) => {
    const equals = word.indexOf("=");
    return equals < 0
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

/** ENV: words `NAME=value`, or the old form `NAME value`, where everything behind the name is the value. */
export function envWords(rest: string, escapeChar: string): readonly NameValue[] {
  const [first = ""] = quotedWords(rest, escapeChar);
  return first.includes("=") ? argWords(rest, escapeChar) : [{ name: first, value: rest.slice(first.length).trim() }];
}

/** Words at white space that stands outside of quotes and is not escaped. */
export function quotedWords(rest: string, escapeChar: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < rest.length; at++) {
    const char = rest[at] ?? "";
    if (quote === "" && /\s/.test(char)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    word += char;
    if (char === escapeChar && quote !== "'") word += rest[++at] ?? "";
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = "";
  }
  return word === "" ? words : [...words, word];
}
