/**
 * Splits one line of comma-separated values as buildx does: a field that holds a comma or a quotation mark stands in `"`, and a mark
 * inside it is doubled.
 * @returns `undefined` where buildx refuses the line.
 * @see https://github.com/tonistiigi/go-csvvalue
 */
export function splitFields(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/gy;
  for (let isMore = true; isMore; ) {
    const [found, quoted, plain = "", end] = field.exec(line) ?? [];
    if (found === undefined) return undefined;
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    isMore = end === ",";
  }
  return fields;
}

/** One line that `splitFields` reads back. */
export function joinFields(fields: readonly string[]): string {
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
