import { ActionError } from "../errors.ts";
import { matchPath } from "./go-match.ts";
import { compileIgnorePattern, type IgnorePattern } from "./pattern.ts";
import { trimSpace } from "./text.ts";

/** One line of an ignore file: what it matches, and whether it takes something out or brings it back. */
type Rule = { readonly pattern: IgnorePattern; readonly bringsBack: boolean };

export type IgnoreRules = readonly Rule[];

/**
 * Reads a .dockerignore: `#` lines at the very start of a line are comments, blanks around a line do not count, `!` brings back.
 * @param file how messages name it.
 * @throws ActionError E_DOCKERFILE for a pattern that BuildKit refuses, with its line.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.1/ignorefile/ignorefile.go, patternmatcher.go (New)
 */
export function parseIgnoreFile(text: string, file = ".dockerignore"): IgnoreRules {
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .flatMap((line, index) => (line.startsWith("#") ? [] : readRule(trimSpace(line), { file, line: index + 1 })));
}

function readRule(line: string, at: { readonly file: string; readonly line: number }): Rule[] {
  if (line === "") return [];
  const isMarked = line.startsWith("!");
  const path = trimSpace(isMarked ? line.slice(1) : line);
  const cleaned = path === "" ? "" : cleanPath(path);
  const relative = cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned;
  // Patterns are cleaned twice, the second time with the mark in front.
  const whole = cleanPath(trimSpace((isMarked ? "!" : "") + relative));
  const bringsBack = whole.startsWith("!");
  const written = bringsBack ? whole.slice(1) : whole;
  const refuse = (why: string) =>
    new ActionError("E_DOCKERFILE", { what: `"${line}" is no pattern: ${why}.`, fix: "Correct the line.", at });
  if (written === "") throw refuse("nothing stands behind the !");
  // BuildKit asks the same of it.
  if (matchPath(written, ".") === undefined) throw refuse("a bracket or a backslash in it is not finished");
  const pattern = compileIgnorePattern(written);
  if (!pattern) throw refuse("as a regular expression, which BuildKit makes of it, it is wrong");
  return [{ pattern, bringsBack }];
}

/** Go's filepath.Clean. */
function cleanPath(path: string): string {
  const root = path.startsWith("/") ? "/" : "";
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== ".." || (root === "" && (kept.length === 0 || kept.at(-1) === ".."))) kept.push(segment);
    else kept.pop();
  }
  return root + kept.join("/") || ".";
}

/**
 * Whether the rules leave a path out of the context: the last rule that matches it or a folder above it decides.
 * @param path relative to the context's folder, with `/`.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.1/patternmatcher.go (MatchesOrParentMatches)
 */
export function isIgnored(rules: IgnoreRules, path: string): boolean {
  // The context's own folder cannot be left out.
  if (path === "" || path === ".") return false;
  const prefixes = prefixesOf(path);
  const deciding = rules.findLast(({ pattern }) => prefixes.some((prefix) => pattern.matches(prefix)));
  return deciding !== undefined && !deciding.bringsBack;
}

/** The path itself first: most rules that match at all match that. */
function prefixesOf(path: string): readonly string[] {
  const prefixes = [path];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1))
    prefixes.push(path.slice(0, slash));
  return prefixes;
}

/**
 * Whether nothing below an ignored folder can be brought back, so that it need not be read. Below it at least the rules hold that hold
 * for itself; only a rule that brings back and matches something further down could change that.
 */
export function canPrune(rules: IgnoreRules, folder: string): boolean {
  return (
    isIgnored(rules, folder) && !rules.some(({ pattern, bringsBack }) => bringsBack && mayMatchBelow(pattern, folder))
  );
}

function mayMatchBelow({ written, isPlain }: IgnorePattern, folder: string): boolean {
  if (isPlain) return written.startsWith(`${folder}/`);
  if (/[|{]/.test(written)) return true;
  // What stands in front of the first character that means something has to be met as it is.
  const start = written.split(/[*?[\]\\^]/, 1)[0] ?? "";
  const below = `${folder}/`;
  return start.length < below.length ? below.startsWith(start) : start.startsWith(below);
}
