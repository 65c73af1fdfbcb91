/** Deeper nesting is nothing that anybody means, and would exhaust the stack of whoever goes through it or writes it out again. */
const MOST_LEVELS = 200;

/**
 * JSON that others have written.
 * @returns `undefined` where the text is none, or is nested more than 200 levels deep.
 */
export function readJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    return isWithin(json, MOST_LEVELS) ? json : undefined;
  } catch {
    return undefined;
  }
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((one) => isWithin(one, levels - 1));
}

/**
 * JSON as others serve it, a manifest, a config, a statement or an error.
 * @returns `undefined` where the bytes are no JSON in UTF-8, or nested beyond reason; a byte order mark is none.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.1
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return readJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** A served text as it stands there: a byte order mark, which no JSON begins with, is not left out as a decoder does by itself. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
