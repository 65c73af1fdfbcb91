import { expandWord } from "./expand.ts";
import { flagValues, readMount } from "./flags.ts";
import { isUnderstood } from "./instructions.ts";
import type { Dockerfile, Instruction, Stage } from "./parse.ts";
import { givenValue, type Scope } from "./scope.ts";
import { openStages, type StageGraph } from "./stage-graph.ts";
import { declaredNames, declaresAny, sourceNames, sourceStage, targetStage } from "./stages.ts";
import { isForeignFrontend } from "./undeclared.ts";
import { argWords } from "./words.ts";

/** Whether the file means what it means to Docker's own frontend. */
export function hasKnownFrontend(dockerfile: Dockerfile, { args }: Scope): boolean {
  return !isForeignFrontend(dockerfile, args.get("BUILDKIT_SYNTAX"));
}

/**
 * The stages that may take part in building the target, never fewer: it, what it stands on, and what any of them copies or mounts from.
 * Where a name cannot be told before the build, every stage that it could mean.
 * @throws ActionError E_DOCKERFILE where there is no such target.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/convert.go (allReachableStages)
 */
export function reachableStages(dockerfile: Dockerfile, target: string | undefined, scope: Scope): readonly Stage[] {
  const { stages } = dockerfile;
  const last = targetStage(dockerfile, target);
  const graph = openStages(dockerfile, scope);
  if (!hasKnownFrontend(dockerfile, scope) || mayNameTime(graph, scope)) return stages;
  // Stages are added to the set while it is walked.
  const reached = new Set([last]);
  for (const stage of reached) {
    if (!isUnderstood(stage.from)) return stages;
    for (const base of baseStages(dockerfile, stage, graph)) reached.add(base);
    for (const instruction of graph.running(stage)) {
      const read = stagesRead(instruction, stages);
      if (read === "any") return stages;
      for (const one of read) reached.add(one);
    }
  }
  return stages.filter((stage) => reached.has(stage));
}

/** Whether SOURCE_DATE_EPOCH may name a stage, of which newer frontends put the time of what it adds into the image. */
export function mayNameTime({ outside }: Pick<StageGraph, "outside">, scope: Scope): boolean {
  const value = givenValue("SOURCE_DATE_EPOCH", scope) ?? outside("SOURCE_DATE_EPOCH");
  return value.kind === "unknown";
}

function baseStages(dockerfile: Dockerfile, stage: Stage, { outside, parentOf }: StageGraph): readonly Stage[] {
  const base = expandWord(stage.from.base, outside, dockerfile.escape);
  if (base.kind === "unresolved") return dockerfile.stages.slice(0, stage.index);
  const parent = parentOf(stage);
  return parent ? [parent] : [];
}

function stagesRead(instruction: Instruction, stages: readonly Stage[]): readonly Stage[] | "any" {
  const isOdd = (flag: string): boolean => flagValues([flag], "mount").length > 0 && readMount(flag) === undefined;
  if (!isUnderstood(instruction) || instruction.flags.some(isOdd)) return "any";
  const names = sourceNames(instruction);
  // BuildKit refuses variables here; another frontend may not.
  if (names.some(({ written }) => /[$"'\\`]/.test(written))) return "any";
  return names.flatMap((name) => {
    const stage = sourceStage(stages, name);
    return stage ? [stage] : [];
  });
}

/** A name with a meaning of its own to the frontend, whether or not anything refers to it. */
export const OWN_MEANING = /^(?:BUILDKIT_|SOURCE_DATE_EPOCH$)/;
/** Of those the ones whose default counts in front of all stages: the others are heard where they are given, and `BUILDKIT_VERSION` is a common name. */
const HEARD_AS_DEFAULT = /^(?:BUILDKIT_SBOM_SCAN_(?:CONTEXT|STAGE)|SOURCE_DATE_EPOCH)$/;

/**
 * The ARGs before the first FROM that some of the stages may use: in their FROM, or by declaring the name again.
 * @param triggered the names that ONBUILD triggers of what the stages are built on declare, as far as these are known.
 * @param told bases that are told by what their variables stand for: these are not used then.
 */
export function usedGlobalArgs(
  { globalArgs }: Dockerfile,
  stages: readonly Stage[],
  triggered: readonly string[],
  told: ReadonlyMap<string, string> = new Map(),
): readonly Instruction[] {
  if (declaresAny(stages)) return globalArgs;
  const froms = stages.flatMap(({ from }) => [...(told.has(from.base) ? [] : [from.base]), ...from.flags]);
  const used = new Set([...froms.flatMap(variablesIn), ...declaredBy(stages), ...triggered]);
  // A later one may use an earlier one.
  const kept = [...globalArgs].reverse().filter(({ rest, escape: escapeChar }) => {
    const words = argWords(rest, escapeChar);
    if (!words.some(({ name }) => used.has(name) || HEARD_AS_DEFAULT.test(name))) return false;
    for (const name of variablesIn(rest)) used.add(name);
    return true;
  });
  return kept.reverse();
}

/** The names that ARG declares in some stages, also behind ONBUILD. */
export function declaredBy(stages: readonly Stage[]): ReadonlySet<string> {
  return new Set(stages.flatMap(({ instructions }) => instructions).flatMap(declaredNames));
}

/** Every name that stands behind a `$`, quoted or not. */
export function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(/\$\{?([A-Za-z0-9_]+)/g)].flatMap(([, name]) => name ?? []);
}
