import { ActionError } from "../errors.ts";
import { hintOf, isSwitch } from "./slips.ts";

/** Gives an input's text as the runner has it; empty means not set. */
export type ReadInput = (name: string) => string;

/** An input without the blanks around it; `undefined` where it is empty. */
export function text(read: ReadInput, name: string): string | undefined {
  const value = read(name).trim();
  return value === "" ? undefined : value;
}

/** One of several values, the first of which is the default. @throws ActionError E_INPUT for another one. */
export function choice<const T extends string>(read: ReadInput, name: string, allowed: readonly [T, ...T[]]): T {
  const value = text(read, name);
  if (value === undefined) return allowed[0];
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw wrong(name, value, `Allowed: ${allowed.join(", ")}.`);
  return found;
}

/** `auto`, or a boolean in YAML's core schema, as `core.getBooleanInput` reads it. @throws ActionError E_INPUT for anything else. */
export function autoOrBoolean(read: ReadInput, name: string): "auto" | "true" | "false" {
  const value = text(read, name) ?? "auto";
  if (value === "auto") return "auto";
  if (/^(true|True|TRUE)$/.test(value)) return "true";
  if (/^(false|False|FALSE)$/.test(value)) return "false";
  throw wrong(name, value, "Allowed: auto, true, false.");
}

/** A boolean in YAML's core schema. @throws ActionError E_INPUT for anything else. */
export function boolean(read: ReadInput, name: string, byDefault: boolean): boolean {
  const value = text(read, name);
  if (value === undefined) return byDefault;
  if (/^(true|True|TRUE)$/.test(value)) return true;
  if (/^(false|False|FALSE)$/.test(value)) return false;
  throw wrong(name, value, "Allowed: true, false.");
}

/** An error about a value that is not allowed. */
export function wrong(name: string, value: string, fix: string, why?: string): ActionError {
  const because = why === undefined ? "" : `: ${why}`;
  return new ActionError("E_INPUT", {
    what: `The input ${name} is "${value}", which is not allowed${because}.`,
    fix: `${hintOf(value)}${fix}`,
  });
}

/** Of these one item is a list with commas itself. */
const WITH_COMMAS: readonly string[] = ["cache-from", "cache-to"];

/**
 * One item a line.
 * @param show an item as it can be told, where it may hold a secret.
 * @throws ActionError E_INPUT for the first that cannot be read, with the reason.
 */
export function list<T>(
  read: ReadInput,
  name: string,
  parse: (item: string) => T | { readonly wrong: string },
  show: (item: string) => string = (item) => item,
): readonly T[] {
  return items(read, name).map((item) => {
    const isWord = isSwitch(item);
    const parsed = isWord ? { wrong: "it is the word of a switch, and this is a list" } : parse(item);
    if (!isWrong(parsed)) return parsed;
    throw new ActionError("E_INPUT", {
      what: `The input ${name} holds "${show(item)}": ${parsed.wrong}.`,
      fix: `${hintOf(item)}Correct it: one item a line${item.includes(",") && !WITH_COMMAS.includes(name) ? ", without commas" : ""}${isWord ? "; for none leave it out" : ""}.`,
    });
  });
}

function isWrong(parsed: unknown): parsed is { readonly wrong: string } {
  return typeof parsed === "object" && parsed !== null && "wrong" in parsed;
}

/** The lines of an input that are not empty. */
export function items(read: ReadInput, name: string): readonly string[] {
  return read(name)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The items of an input that are written one a line or with commas. */
export function separated(read: ReadInput, name: string): readonly string[] {
  return items((input) => read(input).replaceAll(",", "\n"), name);
}
