import { expandWord, type Lookup } from "./expand.ts";
import { type Dockerfile, type Instruction, readTrigger, type Stage, triggerText } from "./parse.ts";
import { globalLookup, type Scope } from "./scope.ts";

/** How the stages of a Dockerfile stand on one another, each looked up once. */
export type StageGraph = {
  /** What variables stand for in FROM. */
  readonly outside: Lookup;
  /** The stage of this file that a stage builds on. FROM knows earlier stages by name only, and by their lower-case name. */
  readonly parentOf: (stage: Stage) => Stage | undefined;
  /**
   * The instructions that run in a stage: the triggers of the stage right below it, then its own. Where it cannot be told which stage is
   * below, the triggers of all of them.
   */
  readonly running: (stage: Stage) => readonly Instruction[];
};

/** What an instruction costs that a trigger repeats, beside its text. */
const INSTRUCTION = 64;

/** Opens the stages of a Dockerfile; nothing is looked up before it is asked for. */
export function openStages(dockerfile: Dockerfile, scope: Scope): StageGraph {
  const { stages, file, escape: escapeChar } = dockerfile;
  const outside = globalLookup(dockerfile, scope);
  const bases = once((stage) => expandWord(stage.from.base, outside, escapeChar));
  const triggers = once((stage) =>
    stage.instructions.flatMap((one) => (one.keyword === "ONBUILD" ? (readTrigger(triggerText(one), one) ?? []) : [])),
  );
  const parentOf = once((stage) => {
    const base = bases(stage);
    if (base.kind === "unresolved") return undefined;
    return stages.slice(0, stage.index).findLast(({ name }) => name !== undefined && name === base.text);
  });
  const running = once((stage): readonly Instruction[] => {
    const parent = parentOf(stage);
    const below = bases(stage).kind === "unresolved" ? stages.slice(0, stage.index) : parent ? [parent] : [];
    const repeated = below.flatMap((one) => {
      for (const { rest, line } of triggers(one)) scope.effort?.spend(INSTRUCTION + rest.length, { file, line });
      return triggers(one);
    });
    return [...repeated, ...stage.instructions.filter(({ keyword }) => keyword !== "ONBUILD")];
  });
  return { outside, parentOf, running };
}

function once<T>(make: (stage: Stage) => T): (stage: Stage) => T {
  const made = new Map<Stage, { readonly value: T }>();
  return (stage) => {
    const known = made.get(stage) ?? { value: make(stage) };
    made.set(stage, known);
    return known.value;
  };
}
