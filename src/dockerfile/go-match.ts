/**
 * Go's filepath.Match on Unix.
 * @returns `undefined` for a bad pattern. As in Go a pattern is looked at no further than up to the star behind which nothing fits any
 * more: an unfinished bracket behind that goes unnoticed.
 * @see https://pkg.go.dev/path/filepath#Match
 */
export function matchPath(pattern: string, name: string): boolean | undefined {
  let rest: readonly string[] = [...pattern];
  let left: readonly string[] = [...name];
  while (rest.length > 0) {
    const stars = rest.findIndex((char) => char !== "*");
    if (stars < 0) return !left.includes("/");
    const end = endOfChunk(rest, stars);
    const after = matchAfterStar(rest.slice(stars, end), left, { hasStar: stars > 0, isLast: end === rest.length });
    if (after === undefined || after === false) return after;
    left = after;
    rest = rest.slice(end);
  }
  return left.length === 0;
}

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

/** What is left of the name behind the first place where the chunk fits; the last chunk has to take all of it. */
function matchAfterStar(
  chunk: readonly string[],
  name: readonly string[],
  { hasStar, isLast }: { readonly hasStar: boolean; readonly isLast: boolean },
): readonly string[] | false | undefined {
  for (let at = 0; ; at++) {
    const left = matchChunk(chunk, name.slice(at));
    if (left === undefined) return undefined;
    if (left !== false && (left.length === 0 || !isLast)) return left;
    if (!hasStar || at >= name.length || name[at] === "/") return false;
  }
}

/** Matches the start of a name; on a failure the rest of the chunk is read all the same, for it may be bad. */
function matchChunk(chunk: readonly string[], name: readonly string[]): readonly string[] | false | undefined {
  let left = name;
  let fits = true;
  for (let at = 0; at < chunk.length; ) {
    const char = chunk[at] ?? "";
    const first = left[0];
    fits &&= first !== undefined;
    left = left.slice(1);
    if (char === "[") {
      const bracket = readBracket(chunk, at + 1, first ?? "");
      if (!bracket) return undefined;
      fits &&= bracket.fits;
      at = bracket.end;
      continue;
    }
    if (char === "\\" && ++at >= chunk.length) return undefined;
    fits &&= char === "?" ? first !== "/" : chunk[at] === first;
    at++;
  }
  return fits && left;
}

/** One or more characters or ranges; a bare `-` or `]` is neither. A slash is a character like any other. */
function readBracket(
  chunk: readonly string[],
  from: number,
  char: string,
): { readonly fits: boolean; readonly end: number } | undefined {
  const isNegated = chunk[from] === "^";
  let at = isNegated ? from + 1 : from;
  let isIn = false;
  const passOne = (): string | undefined => {
    if (chunk[at] === undefined || chunk[at] === "-" || chunk[at] === "]") return undefined;
    if (chunk[at] === "\\") at++;
    const one = chunk[at++];
    return at < chunk.length ? one : undefined;
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
