/** In a longer word two of a name's letters may be wrong. */
const MOST_WRONG = 2;

/**
 * The name that was probably meant: the one with the fewest letters to change. Case, hyphens and underscores do not count.
 * @param names in the order in which the first of two that are as near is taken.
 * @returns `undefined` where it would be another word.
 */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  const meant = letters(written);
  // No fewer letters are wrong than there are too many or too few: what is far longer is not looked at letter by letter.
  const similar = names.filter((name) => Math.abs(letters(name).length - meant.length) <= MOST_WRONG);
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

/** How many letters are put in, left out, exchanged, or change places with the next (optimal string alignment). */
function distance(one: string, other: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let line = 0; line < one.length; line++) {
    const next = [line + 1];
    for (let at = 0; at < other.length; at++) {
      const cost = one[line] === other[at] ? 0 : 1;
      const isTurned = line > 0 && at > 0 && one[line] === other[at - 1] && one[line - 1] === other[at];
      const ways = [(next[at] ?? 0) + 1, (row[at + 1] ?? 0) + 1, (row[at] ?? 0) + cost];
      next.push(Math.min(...ways, ...(isTurned ? [(before[at - 1] ?? 0) + 1] : [])));
    }
    [before, row] = [row, next];
  }
  return row.at(-1) ?? 0;
}
