import { trimSpaceBefore } from "./text.ts";

/** Go's JSON gives up on what is nested deeper. */
const MOST_LEVELS = 10_000;

/**
 * The list of the JSON form, as Go's `json.Unmarshal` reads it: half of a surrogate pair is U+FFFD, and where a number is beyond a
 * float64, or anything nested beyond its bound, the text is no JSON at all.
 * @returns `undefined` where the text is no list, and is read in the plain form.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/parser/line_parsers.go (parseJSON)
 */
export function readJsonList(rest: string): readonly unknown[] | undefined {
  const written = trimSpaceBefore(rest);
  if (!written.startsWith("[")) return undefined;
  const list = parseList(written);
  return list && isGoJson(list) ? list.map(wellFormed) : undefined;
}

function parseList(text: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

function isGoJson(list: readonly unknown[]): boolean {
  let level: readonly unknown[] = [list];
  for (let depth = 0; level.length > 0; depth++) {
    if (level.some((one) => one === Number.POSITIVE_INFINITY || one === Number.NEGATIVE_INFINITY)) return false;
    level = level.filter((one) => typeof one === "object" && one !== null);
    if (level.length > 0 && depth >= MOST_LEVELS) return false;
    level = level.flatMap((one) => Object.values(one ?? {}));
  }
  return true;
}

function wellFormed(item: unknown): unknown {
  return typeof item === "string" ? item.replace(/\p{Surrogate}/gu, "\ufffd") : item;
}
