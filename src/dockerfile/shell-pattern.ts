/** Characters that stand one behind the other; `undefined` is any one but a line break. */
type Chunk = readonly (string | undefined)[];

/** A shell's pattern: between one chunk and the next stands a `*`, which takes anything but line breaks. */
type Pattern = readonly [Chunk, ...Chunk[]];

/** Characters compared for one pattern, at worst. Nobody means a pattern of hundreds of characters for a value of thousands. */
const MOST_COMPARISONS = 2 ** 20;

/** `*`, `?` and backslashes, no brackets. `undefined` where BuildKit refuses it. */
function readPattern(pattern: string): Pattern | undefined {
  const chars = [...pattern];
  let last: (string | undefined)[] = [];
  const chunks: [Chunk, ...Chunk[]] = [last];
  for (let at = chars[0] === "\uFEFF" ? 1 : 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*") {
      last = [];
      chunks.push(last);
    } else if (char !== "\\") last.push(char === "?" ? undefined : char);
    else if (chars[at + 1] !== "}" && chars[at + 1] !== "/") {
      const escaped = chars[++at] ?? "";
      if (!["*", "?", "\\"].includes(escaped)) return undefined;
      last.push(escaped);
    }
  }
  return chunks;
}

function readBounded(written: string, text: readonly string[]): Pattern | undefined {
  const pattern = readPattern(written);
  const longest = pattern?.reduce((length, chunk) => Math.max(length, chunk.length), 0) ?? 0;
  return longest * text.length > MOST_COMPARISONS ? undefined : pattern;
}

/**
 * `${X#pattern}` and `${X##pattern}`.
 * @returns `undefined` where BuildKit refuses the pattern, and where it is beyond all use.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/shell/lex.go (convertShellPatternToRegex, trimPrefix)
 */
export function removePrefix(text: string, pattern: string, isLongest: boolean): string | undefined {
  const chars = [...text];
  const chunks = readBounded(pattern, chars);
  if (!chunks) return undefined;
  const match = matchAt(chunks, chars, 0, isLongest);
  return chars.slice(match.kind === "match" ? match.end : 0).join("");
}

/** `${X%pattern}` and `${X%%pattern}`: text and pattern are turned around, as BuildKit does it. */
export function removeSuffix(text: string, pattern: string, isLongest: boolean): string | undefined {
  const units = pattern.match(/\\[\s\S]|[\s\S]/gu) ?? [];
  const rest = removePrefix([...text].reverse().join(""), units.reverse().join(""), isLongest);
  return rest === undefined ? undefined : [...rest].reverse().join("");
}

/** `${X/pattern/replacement}` and `${X//pattern/replacement}`: the longest match at the first place, as Go's regexp finds it. */
export function replaceMatches(text: string, pattern: string, replacement: string, all: boolean): string | undefined {
  const chars = [...text];
  const chunks = readBounded(pattern, chars);
  if (!chunks) return undefined;
  const pieces: string[] = [];
  let copied = 0;
  let lastEnd = -1;
  for (let at = 0; at <= chars.length; ) {
    const match = matchAt(chunks, chars, at, true);
    if (match.kind === "none") {
      at = match.next;
      continue;
    }
    const { end } = match;
    // An empty match right behind another one does not count.
    if (end > at || at !== lastEnd) {
      pieces.push(chars.slice(copied, at).join(""), replacement);
      copied = end;
      lastEnd = end;
      if (!all) break;
    }
    at = Math.max(end, at + 1);
  }
  return [...pieces, chars.slice(copied).join("")].join("");
}

/** `next`: the first place behind this one at which the pattern may begin. */
type Match = { readonly kind: "match"; readonly end: number } | { readonly kind: "none"; readonly next: number };

/**
 * Matches at one place, in one pass: an earlier place of a chunk leaves all that a later one would. Where chunks behind the first find no
 * place, they find none from any later place of the line either, and the whole line is passed over.
 */
function matchAt([first, ...others]: Pattern, chars: readonly string[], at: number, isLongest: boolean): Match {
  if (!fits(first, chars, at)) return { kind: "none", next: at + 1 };
  let end = at + first.length;
  let lineEnd = endOfLine(chars, end, others.length);
  for (const [index, chunk] of others.entries()) {
    const isLatest = isLongest && index === others.length - 1;
    const place = placeOf(chunk, chars, { from: end, lineEnd }, isLatest);
    if (place === undefined) return { kind: "none", next: first.includes("\n") ? at + 1 : endOfLine(chars, at, 1) + 1 };
    end = place + chunk.length;
    if (end > lineEnd) lineEnd = endOfLine(chars, end, others.length);
  }
  return { kind: "match", end };
}

/** Where the line ends that a place is in; of no interest to a pattern without a `*`. */
function endOfLine(chars: readonly string[], from: number, stars: number): number {
  const end = stars === 0 ? 0 : chars.indexOf("\n", from);
  return end < 0 ? chars.length : end;
}

type Line = { readonly from: number; readonly lineEnd: number };

/** Where a chunk stands behind a `*`. One with a line break has one place: what is in front of its break may hold no other. */
function placeOf(
  chunk: Chunk,
  chars: readonly string[],
  { from, lineEnd }: Line,
  isLatest: boolean,
): number | undefined {
  const lineBreak = chunk.indexOf("\n");
  const last = lineEnd - (lineBreak < 0 ? chunk.length : lineBreak);
  if (last < from) return undefined;
  if (lineBreak >= 0) return fits(chunk, chars, last) ? last : undefined;
  if (isLatest) {
    for (let at = last; at >= from; at--) if (fits(chunk, chars, at)) return at;
    return undefined;
  }
  for (let at = from; at <= last; at++) if (fits(chunk, chars, at)) return at;
  return undefined;
}

function fits(chunk: Chunk, chars: readonly string[], at: number): boolean {
  if (at + chunk.length > chars.length) return false;
  for (let index = 0; index < chunk.length; index++) {
    const [wanted, char] = [chunk[index], chars[at + index]];
    if (wanted === undefined ? char === "\n" : wanted !== char) return false;
  }
  return true;
}
