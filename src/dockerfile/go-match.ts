/**
 * Go's filepath.Match on Unix.
 * @returns `undefined` for a bad pattern. As in Go a pattern is looked at no further than up to the star behind which nothing fits any
 * more: an unfinished bracket behind that goes unnoticed.
 * @see https://pkg.go.dev/path/filepath#Match
 */
export function matchPath(pattern: string, name: string): boolean | undefined {
  const chars = [...pattern];
  const wanted = [...name];
  let left = 0;
  for (let at = 0; at < chars.length; ) {
    const start = at;
    while (chars[at] === "*") at++;
    if (at === chars.length) return !wanted.includes("/", left);
    const chunk = { chars, start: at, end: endOfChunk(chars, at) };
    const after = matchAfterStar(chunk, wanted, left, at > start);
    if (after === undefined || after === false) return after;
    left = after;
    at = chunk.end;
  }
  return left === wanted.length;
}

/** A part of a pattern without stars. */
type Chunk = { readonly chars: readonly string[]; readonly start: number; readonly end: number };

/** A star in brackets ends nothing. */
function endOfChunk(chars: readonly string[], from: number): number {
  let isInside = false;
  for (let at = from; at < chars.length; at++) {
    const char = chars[at];
    if (char === "\\") at++;
    else if (char === "[" || char === "]") isInside = char === "[";
    else if (char === "*" && !isInside) return at;
  }
  return chars.length;
}

/** Where the name goes on behind the first place where the chunk fits; the last chunk has to take all of it. */
function matchAfterStar(
  chunk: Chunk,
  name: readonly string[],
  from: number,
  hasStar: boolean,
): number | false | undefined {
  const isLast = chunk.end === chunk.chars.length;
  for (let at = from; ; at++) {
    const after = matchChunk(chunk, name, at);
    if (after === undefined) return undefined;
    if (after !== false && (after >= name.length || !isLast)) return after;
    if (!hasStar || at >= name.length || name[at] === "/") return false;
  }
}

/** Matches at a place of a name; on a failure the rest of the chunk is read all the same, for it may be bad. */
function matchChunk({ chars, start, end }: Chunk, name: readonly string[], from: number): number | false | undefined {
  let left = from;
  let fits = true;
  for (let at = start; at < end; ) {
    const char = chars[at] ?? "";
    const first = name[left];
    fits &&= first !== undefined;
    left++;
    if (char === "[") {
      const bracket = readBracket(chars, at + 1, end, first ?? "");
      if (!bracket) return undefined;
      fits &&= bracket.fits;
      at = bracket.end;
      continue;
    }
    if (char === "\\" && ++at >= end) return undefined;
    fits &&= char === "?" ? first !== "/" : chars[at] === first;
    at++;
  }
  return fits && left;
}

/** One or more characters or ranges; a bare `-` or `]` is neither. A slash is a character like any other. */
function readBracket(
  chunk: readonly string[],
  from: number,
  end: number,
  char: string,
): { readonly fits: boolean; readonly end: number } | undefined {
  const isNegated = chunk[from] === "^";
  let at = isNegated ? from + 1 : from;
  let isIn = false;
  const passOne = (): string | undefined => {
    if (at >= end || chunk[at] === "-" || chunk[at] === "]") return undefined;
    if (chunk[at] === "\\") at++;
    const one = chunk[at++];
    return at < end ? one : undefined;
  };
  for (let isFirst = true; isFirst || chunk[at] !== "]"; isFirst = false) {
    const low = passOne();
    if (low === undefined) return undefined;
    let high: string | undefined = low;
    if (chunk[at] === "-") {
      at++;
      high = passOne();
      if (high === undefined) return undefined;
    }
    isIn ||= codeOf(low) <= codeOf(char) && codeOf(char) <= codeOf(high);
  }
  return { fits: isIn !== isNegated, end: at + 1 };
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? -1;
}
