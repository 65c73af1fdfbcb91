/**
 * A pattern as a row of steps. It is matched by carrying all reachable positions along, which takes time in proportion to text times
 * pattern: a regular expression of JavaScript goes back and forth, for ever when a pattern has many stars.
 */
export type Step =
  | Once
  | { readonly kind: "many"; readonly test: (char: string) => boolean }
  /** Whole folders, or none: `(.*\/)?` */
  | { readonly kind: "folders" }
  | { readonly kind: "times"; readonly step: Once; readonly min: number; readonly max: number };

type Place = { readonly kind: "where"; readonly test: (chars: readonly string[], at: number) => boolean };

/** What can be counted. */
type Once =
  /** `char` where it is the only one that passes. */
  { readonly kind: "one"; readonly test: (char: string) => boolean; readonly char?: string } | Place;

/** What Go's `.` matches. */
export const notNewline = (char: string): boolean => char !== "\n";

/** Where the steps can end when they start at `from`, in ascending order. */
function endsOf(steps: readonly Step[], chars: readonly string[], from: number): readonly number[] {
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
    case "one": {
      const after: number[] = [];
      for (const at of ends) if (at < chars.length && step.test(chars[at] ?? "")) after.push(at + 1);
      return after;
    }
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

/** As often as it may be, from each end on, in one pass over the text. */
function repeat(
  { step, min, max }: Extract<Step, { kind: "times" }>,
  chars: readonly string[],
  ends: readonly number[],
): readonly number[] {
  // A place is not left by being looked at once more.
  if (step.kind === "where") return min === 0 ? ends : ends.filter((at) => step.test(chars, at));
  const after: number[] = [];
  let runEnd = 0;
  for (const from of ends) {
    runEnd = Math.max(runEnd, from);
    while (runEnd < chars.length && runEnd < from + max && step.test(chars[runEnd] ?? "")) runEnd++;
    for (let at = Math.max(from + min, (after.at(-1) ?? -1) + 1); at <= runEnd && at <= from + max; at++)
      after.push(at);
  }
  return after;
}

const ASCII: readonly Step[] = Array.from({ length: 128 }, (_, code) => takesOnly(String.fromCharCode(code)));

/** A step that takes exactly one character. Thousands of patterns share theirs. */
export function literal(char: string): Step {
  return ASCII[char.codePointAt(0) ?? 128] ?? takesOnly(char);
}

function takesOnly(char: string): Step {
  return { kind: "one", test: (other) => other === char, char };
}
