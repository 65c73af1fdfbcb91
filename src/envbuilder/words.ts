import { cleanPath } from "../dockerfile/go-path.ts";
import { type Lookup, lexShell } from "../dockerfile/shell.ts";
import type { Place } from "../errors.ts";
import { refuse } from "./unprobeable.ts";

/** What variables may add to one word. Each that holds another one twice doubles it: nobody needs that much. */
const LONGEST = 256 * 1024;

/** Replaces the variables in a word, and takes its quotes and escapes off. */
export type Expand = (word: string) => string;

/**
 * How kaniko reads words under an environment: the last of two equal names counts, what is not set is empty.
 * @param environment `NAME=value` each.
 * @returns a function that throws E_UNKNOWN where the builder itself would stop.
 * @see https://github.com/moby/buildkit/blob/v0.16.0/frontend/dockerfile/shell/lex.go
 */
export function openWords(environment: readonly string[], at: Place): Expand {
  const values = new Map(environment.map(cutVariable));
  return (word) => {
    let left = LONGEST;
    const lookup: Lookup = (name) => {
      const value = values.get(name);
      if (value === undefined) return { kind: "unset" };
      left -= value.length;
      return left < 0 ? { kind: "unknown" } : { kind: "value", value };
    };
    if (word.length > LONGEST) refuse(at, "A word of this line is long beyond reason.");
    const lexed = lexShell(word, { escape: "\\", lookup, dialect: "0.26" });
    if (lexed.kind === "wrong") return refuse(at, `The builder stops at the word ${word}: ${lexed.what}.`);
    if (lexed.kind === "deep" || lexed.unknown.length > 0)
      return refuse(at, `It cannot be told what the variables make of the word ${word}.`);
    return lexed.text;
  };
}

/** @see https://pkg.go.dev/strings#Cut */
export function cutVariable(variable: string): readonly [name: string, value: string] {
  const equals = variable.indexOf("=");
  return equals < 0 ? [variable, ""] : [variable.slice(0, equals), variable.slice(equals + 1)];
}

/**
 * A path after its variables were replaced: clean, but for a slash at its end.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/util/command_util.go (ResolveEnvironmentReplacement)
 */
export function expandPath(word: string, expand: Expand, at: Place): string {
  const path = expand(word);
  if (/^[a-zA-Z][\w+.-]*:\/\//.test(path)) refuse(at, `${path} is an address: what is behind it cannot be told.`);
  const cleaned = cleanPath(path);
  return path.endsWith("/") && !cleaned.endsWith("/") ? `${cleaned}/` : cleaned;
}
