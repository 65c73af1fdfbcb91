import { parse, visit } from "jsonc-parser";
import type { Json } from "../devcontainer/json.ts";
import type { ActionError } from "../errors.ts";

/** Deeper nesting is no metadata, and would exhaust the stack of every recursive reader. */
const MAX_DEPTH = 100;

/**
 * Reads JSON with comments as the reference CLI reads metadata: jsonc-parser with its defaults, which reads over syntax errors.
 * @returns `undefined` where there is no value at all.
 * @throws what `tooDeep` makes, for nesting beyond reason.
 */
export function parseJsonc(text: string, tooDeep: () => ActionError): Json | undefined {
  let depth = 0;
  const open = (): void => {
    depth++;
    // Thrown from inside: the parser goes on recursing whatever a visitor answers.
    if (depth > MAX_DEPTH) throw tooDeep();
  };
  const close = (): void => {
    depth--;
  };
  visit(text, { onObjectBegin: open, onArrayBegin: open, onObjectEnd: close, onArrayEnd: close });
  return parse(text);
}
