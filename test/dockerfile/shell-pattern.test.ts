import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { removePrefix, removeSuffix, replaceMatches } from "../../src/dockerfile/shell-pattern.ts";

/** What Go makes of a pattern, with JavaScript's own way to match: sound for texts as short as these. */
function asRegExp(pattern: string, star: string): string {
  return pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("?", "[^\\n]")
    .replaceAll("*", `[^\\n]${star}`);
}

const texts = fc.string({ unit: fc.constantFrom("a", "b", "\n", "é", "𝒳"), maxLength: 12 });
const patterns = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "\n", "é"), maxLength: 6 });

describe("a shell's pattern matches what Go's regular expression matches", () => {
  it("at the start, the longest and the shortest", () => {
    fc.assert(
      fc.property(texts, patterns, (text, pattern) => {
        expect(removePrefix(text, pattern, true)).toBe(text.replace(new RegExp(`^${asRegExp(pattern, "*")}`, "u"), ""));
        expect(removePrefix(text, pattern, false)).toBe(
          text.replace(new RegExp(`^${asRegExp(pattern, "*?")}`, "u"), ""),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it("anywhere, once and everywhere", () => {
    fc.assert(
      fc.property(texts, patterns, (text, pattern) => {
        expect(replaceMatches(text, pattern, "<>", false)).toBe(
          text.replace(new RegExp(asRegExp(pattern, "*"), "u"), "<>"),
        );
        // JavaScript counts an empty match right behind another one, and Go does not.
        if (asRegExp(pattern, "*").length > 0 && /[^*]/.test(pattern))
          expect(replaceMatches(text, pattern, "<>", true)).toBe(
            text.replace(new RegExp(asRegExp(pattern, "*"), "gu"), "<>"),
          );
      }),
      { numRuns: 5000 },
    );
  });
});

it.each([
  ["aXbXc", "X", "-", "a-b-c"],
  ["abc", "*", "-", "-"],
  ["a\nb", "*", "-", "-\n-"],
  ["", "*", "-", "-"],
  ["abc", "", "-", "-a-b-c-"],
])("%j with every %j as %j is %j", (text, pattern, replacement, expected) => {
  expect(replaceMatches(text, pattern, replacement, true)).toBe(expected);
});

it.each([
  ["a/b/c", "*/", false, "a/b/c"],
  ["a/b/c", "/*", false, "a/b"],
  ["a/b/c", "/*", true, "a"],
  ["a.b", "x", true, "a.b"],
])("%j without %j at its end (%s) is %j", (text, pattern, isLongest, expected) => {
  expect(removeSuffix(text, pattern, isLongest)).toBe(expected);
});

it("refuses a pattern that is beyond all use, as it does one that is wrong", () => {
  expect(removePrefix("a".repeat(60_000), `?${"a".repeat(1000)}b`, true)).toBeUndefined();
  expect(removePrefix("a", "\\b", true)).toBeUndefined();
});
