/**
 * What counts as white space in Go, where BuildKit's parser is written: JavaScript's `\s` lacks U+0085 and adds U+FEFF, and both
 * stand in real files.
 * @see https://pkg.go.dev/unicode#IsSpace
 */
const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** The narrower set that separates an instruction's words: a no-break space is part of a word. */
const BETWEEN_WORDS = /[\t\v\f\r ]+/;

/** Tells whether one character is white space to Go's `unicode.IsSpace`. */
export function isSpace(char: string): boolean {
  return char < "\u0080" ? char === " " || (char >= "\t" && char <= "\r") : SPACE.test(char);
}

/**
 * Go's `strings.ToLower`, which takes letter by letter: to JavaScript `İ` becomes two characters, and the last `Σ` of a word another one
 * than those before.
 */
export function lowerCase(text: string): string {
  return text.replace(/[\u0130\u03a3]|[^\u0130\u03a3]+/g, (part) => (part === "\u0130" ? "i" : part.toLowerCase()));
}

/** Go's `strings.TrimSpace`. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1] ?? "")) end--;
  return trimSpaceBefore(text.slice(0, end));
}

/** The text without white space in front. */
export function trimSpaceBefore(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text[start] ?? "")) start++;
  return text.slice(start);
}

/** Splits at runs of blanks and tabs as Go's `regexp.Split` does: a text without any is one word, also an empty one. */
export function splitAtBlanks(text: string): readonly string[] {
  return text.split(BETWEEN_WORDS);
}

/** The first word and everything behind the blanks that follow it; `undefined` where nothing follows. */
export function cutAtBlanks(text: string): readonly [string, string | undefined] {
  const found = BETWEEN_WORDS.exec(text);
  return found ? [text.slice(0, found.index), text.slice(found.index + found[0].length)] : [text, undefined];
}
