/** What a plan may hold: JSON without numbers that a parser could round. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * The one text of a JSON value: object keys sorted by code unit, no white space, `undefined` members left out. Two values that mean
 * the same have the same text, whatever the order in which they were written. The order of arrays means something and is kept.
 * @see https://www.rfc-editor.org/rfc/rfc8785, of which this is the part for the values that a plan holds
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter((member): member is [string, Json] => member[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
