/**
 * Splits one line of comma-separated values as buildx does: a field that holds a comma or a quotation mark stands in `"`, and a mark
 * inside it is doubled.
 * @returns `undefined` where buildx refuses the line.
 * @see https://github.com/tonistiigi/go-csvvalue
 */
export function splitFields(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  for (let rest: string | undefined = line; rest !== undefined; ) {
    const [found, quoted, plain = ""]: readonly (string | undefined)[] =
      /^(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/.exec(rest) ?? [];
    if (found === undefined) return undefined;
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    rest = rest.length > found.length ? rest.slice(found.length + 1) : undefined;
  }
  return fields;
}

/** One line that `splitFields` reads back. */
export function joinFields(fields: readonly string[]): string {
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
