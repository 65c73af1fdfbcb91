/**
 * Replaces every `${…}` of a text in one pass, up to the next brace and within a line; what has none stays. A regular expression would look
 * for the brace anew from every `${`.
 * @param replace is given what stands between the braces; what it gives nothing for stays as it is written.
 */
export function replaceBraced(written: string, replace: (inside: string) => string | undefined): string {
  const pieces: string[] = [];
  let copied = 0;
  const lineEnd = finder(written, /[\n\r\u2028\u2029]/g);
  const brace = finder(written, /\}/g);
  for (let open = written.indexOf("${"); open >= 0; open = written.indexOf("${", Math.max(open + 2, copied))) {
    const close = brace(open + 2);
    if (close === written.length) break;
    if (lineEnd(open + 2) < close) continue;
    const instead = replace(written.slice(open + 2, close));
    if (instead !== undefined) pieces.push(written.slice(copied, open), instead);
    else pieces.push(written.slice(copied, close + 1));
    copied = close + 1;
  }
  return [...pieces, written.slice(copied)].join("");
}

/** Where the next match is from a place on; places are asked about in ascending order. */
function finder(text: string, pattern: RegExp): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found >= from) return found;
    pattern.lastIndex = from;
    found = pattern.exec(text)?.index ?? text.length;
    return found;
  };
}
