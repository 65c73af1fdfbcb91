import { type Dialect, type Lexed, type Lookup, lexShell, type Value } from "./shell.ts";

export type { Lookup, Value };

const LONGEST_WORD = 64 * 1024;

/** A word after its variables were replaced, or the names that nobody knows before the build. */
export type Expanded =
  | { readonly kind: "text"; readonly text: string; readonly used: readonly string[] }
  | { readonly kind: "unresolved"; readonly names: readonly string[] };

/**
 * Replaces variables in one word and takes its quotes and escapes off, as BuildKit does. What BuildKit refuses, and what its versions
 * read in different ways, is unresolved: whoever asks then assumes the widest.
 * @param escapeChar of the Dockerfile: a backslash or a backtick.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/shell/lex.go (ProcessWordWithMatches)
 */
export function expandWord(word: string, lookup: Lookup, escapeChar: string): Expanded {
  // Nobody needs that much: each variable that holds another one twice doubles it.
  if (word.length > LONGEST_WORD) return { kind: "unresolved", names: [] };
  const lex = (dialect: Dialect): Lexed => lexShell(word, { escape: escapeChar, lookup, dialect });
  const newest = lex("0.34");
  if (newest.kind !== "lexed") return { kind: "unresolved", names: [word] };
  if (newest.unknown.length > 0) return { kind: "unresolved", names: newest.unknown };
  if (word.includes(escapeChar) && /["']/.test(word)) {
    const older = lex("0.26");
    if (older.kind !== "lexed" || older.text !== newest.text) return { kind: "unresolved", names: [word] };
  }
  if (newest.text.length > LONGEST_WORD) return { kind: "unresolved", names: newest.used };
  return { kind: "text", text: newest.text, used: newest.used };
}
