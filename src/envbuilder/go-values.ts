/** Go's `strconv.ParseBool`, for which envbuilder takes nothing as false; `undefined` for what it refuses. */
export function parseGoBool(text: string): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(?:0|f|F|FALSE|false|False|)$/.test(text) ? false : undefined;
}

const INT64 = 2n ** 63n;

/** Go's `strconv.ParseInt(text, 10, 64)`; `undefined` for what it refuses. */
export function parseGoInt(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.replace("+", ""));
  return value >= -INT64 && value < INT64 ? value : undefined;
}

/**
 * The first record of a text as Go's `encoding/csv` reads it: empty lines in front are passed over, a field in quotation marks may go over
 * lines, and what stands behind the record is not looked at.
 * @returns `undefined` where Go finds no record, or refuses it.
 * @see https://pkg.go.dev/encoding/csv
 */
export function parseGoCsv(text: string): readonly string[] | undefined {
  let rest = text.replaceAll("\r\n", "\n").replace(/\r$/, "").replace(/^\n+/, "");
  if (rest === "") return undefined;
  const fields: string[] = [];
  for (;;) {
    const [found, quoted, plain = ""]: readonly (string | undefined)[] =
      /^(?:"((?:[^"]|"")*)"|([^",\n]*))(?=[,\n]|$)/.exec(rest) ?? [];
    if (found === undefined) return undefined;
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    if (rest[found.length] !== ",") return fields;
    rest = rest.slice(found.length + 1);
  }
}
