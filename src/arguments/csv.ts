/**
 * Splits one line of comma-separated values as buildx does: a field that holds a comma or a quotation mark stands in `"`, and a mark
 * inside it is doubled.
 * @returns `undefined` where buildx refuses the line.
 * @see https://github.com/tonistiigi/go-csvvalue
 */
export function splitFields(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const isQuoted = line[at] === '"';
    const end = isQuoted ? endOfQuoted(line, at + 1) : at + line.slice(at).search(/[",]|$/);
    if (end === undefined) return undefined;
    fields.push(isQuoted ? line.slice(at + 1, end).replaceAll('""', '"') : line.slice(at, end));
    at = isQuoted ? end + 1 : end;
    if (at >= line.length) return fields;
    if (line[at] !== ",") return undefined;
  }
}

function endOfQuoted(line: string, from: number): number | undefined {
  let end = line.indexOf('"', from);
  while (end >= 0 && line[end + 1] === '"') end = line.indexOf('"', end + 2);
  return end < 0 ? undefined : end;
}

/** One line that `splitFields` reads back. */
export function joinFields(fields: readonly string[]): string {
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
