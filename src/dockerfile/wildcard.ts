/**
 * A pattern as a row of steps. It is matched by carrying all reachable positions along, which takes time in proportion to text times
 * pattern: a regular expression of JavaScript goes back and forth, for ever when a pattern has many stars.
 */
export type Step =
  | { readonly kind: "one" | "many"; readonly test: (char: string) => boolean }
  /** Whole folders, or none: `(.*\/)?` */
  | { readonly kind: "folders" }
  | { readonly kind: "times"; readonly step: Step; readonly min: number; readonly max: number }
  | { readonly kind: "where"; readonly test: (chars: readonly string[], at: number) => boolean };

/** What Go's `.` matches. */
export const notNewline = (char: string): boolean => char !== "\n";

/** Where the steps can end when they start at `from`, in ascending order. */
export function endsOf(steps: readonly Step[], chars: readonly string[], from: number): readonly number[] {
  let ends: readonly number[] = [from];
  for (const step of steps) {
    if (ends.length === 0) return ends;
    ends = advance(step, chars, ends);
  }
  return ends;
}

/** Tells whether the steps take the whole text. */
export function matchesWhole(steps: readonly Step[], chars: readonly string[]): boolean {
  return endsOf(steps, chars, 0).at(-1) === chars.length;
}

function advance(step: Step, chars: readonly string[], ends: readonly number[]): readonly number[] {
  switch (step.kind) {
    case "where":
      return ends.filter((at) => step.test(chars, at));
    case "times":
      return repeat(step, chars, ends);
    case "one":
      return ends.flatMap((at) => (at < chars.length && step.test(chars[at] ?? "") ? [at + 1] : []));
    case "many":
      return spread(chars, ends, step.test, () => true);
    case "folders":
      return spread(chars, ends, notNewline, (before) => before === "/");
  }
}

/** From each end on as far as the characters pass the test, stopping wherever it may. */
function spread(
  chars: readonly string[],
  ends: readonly number[],
  passes: (char: string) => boolean,
  mayStopBehind: (char: string) => boolean,
): readonly number[] {
  const after: number[] = [];
  let isRunning = false;
  let nextEnd = 0;
  for (let at = ends[0] ?? 0; at <= chars.length; at++) {
    const isEnd = ends[nextEnd] === at;
    if (isEnd) nextEnd++;
    else if (!isRunning && nextEnd >= ends.length) break;
    if (isEnd || (isRunning && mayStopBehind(chars[at - 1] ?? ""))) after.push(at);
    isRunning = (isEnd || isRunning) && passes(chars[at] ?? "");
  }
  return after;
}

function repeat(
  { step, min, max }: Extract<Step, { kind: "times" }>,
  chars: readonly string[],
  ends: readonly number[],
): readonly number[] {
  let current = ends;
  for (let times = 0; times < min && current.length > 0; times++) current = advance(step, chars, current);
  const all = new Set(current);
  for (let times = min; times < max && current.length > 0; times++) {
    const before = all.size;
    current = advance(step, chars, current);
    for (const end of current) all.add(end);
    if (all.size === before) break;
  }
  return [...all].sort((a, b) => a - b);
}

/** A shell's pattern: `*`, `?` and backslashes, no brackets. `undefined` where BuildKit refuses it. */
function shellSteps(pattern: string): readonly Step[] | undefined {
  const chars = [...pattern];
  const steps: Step[] = [];
  for (let at = chars[0] === "\uFEFF" ? 1 : 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*") steps.push({ kind: "many", test: notNewline });
    else if (char === "?") steps.push({ kind: "one", test: notNewline });
    else if (char !== "\\") steps.push(literal(char));
    else if (chars[at + 1] !== "}" && chars[at + 1] !== "/") {
      const escaped = chars[++at] ?? "";
      if (!["*", "?", "\\"].includes(escaped)) return undefined;
      steps.push(literal(escaped));
    }
  }
  return steps;
}

/** A step that takes exactly one character. */
export function literal(char: string): Step {
  return { kind: "one", test: (other) => other === char };
}

/**
 * `${X#pattern}` and `${X##pattern}`.
 * @returns `undefined` where BuildKit refuses the pattern.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/shell/lex.go (convertShellPatternToRegex, trimPrefix)
 */
export function removePrefix(text: string, pattern: string, isLongest: boolean): string | undefined {
  const steps = shellSteps(pattern);
  if (!steps) return undefined;
  const chars = [...text];
  const ends = endsOf(steps, chars, 0);
  return chars.slice((isLongest ? ends.at(-1) : ends[0]) ?? 0).join("");
}

/** `${X%pattern}` and `${X%%pattern}`: text and pattern are turned around, as BuildKit does it. */
export function removeSuffix(text: string, pattern: string, isLongest: boolean): string | undefined {
  const units = pattern.match(/\\[\s\S]|[\s\S]/gu) ?? [];
  const rest = removePrefix([...text].reverse().join(""), units.reverse().join(""), isLongest);
  return rest === undefined ? undefined : [...rest].reverse().join("");
}

/** `${X/pattern/replacement}` and `${X//pattern/replacement}`: the longest match at the first place, as Go's regexp finds it. */
export function replaceMatches(text: string, pattern: string, replacement: string, all: boolean): string | undefined {
  const steps = shellSteps(pattern);
  if (!steps) return undefined;
  const chars = [...text];
  let result = "";
  let lastEnd = -1;
  let at = 0;
  while (at <= chars.length) {
    const end = endsOf(steps, chars, at).at(-1);
    // An empty match right behind another one does not count.
    if (end !== undefined && !(end === at && at === lastEnd)) {
      result += replacement;
      lastEnd = end;
      if (!all) return result + chars.slice(end).join("");
      if (end > at) {
        at = end;
        continue;
      }
    }
    result += chars[at] ?? "";
    at++;
  }
  return result;
}
