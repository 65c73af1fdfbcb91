import { trimSpaceBefore } from "../dockerfile/text.ts";
import type { Place } from "../errors.ts";
import { wrongLine } from "./wrong-line.ts";

/**
 * The words of the JSON form.
 * @returns `undefined` where the text is none, and is read in the plain form.
 * @throws ActionError E_DOCKERFILE for a list of something else than texts.
 * @see https://github.com/moby/buildkit/blob/v0.16.0/frontend/dockerfile/parser/line_parsers.go (parseJSON)
 */
export function readWords(rest: string, at: Place): { readonly words: readonly string[] } | undefined {
  const written = trimSpaceBefore(rest);
  const list = written.startsWith("[") ? parseList(written) : undefined;
  if (!list) return undefined;
  const words = list
    .filter((item) => typeof item === "string")
    .map((word) => word.replace(/\p{Surrogate}/gu, "\ufffd"));
  if (words.length === list.length) return { words };
  throw wrongLine(at, "in the JSON form there is something else than texts");
}

function parseList(rest: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(rest);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}
