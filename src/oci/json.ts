/**
 * JSON as others serve it, a manifest, a config, a statement or an error.
 * @returns `undefined` where the bytes are no JSON in UTF-8; a byte order mark is none.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.1
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** A served text as it stands there: a byte order mark, which no JSON begins with, is not left out as a decoder does by itself. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
