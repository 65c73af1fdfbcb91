import { ActionError, tellSome } from "../errors.ts";
import { type Platform, parsePlatform, samePlatform } from "../oci/platform.ts";
import { type Expanded, expandWord, type Lookup } from "./expand.ts";
import { flagValues, readMount } from "./flags.ts";
import { replacementOf, stageReplacement } from "./named-contexts.ts";
import { type Dockerfile, type Instruction, readTrigger, type Stage, triggerText } from "./parse.ts";
import { BUILDERS_OWN, globalLookup, type Scope } from "./scope.ts";
import { openStages, type StageGraph } from "./stage-graph.ts";
import { lowerCase } from "./text.ts";
import { argWords } from "./words.ts";

export { type RemoteAdd, remoteAdds } from "./remote.ts";
export type { Scope } from "./scope.ts";

/** For which platform an image is read: the target's, one that follows from the builder's own, or one that is written there. */
export type UsePlatform =
  | { readonly kind: "target" }
  | { readonly kind: "build" }
  | { readonly kind: "fixed"; readonly platform: Platform }
  | { readonly kind: "unknown"; readonly names: readonly string[] };

/** An image outside of this Dockerfile that some instruction reads. */
export type ImageUse = {
  readonly by: "FROM" | "COPY" | "RUN --mount";
  readonly written: string;
  /** `undefined` where only the build knows it: because of these `names`. */
  readonly reference: string | undefined;
  readonly names: readonly string[];
  readonly line: number;
  readonly platform: UsePlatform;
};

/**
 * The stage that is built: by name, without regard to case; the last one when none is asked for.
 * @throws ActionError E_DOCKERFILE naming the stages that there are.
 */
export function targetStage(dockerfile: Dockerfile, target: string | undefined): Stage {
  const stage = target ? stageByName(dockerfile.stages, target) : dockerfile.stages.at(-1);
  if (stage) return stage;
  const names = dockerfile.stages.flatMap(({ name }) => name ?? []);
  throw new ActionError("E_DOCKERFILE", {
    what: `${dockerfile.file} has no stage "${target ?? ""}".`,
    fix:
      names.length === 0
        ? "None of its stages has a name: write FROM <image> AS <name>."
        : `Its stages are ${tellSome(names)}.`,
    at: { file: dockerfile.file, line: dockerfile.stages.at(-1)?.from.line ?? 1 },
  });
}

/** Of two stages with one name the later one counts. */
function stageByName(stages: readonly Stage[], reference: string): Stage | undefined {
  const name = lowerCase(reference);
  return stages.findLast((stage) => stage.name === name);
}

/**
 * Every image outside of the Dockerfile that one of some stages reads, `scratch` left out.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/convert.go (toCommand), convert_runmount.go (detectRunMount)
 */
export function imageUses(dockerfile: Dockerfile, stages: readonly Stage[], scope: Scope): readonly ImageUse[] {
  const graph = openStages(dockerfile, scope);
  const uses = stages.flatMap((stage) => [
    ...baseUse(dockerfile, stage, graph, scope),
    ...graph.running(stage).flatMap((instruction) => instructionUses(instruction, dockerfile.stages, scope)),
  ]);
  return [...uses, ...replacedStages(stages, scope)];
}

function baseUse(dockerfile: Dockerfile, stage: Stage, { outside, parentOf }: StageGraph, scope: Scope): ImageUse[] {
  if (parentOf(stage)) return [];
  const { base: written, line } = stage.from;
  const expanded = expandWord(written, outside, dockerfile.escape);
  if (expanded.kind === "text" && expanded.text === "scratch") return [];
  const replacement = expanded.kind === "text" ? replacementOf(scope, expanded.text) : undefined;
  if (replacement?.kind === "folder") return [];
  const known =
    expanded.kind === "text"
      ? { reference: replacement?.reference ?? expanded.text, names: [] }
      : { reference: undefined, names: expanded.names };
  return [{ by: "FROM", written, ...known, line, platform: basePlatform(dockerfile, stage, outside, scope) }];
}

