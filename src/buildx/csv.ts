/**
 * Reads one line of comma-separated fields as Go's encoding/csv does, which is how docker and buildx read the values of their options:
 * a field that begins with a quote ends with one, and a doubled quote inside is one quote.
 * @returns the fields, or a sentence that says what is wrong.
 */
export function parseFields(line: string): readonly string[] | { readonly wrong: string } {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/.exec(rest);
    if (!match) return { wrong: "a quote in it is not closed, or stands in the middle of a field" };
    fields.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
    if (!match[0].endsWith(",")) return fields;
    rest = rest.slice(match[0].length);
    if (rest === "") return [...fields, ""];
  }
}

/** Writes fields so that `parseFields` reads them again. */
export function formatFields(fields: readonly string[]): string {
  return fields.map((field) => (/[",\n]|^\s/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
