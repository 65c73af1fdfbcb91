/**
 * What does not show as itself, or ends a line for somebody: control characters but the tab, line and paragraph separators, halves of
 * characters, and what is invisible and may turn the order of the others around. The two joiners are part of how words and emoji are written.
 */
const INVISIBLE = /(?!\t)\p{Cc}|[\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\v": "\\v", "\f": "\\f" };

/** A stranger's text so that it is one line, and all of it can be seen: what cannot be shown is written as JavaScript writes it. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (char) => SHORT[char] ?? escapeCharacter(char.codePointAt(0) ?? 0));
}

function escapeCharacter(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

/**
 * A stranger's text as a line of the log in which no runner finds a command: `::name::` counts at a line's start, for GitHub's runner
 * behind blanks too, and `##[name]` there anywhere. Characters that its comparison passes over hide neither. A backslash breaks both.
 * The same again of what is such a line already.
 * @see https://github.com/actions/runner/blob/v2.336.0/src/Runner.Common/ActionCommand.cs
 * @see https://github.com/nektos/act/blob/v0.2.89/pkg/runner/command.go
 */
export function asLine(text: string): string {
  return visible(text)
    .replace(/^([\s\p{M}\p{DI}]*)(?=:[\p{M}\p{DI}]*:)/u, "$1\\")
    .replace(/(#[\p{M}\p{DI}]*#[\p{M}\p{DI}]*)(?=\[)/gu, "$1\\");
}
