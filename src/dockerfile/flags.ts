import { isSpace, lowerCase, trimSpace } from "./text.ts";

/**
 * Takes the flags off the front of an instruction: words with `--`, in which quotes group and the escape character takes the next
 * character as it is. A bare `--` ends them.
 *
 * BuildKit walks bytes here, not characters: every byte of an accented letter becomes a letter of its own, and two of the bytes are blanks.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/split_command.go (extractBuilderFlags)
 */
export function splitFlags(
  text: string,
  escapeChar: string,
): { readonly flags: readonly string[]; readonly rest: string } {
  if (!text.startsWith("--")) return { flags: [], rest: trimSpace(text) };
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < bytes.length && isSpace(bytes[at] ?? "")) at++;
    if (!bytes.startsWith("--", at)) break;
    const word = readFlag(bytes, at, escapeChar);
    at = word.end;
    if (word.text === "--") break;
    flags.push(word.text);
  }
  const rest = Uint8Array.from(bytes.slice(at), (byte) => byte.charCodeAt(0));
  return { flags, rest: trimSpace(new TextDecoder("utf-8", { ignoreBOM: true }).decode(rest)) };
}

function readFlag(text: string, from: number, escapeChar: string): { readonly text: string; readonly end: number } {
  let word = "";
  let quote = "";
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && isSpace(char)) break;
    // In single quotes too, unlike in a shell.
    if (char === quote) quote = "";
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === escapeChar) word += text[++at] ?? "";
    else word += char;
  }
  return { text: word, end: at };
}

/** The values of `--name=value`; a bare `--name` has none. */
export function flagValues(flags: readonly string[], name: string): readonly string[] {
  return flags.flatMap((flag) => (flag.startsWith(`--${name}=`) ? [flag.slice(name.length + 3)] : []));
}

/** Whether `--name` is set, alone or as `--name=true`. */
export function isFlagSet(flags: readonly string[], name: string): boolean {
  return flags.some((flag) => flag === `--${name}` || flag.toLowerCase() === `--${name}=true`);
}

/** The options of a `--mount`, in their order: keys lower-case, a value as it is written. */
export type MountOptions = readonly (readonly [key: string, value: string])[];

/**
 * Reads `--mount=type=bind,source=x`, which is one line of CSV.
 * @returns the options; `undefined` for another flag, and for a line that BuildKit refuses.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/instructions/commands_runmount.go (parseMount)
 */
export function readMount(flag: string): MountOptions | undefined {
  const [written] = flagValues([flag], "mount");
  return written === undefined ? undefined : readFields(written)?.map((field) => readOption(field));
}

function readOption(field: string): readonly [string, string] {
  const equals = field.indexOf("=");
  return equals < 0 ? [lowerCase(field), ""] : [lowerCase(field.slice(0, equals)), field.slice(equals + 1)];
}

/** https://github.com/tonistiigi/go-csvvalue: a field is plain, or in double quotes with `""` for one. */
export function readFields(line: string): readonly string[] | undefined {
  if (line === "") return undefined;
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  const fields: string[] = [];
  for (;;) {
    const [whole, quoted, plain = "", end] = field.exec(line) ?? [];
    if (whole === undefined) return undefined;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "") return fields;
  }
}
