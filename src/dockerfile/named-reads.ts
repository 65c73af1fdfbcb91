import { openScopes } from "./environment.ts";
import { expandWord, type Lookup } from "./expand.ts";
import { flagValues, readMount } from "./flags.ts";
import { isUnderstood } from "./instructions.ts";
import { writtenOut } from "./named-contexts.ts";
import type { Dockerfile, Instruction, Stage } from "./parse.ts";
import { hasKnownFrontend } from "./reach.ts";
import { copiedSources } from "./reads.ts";
import type { Scope } from "./scope.ts";
import { openStages } from "./stage-graph.ts";
import { sourceNames } from "./stages.ts";

/** What may be taken from somewhere: paths as instructions name them, variables replaced; `undefined` for one that may be anything. */
type Sources = readonly (string | undefined)[];

/**
 * What some stages take from what they name: from named build contexts among others. A stage that stands on one, or in whose place one
 * stands, takes all of it. What a base image's own triggers take from elsewhere is refused before any build.
 * @returns by name, fully written out; nothing at all where any of them may take anything from anywhere.
 */
export function readsByName(
  dockerfile: Dockerfile,
  stages: readonly Stage[],
  scope: Scope,
): ReadonlyMap<string, Sources> | undefined {
  if (!hasKnownFrontend(dockerfile, scope)) return undefined;
  const { outside } = openStages(dockerfile, scope);
  const scopes = openScopes(dockerfile, scope);
  const found = new Map<string, (string | undefined)[]>();
  const add = (name: string, sources: Sources): void => {
    const known = found.get(writtenOut(name)) ?? [];
    found.set(writtenOut(name), known);
    known.push(...sources);
  };
  for (const stage of stages) {
    const base = expandWord(stage.from.base, outside, dockerfile.escape);
    if (base.kind === "unresolved" || !isUnderstood(stage.from)) return undefined;
    add(base.text, [undefined]);
    if (stage.name !== undefined) add(stage.name, [undefined]);
    for (const { instruction, lookup } of scopes(stage)) {
      const reads = readsOf(instruction, lookup, dockerfile.escape);
      if (reads === undefined) return undefined;
      for (const [name, sources] of reads) add(name, sources);
    }
  }
  return found;
}

function readsOf(
  instruction: Instruction,
  lookup: Lookup,
  escapeChar: string,
): readonly (readonly [name: string, sources: Sources])[] | undefined {
  const { keyword, flags } = instruction;
  if (!isUnderstood(instruction)) return undefined;
  const resolve = (word: string): string | undefined => {
    const expanded = expandWord(word, lookup, escapeChar);
    return expanded.kind === "text" ? expanded.text : undefined;
  };
  // BuildKit refuses variables here; another frontend may not.
  if (sourceNames(instruction).some(({ written }) => /[$"'\\`]/.test(written))) return undefined;
  if (keyword !== "RUN") {
    const sources = copiedSources(instruction, resolve);
    return sourceNames(instruction).map(({ written }) => [written, sources] as const);
  }
  const mounts = flags.filter((flag) => flagValues([flag], "mount").length > 0).map(readMount);
  if (mounts.some((mount) => mount === undefined)) return undefined;
  return mounts.flatMap((options = []) => {
    const last = (...names: readonly string[]) => options.findLast(([key]) => names.includes(key))?.[1];
    const from = last("from");
    return from ? [[from, [resolve(last("source", "src") ?? "")]] as const] : [];
  });
}