function basePlatform(dockerfile: Dockerfile, stage: Stage, outside: Lookup, scope: Scope): UsePlatform {
  const written = stage.from.platform;
  // BuildKit takes an empty one for none.
  if (!written) return { kind: "target" };
  const expanded = expandWord(written, outside, dockerfile.escape);
  if (expanded.kind === "unresolved")
    return expanded.names.every((name) => BUILDERS_OWN.includes(name))
      ? { kind: "build" }
      : unknownOrTarget(written, expanded.names, scope);
  const platform = parsePlatform(expanded.text);
  // A lone architecture or system is completed by the builder's own.
  if ("wrong" in platform) return expanded.text.includes("/") ? { kind: "unknown", names: [] } : { kind: "build" };
  return scope.platform && samePlatform(platform, scope.platform) ? { kind: "target" } : { kind: "fixed", platform };
}

/** Without a platform in the scope the target is told by its name alone. */
function unknownOrTarget(written: string, names: readonly string[], { platform }: Scope): UsePlatform {
  const isTarget = platform === undefined && /^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(written);
  return isTarget ? { kind: "target" } : { kind: "unknown", names };
}

/** An image of COPY or RUN is read for the target's platform, whatever platform its stage has. */
function instructionUses(instruction: Instruction, stages: readonly Stage[], scope: Scope): ImageUse[] {
  const { line } = instruction;
  return sourceNames(instruction)
    .filter(({ by, written }) => written !== "scratch" && !stageOfSource(stages, by, written))
    .flatMap(({ by, written }): ImageUse[] => {
      const use = { by, written, line, platform: { kind: "target" } } as const;
      // BuildKit refuses variables here; another frontend may not.
      if (/[$"'\\`]/.test(written)) return [{ ...use, reference: undefined, names: [written] }];
      const replacement = replacementOf(scope, written);
      if (replacement?.kind === "folder") return [];
      return [{ ...use, reference: replacement?.reference ?? written, names: [] }];
    });
}

/** The images that named contexts put in the place of a stage's own name: the stage's instructions then do not run at all. */
function replacedStages(stages: readonly Stage[], scope: Scope): ImageUse[] {
  return stages.flatMap(({ name, from: { line } }): ImageUse[] => {
    const replacement = stageReplacement(scope, { name });
    if (name === undefined || replacement?.kind !== "image") return [];
    const { reference } = replacement;
    return [{ by: "FROM", written: name, reference, names: [], line, platform: { kind: "target" } }];
  });
}

export type SourceName = { readonly by: "COPY" | "RUN --mount"; readonly written: string };

/** The stages or images that an instruction takes files from, as they are written. */
export function sourceNames({ keyword, flags }: Instruction): readonly SourceName[] {
  // No frontend has ADD --from yet; one that gets it will mean the same.
  if (keyword === "COPY" || keyword === "ADD")
    return flagValues(flags, "from").flatMap((written) => (written === "" ? [] : [{ by: "COPY", written }]));
  if (keyword !== "RUN") return [];
  return flags.flatMap((flag): SourceName[] => {
    const written = readMount(flag)?.findLast(([key]) => key === "from")?.[1];
    return written ? [{ by: "RUN --mount", written }] : [];
  });
}

/** COPY knows stages by name and by number, a mount by name alone; both name them without regard to case. */
function stageOfSource(stages: readonly Stage[], by: SourceName["by"], written: string): boolean {
  if (by === "COPY" && /^[+-]?[0-9]+$/.test(written) && Number.isSafeInteger(Number(written))) return true;
  return stageByName(stages, written) !== undefined;
}

/** The stage that a name or number means where one does. */
export function sourceStage(stages: readonly Stage[], { by, written }: SourceName): Stage | undefined {
  // To Go -0 is the first one, too.
  const byNumber = by === "COPY" && /^[+-]?[0-9]+$/.test(written) ? stages[Number(written)] : undefined;
  return byNumber ?? stageByName(stages, written);
}

/**
 * Where the image outside is named that the target stands on, through all stages between: a FROM, or a stage in whose place a named
 * context puts an image. Nothing where it starts from scratch, or from a folder.
 */
export function finalBase(
  dockerfile: Dockerfile,
  target: string | undefined,
  scope: Scope,
): { readonly written: string; readonly line: number } | undefined {
  const lowest = stagesBelow(dockerfile, target, scope).at(-1);
  if (!lowest) return undefined;
  const { name, from } = lowest;
  const instead = stageReplacement(scope, lowest);
  if (instead) return instead.kind === "image" ? { written: name ?? "", line: from.line } : undefined;
  const expanded = expandWord(from.base, globalLookup(dockerfile, scope), dockerfile.escape);
  if (expanded.kind === "text" && expanded.text === "scratch") return undefined;
  const replacement = expanded.kind === "text" ? replacementOf(scope, expanded.text) : undefined;
  return replacement?.kind === "folder" ? undefined : { written: from.base, line: from.line };
}

/** The target and the stages below it, down to the one on an image outside, or one that a named context replaces. */
export function stagesBelow(dockerfile: Dockerfile, target: string | undefined, scope: Scope): readonly Stage[] {
  const { parentOf } = openStages(dockerfile, scope);
  const stages: Stage[] = [];
  let next: Stage | undefined = targetStage(dockerfile, target);
  for (; next; next = stageReplacement(scope, next) ? undefined : parentOf(next)) stages.push(next);
  return stages;
}

/**
 * The stages that certainly take part in building the target: it, what it stands on, and what any of them copies or mounts from. A
 * stage that is named by a variable may be one more.
 */
export function neededStages(dockerfile: Dockerfile, target: string | undefined, scope: Scope): readonly Stage[] {
  const { parentOf, running } = openStages(dockerfile, scope);
  const reached = new Set<Stage>();
  const visit = (stage: Stage | undefined): void => {
    if (!stage || reached.has(stage)) return;
    reached.add(stage);
    visit(parentOf(stage));
    for (const instruction of running(stage))
      for (const name of sourceNames(instruction)) visit(sourceStage(dockerfile.stages, name));
  };
  visit(targetStage(dockerfile, target));
  return [...reached];
}

/** The names that ARG declares anywhere, also behind ONBUILD, with their lines. */
export function declaredArgs(dockerfile: Dockerfile): ReadonlyMap<string, readonly number[]> {
  const lines = new Map<string, number[]>();
  const all = [...dockerfile.globalArgs, ...dockerfile.stages.flatMap(({ instructions }) => instructions)];
  for (const instruction of all)
    for (const name of declaredNames(instruction)) {
      const known = lines.get(name) ?? [];
      lines.set(name, known);
      known.push(instruction.line);
    }
  return lines;
}

/** The names that an ARG declares, or the ARG that an ONBUILD holds back. */
export function declaredNames(written: Instruction): readonly string[] {
  return declarationIn(written).flatMap(declaredIn);
}

function declarationIn(written: Instruction): readonly Instruction[] {
  const instruction = written.keyword === "ONBUILD" ? readTrigger(triggerText(written), written) : written;
  return instruction?.keyword === "ARG" ? [instruction] : [];
}

/**
 * The names that one instruction declares: none, where it is no ARG. Older builders take quotes and escapes off a name, as off any word.
 * @see https://github.com/moby/buildkit/blob/v0.12.5/frontend/dockerfile/instructions/commands.go (ArgCommand.Expand)
 */
export function declaredIn({ keyword, rest, escape: escapeChar }: Instruction): readonly string[] {
  if (keyword !== "ARG") return [];
  return argWords(rest, escapeChar).flatMap(({ name }) => {
    const expanded = expandName(name, escapeChar);
    return expanded.kind === "text" ? [...new Set([name, expanded.text])] : [name];
  });
}

/** Whether an ARG of some stages may declare any name: older builders replace variables in it. */
export function declaresAny(stages: readonly Stage[]): boolean {
  const args = stages.flatMap(({ instructions }) => instructions).flatMap(declarationIn);
  return args.some(({ rest, escape: escapeChar }) =>
    argWords(rest, escapeChar).some(({ name }) => expandName(name, escapeChar).kind !== "text"),
  );
}

function expandName(name: string, escapeChar: string): Expanded {
  return expandWord(name, () => ({ kind: "unknown" }), escapeChar);
}
