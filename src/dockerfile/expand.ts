/** A word after its variables were replaced, or the names that nobody knows before the build. */
export type Expanded =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "unresolved"; readonly names: readonly string[] };

/** What a name stands for: a value, nothing at all, or something that only the build knows. */
export type Value =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "unset" }
  | { readonly kind: "unknown" };

export type Lookup = (name: string) => Value;

type State = { readonly lookup: Lookup; readonly escape: string; readonly unknown: Set<string> };

/**
 * Replaces variables in one word and takes its quotes and escapes off, as BuildKit does. The forms `${X#…}`, `${X%…}` and `${X/…}`
 * count as unresolved: whoever asks then assumes the widest.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/shell/lex.go
 */
export function expandWord(word: string, lookup: Lookup, escapeChar: string): Expanded {
  const state: State = { lookup, escape: escapeChar, unknown: new Set() };
  const text = expandText(word, state, "");
  return state.unknown.size === 0 ? { kind: "text", text } : { kind: "unresolved", names: [...state.unknown] };
}

/** `within` is the quote that is open around the text: single quotes keep everything as it is. */
function expandText(text: string, state: State, within: "" | '"'): string {
  let result = "";
  for (let at = 0; at < text.length; ) {
    const char = text[at] ?? "";
    const quoted = within === "" ? readQuoted(text, at, state) : undefined;
    if (quoted) {
      result += quoted.text;
      at = quoted.end;
    } else if (char === state.escape) {
      const next = text[at + 1] ?? "";
      // Inside double quotes only what would else mean something is escaped.
      result += within === '"' && !['"', "$", state.escape].includes(next) ? char + next : next;
      at += 2;
    } else if (char === "$") {
      const variable = readVariable(text, at, state);
      result += variable.text;
      at = variable.end;
    } else {
      result += char;
      at++;
    }
  }
  return result;
}

type Piece = { readonly text: string; readonly end: number };

function readQuoted(text: string, at: number, state: State): Piece | undefined {
  const quote = text[at];
  if (quote === "'") {
    const end = text.indexOf("'", at + 1);
    return end < 0 ? { text: text.slice(at), end: text.length } : { text: text.slice(at + 1, end), end: end + 1 };
  }
  if (quote !== '"') return undefined;
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === state.escape ? 2 : 1;
  return { text: expandText(text.slice(at + 1, end), state, '"'), end: end + 1 };
}

function readVariable(text: string, at: number, state: State): Piece {
  const plain = /^\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!-])/.exec(text.slice(at));
  if (plain?.[1] !== undefined) return { text: textOf(plain[1], state), end: at + plain[0].length };
  if (text[at + 1] !== "{") return { text: "$", end: at + 1 };
  const end = closingBrace(text, at + 2, state.escape);
  const [, name, operator, word = ""] =
    /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])([\s\S]*))?$/.exec(text.slice(at + 2, end)) ?? [];
  if (name === undefined) {
    state.unknown.add(text.slice(at, end + 1));
    return { text: "", end: end + 1 };
  }
  return { text: operator === undefined ? textOf(name, state) : modify(name, operator, word, state), end: end + 1 };
}

function closingBrace(text: string, from: number, escapeChar: string): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === escapeChar) at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return text.length;
}

function textOf(name: string, state: State): string {
  const value = state.lookup(name);
  if (value.kind === "unknown") state.unknown.add(name);
  return value.kind === "value" ? value.value : "";
}

function modify(name: string, operator: string, word: string, state: State): string {
  const value = state.lookup(name);
  if (value.kind === "unknown") {
    state.unknown.add(name);
    return "";
  }
  const isThere = value.kind === "value" && (!operator.startsWith(":") || value.value !== "");
  if (operator.endsWith("+")) return isThere ? expandText(word, state, "") : "";
  if (isThere) return value.value;
  // `?` ends the build with its word as the message: there is nothing to analyse then.
  return operator.endsWith("-")
    ? expandText(word, state, "")
    : textOf(name, { ...state, lookup: () => ({ kind: "unknown" }) });
}
