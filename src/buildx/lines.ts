/** Makes lines of one stream's bytes. `end` gives the line that was never ended. */
export type Lines = { readonly push: (bytes: Uint8Array) => readonly string[]; readonly end: () => readonly string[] };

/** Lines are whole before they are told, so that steps which run at the same time do not meet in the middle of one. */
export function openLines(): Lines {
  const decoder = new TextDecoder();
  let begun = "";
  return {
    push(bytes) {
      const pieces = decoder.decode(bytes, { stream: true }).split("\n");
      const last = pieces.pop() ?? "";
      const [first, ...others] = pieces;
      if (first === undefined) {
        begun += last;
        return [];
      }
      const lines = [begun + first, ...others];
      begun = last;
      return lines.map(legibleLine);
    },
    end() {
      const rest = begun + decoder.decode();
      begun = "";
      return rest === "" ? [] : [legibleLine(rest)];
    },
  };
}

/** The most characters of a line that a page can show without hiding the others. */
const LONGEST_LINE = 2000;

/**
 * A line as a terminal would leave it: of a progress bar that returns to the line's start only its last state, without colours and
 * other control characters.
 */
export function legibleLine(line: string): string {
  const shown = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
  const text = shown.replace(/(?!\t)\p{Cc}(?:\[[\d;?]*[A-Za-z])?/gu, "");
  if (text.length <= LONGEST_LINE) return text;
  return `${text.slice(0, LONGEST_LINE)}… (${text.length - LONGEST_LINE} more characters)`;
}
