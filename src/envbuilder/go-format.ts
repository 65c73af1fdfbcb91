import type { Json } from "../devcontainer/json.ts";
import { compareBytes } from "./go-json.ts";

const SHORT: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** What Go's `unicode.IsPrint` says no to: everything but letters, marks, numbers, punctuation, symbols and the plain blank. */
const NOT_PRINTED = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** Go's `strconv.Quote`, which is `%q` too. */
export function goQuote(text: string): string {
  return `"${text.replaceAll(NOT_PRINTED, (char) => SHORT[char] ?? escaped(char.codePointAt(0) ?? 0))}"`;
}

function escaped(code: number): string {
  const hex = code.toString(16);
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** Go's `fmt.Sprint` of a value that came out of JSON into an `any`. */
export function goSprint(value: Json | undefined): string {
  if (value === undefined || value === null) return "<nil>";
  if (typeof value === "number") return goFloat(value);
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `[${value.map(goSprint).join(" ")}]`;
  const entries = Object.entries(value).sort(([one], [other]) => compareBytes(one, other));
  return `map[${entries.map(([name, item]) => `${name}:${goSprint(item)}`).join(" ")}]`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** `%v` of a float64: the fewest digits that tell it, with an exponent from 1e+06 on, and below 1e-04. */
function goFloat(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  // JavaScript writes an exponent only from 1e+21 on, and below 1e-06.
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
