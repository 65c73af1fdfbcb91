import { readJsonList } from "../dockerfile/json-list.ts";
import type { Place } from "../errors.ts";
import { wrongLine } from "./wrong-line.ts";

/**
 * The words of the JSON form.
 * @returns `undefined` where the text is none, and is read in the plain form.
 * @throws ActionError E_DOCKERFILE for a list of something else than texts.
 */
export function readWords(rest: string, at: Place): { readonly words: readonly string[] } | undefined {
  const list = readJsonList(rest);
  if (!list) return undefined;
  const words = list.filter((item) => typeof item === "string");
  if (words.length === list.length) return { words };
  throw wrongLine(at, "in the JSON form there is something else than texts");
}
