import { ActionError } from "../errors.ts";
import { matchPath } from "./go-match.ts";
import { cleanPath } from "./go-path.ts";
import { asSubject, compileIgnorePattern, type IgnorePattern } from "./pattern.ts";
import { trimSpace } from "./text.ts";

/** One line of an ignore file: what it matches, and whether it takes something out or brings it back. */
type Rule = { readonly pattern: IgnorePattern; readonly bringsBack: boolean; readonly line: number };

/** Paths are relative to the context's folder, with `/`. */
export type IgnoreRules = {
  /** Whether the rules leave a path out of the context. */
  readonly isIgnored: (path: string) => boolean;
  /**
   * Whether nothing below an ignored folder can be brought back, so that it need not be read. Below it at least the rules hold that hold
   * for itself; only a rule that brings back and matches something further down could change that.
   */
  readonly canPrune: (folder: string) => boolean;
  /** The line that leaves a path out, from 1; nothing for one that is not left out. */
  readonly leftOutBy: (path: string) => number | undefined;
};

/** Linux opens no longer path. A longer pattern would only cost time. */
const LONGEST_PATTERN = 4096;

/**
 * Reads a .dockerignore: `#` lines at the very start of a line are comments, blanks around a line do not count, `!` brings back.
 * @param file how messages name it.
 * @throws ActionError E_DOCKERFILE for a pattern that BuildKit refuses or that is longer than any path, with its line.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.1/ignorefile/ignorefile.go, patternmatcher.go (New)
 */
export function parseIgnoreFile(text: string, file = ".dockerignore"): IgnoreRules {
  const rules = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .flatMap((line, index) => (line.startsWith("#") ? [] : readRule(trimSpace(line), { file, line: index + 1 })));
  const decidingRule = openDecisions(rules);
  const mayComeBack = openReturns(rules.flatMap(({ pattern, bringsBack }) => (bringsBack ? [pattern] : [])));
  const isIgnored = (path: string): boolean => {
    // The context's own folder cannot be left out.
    if (path === "" || path === ".") return false;
    const deciding = rules[decidingRule(path)];
    return deciding !== undefined && !deciding.bringsBack;
  };
  return {
    isIgnored,
    canPrune: (folder) => isIgnored(folder) && !mayComeBack(folder),
    leftOutBy: (path) => (isIgnored(path) ? rules[decidingRule(path)]?.line : undefined),
  };
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
  if (written.length > LONGEST_PATTERN)
    throw new ActionError("E_DOCKERFILE", {
      what: `This pattern has more than ${LONGEST_PATTERN} characters, and no path is that long.`,
      fix: "Correct the line.",
      at,
    });
  // BuildKit asks the same of it.
  if (matchPath(written, ".") === undefined) throw refuse("a bracket or a backslash in it is not finished");
  const pattern = compileIgnorePattern(written);
  if (!pattern) throw refuse("as a regular expression, which BuildKit makes of it, it is wrong");
  return [{ pattern, bringsBack, line: at.line }];
}

/**
 * Tells the last rule that matches a path or a folder above it, by its number; -1 where there is none. What was found for a folder holds
 * for everything in it, so that only the rules behind that one are looked at.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.1/patternmatcher.go (MatchesOrParentMatches)
 */
function openDecisions(rules: readonly Rule[]): (path: string) => number {
  const plain = new Map<string, number>();
  const others: { readonly index: number; readonly pattern: IgnorePattern }[] = [];
  for (const [index, { pattern }] of rules.entries())
    if (pattern.isPlain) plain.set(pattern.written, index);
    else others.push({ index, pattern });
  const folders = new Map<string, number>();
  const decide = (path: string): number => {
    const slash = path.lastIndexOf("/");
    const least = Math.max(slash > 0 ? ofFolder(path.slice(0, slash)) : -1, plain.get(path) ?? -1);
    const subject = asSubject(path);
    for (let at = others.length - 1; at >= 0; at--) {
      const other = others[at];
      if (other === undefined || other.index < least) break;
      if (other.pattern.matches(subject)) return other.index;
    }
    return least;
  };
  const ofFolder = (folder: string): number => {
    const known = folders.get(folder) ?? decide(folder);
    folders.set(folder, known);
    return known;
  };
  return decide;
}

/** Tells whether one of the patterns may match something below a folder. */
function openReturns(patterns: readonly IgnorePattern[]): (folder: string) => boolean {
  const isAnywhere = patterns.some(({ written, isPlain }) => !isPlain && /[|{]/.test(written));
  const plain = patterns.flatMap(({ written, isPlain }) => (isPlain ? [written] : [])).sort();
  // What stands in front of the first character that means something has to be met as it is.
  const starts = patterns
    .flatMap(({ written, isPlain }) => (isPlain ? [] : [written.split(/[*?[\]\\^]/, 1)[0] ?? ""]))
    .sort();
  const known = new Set(starts);
  const lengths = [...new Set(starts.map(({ length }) => length))];
  return (folder) => {
    const below = `${folder}/`;
    const isMet = (length: number): boolean => length < below.length && known.has(below.slice(0, length));
    return isAnywhere || hasPrefixed(plain, below) || hasPrefixed(starts, below) || lengths.some(isMet);
  };
}

/** Whether one of the texts, which are sorted, begins with another one. */
function hasPrefixed(sorted: readonly string[], prefix: string): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < prefix) low = middle + 1;
    else high = middle;
  }
  return sorted[low]?.startsWith(prefix) ?? false;
}
