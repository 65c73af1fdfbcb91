/** One line of an ignore file: what it matches, and whether it takes something out or brings it back. */
type Rule = { readonly matches: RegExp; readonly bringsBack: boolean; readonly written: string };

export type IgnoreRules = readonly Rule[];

/**
 * Reads a .dockerignore: `#` lines at the very start of a line are comments, blanks around a line do not count, `!` brings back.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.0/ignorefile/ignorefile.go
 */
export function parseIgnoreFile(text: string): IgnoreRules {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .flatMap((line) => asRule(line.trim()));
}

function asRule(line: string): Rule[] {
  const bringsBack = line.startsWith("!");
  const written = cleanPath((bringsBack ? line.slice(1) : line).trim());
  // "." and an empty line match nothing: the context's own folder cannot be left out.
  if (written === "" || written === ".") return [];
  return [{ matches: patternToRegExp(written), bringsBack, written }];
}

/** Go's filepath.Clean, and no slash in front: patterns and paths both count from the context's folder. */
function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === ".." && (rooted || (kept.length > 0 && kept.at(-1) !== ".."))) kept.pop();
    else kept.push(segment);
  }
  return kept.join("/");
}

/**
 * Go's path patterns with `**` on top: `*` and `?` stay within a segment, `**` does not, `[…]` is a set, a backslash takes the next
 * character as it is.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.0/patternmatcher.go (compile)
 */
export function patternToRegExp(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; ) {
    const piece = readPiece(pattern, at);
    source += piece.source;
    at = piece.end;
  }
  return new RegExp(`^${source}$`, "s");
}

type Piece = { readonly source: string; readonly end: number };

function readPiece(pattern: string, at: number): Piece {
  const char = pattern[at] ?? "";
  if (pattern.startsWith("**", at)) {
    const end = pattern[at + 2] === "/" ? at + 3 : at + 2;
    // At the end it takes everything, in front of more it takes whole segments or none.
    return { source: end >= pattern.length ? ".*" : "(?:.*/)?", end };
  }
  if (char === "*") return { source: "[^/]*", end: at + 1 };
  if (char === "?") return { source: "[^/]", end: at + 1 };
  if (char === "[") return readSet(pattern, at);
  if (char === "\\") return { source: escapeRegExp(pattern[at + 1] ?? "\\"), end: at + 2 };
  return { source: escapeRegExp(char), end: at + 1 };
}

function readSet(pattern: string, at: number): Piece {
  const end = pattern.indexOf("]", at + 2);
  // Without an end it is no pattern in Go either; taken as it is written, it matches less and so leaves less out.
  if (end < 0) return { source: "\\[", end: at + 1 };
  const body = pattern.slice(at + 1, end);
  const negated = body.startsWith("^");
  const inner = (negated ? body.slice(1) : body).replace(/[\\[\]^]/g, (char) => `\\${char}`);
  return { source: `[${negated ? "^" : ""}${inner}]`, end: end + 1 };
}

function escapeRegExp(char: string): string {
  return /[\\^$.*+?()[\]{}|]/.test(char) ? `\\${char}` : char;
}

/**
 * Whether the rules leave a path out of the context: the last rule that matches it or a folder above it decides.
 * @param path relative to the context's folder, with `/`.
 * @see https://github.com/moby/patternmatcher/blob/v0.6.0/patternmatcher.go (MatchesOrParentMatches)
 */
export function isIgnored(rules: IgnoreRules, path: string): boolean {
  const folders = path.split("/").map((_, index, segments) => segments.slice(0, index + 1).join("/"));
  let ignored = false;
  for (const { matches, bringsBack } of rules)
    if (bringsBack === ignored && folders.some((one) => matches.test(one))) ignored = !bringsBack;
  return ignored;
}

/** Whether nothing below an ignored folder can be brought back, so that it need not be read. */
export function canPrune(rules: IgnoreRules, folder: string): boolean {
  return (
    isIgnored(rules, folder) && !rules.some(({ bringsBack, written }) => bringsBack && mayMatchBelow(written, folder))
  );
}

/** Widely: a pattern with a special character in one of the folder's segments may match anything from there on. */
function mayMatchBelow(pattern: string, folder: string): boolean {
  const wanted = folder.split("/");
  const written = pattern.split("/");
  for (const [index, segment] of wanted.entries()) {
    const part = written[index];
    if (part === undefined) return true;
    if (/[*?[\\]/.test(part)) return true;
    if (part !== segment) return false;
  }
  return true;
}
