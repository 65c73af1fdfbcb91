import { matchPath } from "../dockerfile/go-match.ts";
import { cleanPath } from "../dockerfile/go-path.ts";
import { asSubject, compileIgnorePattern, type IgnorePattern } from "../dockerfile/pattern.ts";
import { trimSpace } from "../dockerfile/text.ts";
import { refuse } from "./unprobeable.ts";

type Rule = { readonly pattern: IgnorePattern; readonly depth: number; readonly bringsBack: boolean };

export type Ignored = {
  /** Whether an ignore file leaves a path out, which is clean and relative to the context. */
  readonly isIgnored: (path: string) => boolean;
  /** Whether a folder is left out together with all that is in it, whatever that is. */
  readonly isWhollyIgnored: (folder: string) => boolean;
};

/** Linux opens no longer path. */
const LONGEST_PATTERN = 4096;
/** Each is held against each file. */
const MOST_PATTERNS = 1000;

/**
 * What an ignore file means to kaniko, whose function for it Docker has given up: of the folders above a path only one is looked at, that
 * with as many names as the pattern has. One wrong pattern takes the whole file's effect away.
 * @throws ActionError E_UNKNOWN for what nobody means, and cannot be told.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.0/patternmatcher.go (Matches), ignorefile/ignorefile.go
 */
export function readIgnored(written: { readonly text: string; readonly file: string } | undefined): Ignored {
  const rules = written ? readRules(written.text, written.file) : [];
  const bringsBack = rules.some((rule) => rule.bringsBack);
  const isIgnored = (path: string): boolean => {
    if (path === ".") return false;
    const subject = asSubject(path);
    const folders = foldersOf(path);
    let ignored = false;
    for (const { pattern, depth, bringsBack } of rules) {
      if (bringsBack !== ignored) continue;
      const folder = depth <= folders.length ? folders.slice(0, depth).join("/") : undefined;
      if (pattern.matches(subject) || (folder !== undefined && pattern.matches(asSubject(folder))))
        ignored = !bringsBack;
    }
    return ignored;
  };
  const isWhollyIgnored = (folder: string): boolean => {
    const names = folder.split("/");
    const holds = ({ pattern, depth }: Rule) =>
      depth <= names.length && pattern.matches(asSubject(names.slice(0, depth).join("/")));
    return folder !== "." && !bringsBack && rules.some(holds);
  };
  return { isIgnored, isWhollyIgnored };
}

/** The names of the folder that a path is in; none where that is the context itself. */
function foldersOf(path: string): readonly string[] {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : cleanPath(path.slice(0, slash + 1));
  return folder === "." ? [] : folder.split("/");
}

function readRules(text: string, file: string): readonly Rule[] {
  const rules: Rule[] = [];
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const [index, line] of lines.entries()) {
    const at = { file, line: index + 1 };
    const whole = cleanLine(line);
    if (whole === "") continue;
    if (rules.length >= MOST_PATTERNS) refuse(at, `There are more than ${MOST_PATTERNS} patterns.`);
    if (whole.length > LONGEST_PATTERN) refuse(at, "This pattern is longer than any path.");
    const bringsBack = whole.startsWith("!");
    const pattern = bringsBack ? whole.slice(1) : whole;
    if (pattern === "" || matchPath(pattern, ".") === undefined) return [];
    const compiled = compileIgnorePattern(pattern);
    if (!compiled) return refuse(at, `It cannot be told what the pattern ${pattern} leaves out.`);
    rules.push({ pattern: compiled, depth: pattern.split("/").length, bringsBack });
  }
  return rules;
}

/** A line as it is read, and cleaned once more when it is used. */
function cleanLine(line: string): string {
  if (line.startsWith("#")) return "";
  const trimmed = trimSpace(line);
  const isMarked = trimmed.startsWith("!");
  const path = trimSpace(isMarked ? trimmed.slice(1) : trimmed);
  if (trimmed === "") return "";
  const cleaned = path === "" ? "" : cleanPath(path);
  const relative = cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned;
  const again = trimSpace((isMarked ? "!" : "") + relative);
  return again === "" ? "" : cleanPath(again);
}
