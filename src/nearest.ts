/** In a longer word two of a name's letters may be wrong. */
const MOST_WRONG = 2;

/** What is longer nobody mistypes: a stranger's names are as long as he likes, and each may be held against each. */
const LONGEST = 100;

/**
 * The name that was probably meant: the one with the fewest letters to change. Case, hyphens and underscores do not count.
 * @param names in the order in which the first of two that are as near is taken.
 * @returns `undefined` where it would be another word.
 */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  if (written.length > LONGEST) return undefined;
  const meant = letters(written);
  // No fewer letters are wrong than there are too many or too few: what is far longer is not looked at letter by letter.
  const similar = names.filter(
    (name) => name.length <= LONGEST && Math.abs(letters(name).length - meant.length) <= MOST_WRONG,
  );
  const ranked = similar.map((name) => ({ name, far: distance(meant, letters(name)) })).sort((a, b) => a.far - b.far);
  const [first] = ranked;
  return first && first.far <= Math.min(MOST_WRONG, Math.floor(letters(first.name).length / 3))
    ? first.name
    : undefined;
}

/** The same as the end of a sentence that has told what there is not; nothing where none is near. */
export function tellMeant(written: string, names: readonly string[]): string {
  const near = nearestName(written, names);
  return near === undefined ? "" : `; ${near} was probably meant`;
}

/** `cacheRepo`, `cache_repo` and `cache-repo` are one name to whoever writes them. */
export function letters(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/**
 * How many letters are put in, left out, exchanged, or change places with the next (optimal string alignment); more than `MOST_WRONG` are not
 * counted. So a row holds only what lies as near the diagonal as that, from `MOST_WRONG` letters behind it on.
 */
function distance(one: string, other: string): number {
  const tooFar = MOST_WRONG + 1;
  let before: readonly number[] = [];
  let row: readonly number[] = DIAGONALS.map((at) => (at < 0 ? tooFar : at));
  for (let line = 0; line < one.length; line++) {
    const next: number[] = [];
    for (const [place, diagonal] of DIAGONALS.entries()) {
      const at = line + diagonal;
      const cost = one[line] === other[at] ? 0 : 1;
      const isTurned = line > 0 && at > 0 && one[line] === other[at - 1] && one[line - 1] === other[at];
      const left = next[place - 1] ?? tooFar;
      const ways = [left + 1, (row[place + 1] ?? tooFar) + 1, ...(at < 0 ? [] : [(row[place] ?? tooFar) + cost])];
      next.push(Math.min(...ways, ...(isTurned ? [(before[place] ?? tooFar) + 1] : [])));
    }
    if (Math.min(...next) >= tooFar) return tooFar;
    [before, row] = [row, next];
  }
  return row[other.length - one.length + MOST_WRONG] ?? tooFar;
}

const DIAGONALS: readonly number[] = Array.from({ length: 2 * MOST_WRONG + 1 }, (_, place) => place - MOST_WRONG);
