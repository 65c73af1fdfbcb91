import { isCancelled, isCounted, type Step, secondsOf } from "./step.ts";

/** One step of a build that is over: a base that was fetched, an instruction, an export. Times in seconds. */
export type BuildStep = {
  readonly name: string;
  /** After the first step. */
  readonly begun: number;
  readonly seconds: number;
  /** Whether it is an instruction of the Dockerfile, and no `FROM`: these are counted. */
  readonly isInstruction: boolean;
  readonly how: "ran" | "cached" | "failed" | "cancelled";
};

/**
 * What a build consisted of, in the order in which it began. What BuildKit does for itself is left out, and so is what never began.
 * @param names as they may be told.
 */
export function recordSteps(
  known: ReadonlyMap<string, Step>,
  names: ReadonlyMap<string, string>,
): readonly BuildStep[] {
  const told = [...known].flatMap(([digest, step]) => {
    const counts = step.kind === "instruction" || step.kind === "source";
    return counts && step.begun !== undefined ? [{ name: names.get(digest) ?? "", step, begun: step.begun }] : [];
  });
  const first = told.reduce((least, { begun }) => Math.min(least, begun), Number.POSITIVE_INFINITY);
  const inOrder = told.sort((one, other) => one.begun - other.begun);
  return inOrder.map(({ name, step, begun }) => ({
    name,
    begun: (begun - first) / 1000,
    seconds: secondsOf(step),
    isInstruction: isCounted(step),
    how: howItEnded(step),
  }));
}

function howItEnded(step: Step): BuildStep["how"] {
  if (isCancelled(step)) return "cancelled";
  if (step.error !== "") return "failed";
  return step.cached ? "cached" : "ran";
}
