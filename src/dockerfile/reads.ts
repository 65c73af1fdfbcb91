import { expandWord, type Lookup } from "./expand.ts";
import { patternToRegExp } from "./ignore.ts";
import { type Dockerfile, type Instruction, parseTrigger } from "./parse.ts";
import { mountOptions, reachableStages, type Scope, stageLookups, unwrapOnbuild } from "./stages.ts";
import { listWords } from "./words.ts";

/** A source that an instruction takes from the build context; `undefined` where it may be anything. */
export type ContextRead = {
  readonly source: string | undefined;
  readonly line: number;
  readonly by: "COPY" | "ADD" | "RUN --mount";
};

/** What the instructions of all stages take from the build context. */
export function contextReads(dockerfile: Dockerfile, scope: Scope): readonly ContextRead[] {
  return dockerfile.stages.flatMap((stage) =>
    stageLookups(dockerfile, stage, scope).flatMap(({ instruction, lookup }) =>
      readsOf(unwrapOnbuild(instruction), lookup, dockerfile.escape),
    ),
  );
}

/**
 * The sources of COPY and ADD that have to be in the context for the target to be built, where it is certain what they name: no
 * pattern, no variable without a value, no address.
 */
export function requiredFiles(dockerfile: Dockerfile, target: string | undefined, scope: Scope): readonly Required[] {
  return reachableStages(dockerfile, target, scope).flatMap((stage) =>
    stageLookups(dockerfile, stage, scope)
      .filter(({ instruction }) => instruction.keyword !== "ONBUILD" && !instruction.flags.includes("--parents"))
      .flatMap(({ instruction, lookup }) => readsOf(instruction, lookup, dockerfile.escape))
      .flatMap(({ source, line, by }) =>
        source === undefined || by === "RUN --mount" || /[*?[\\]|:/.test(source) ? [] : [{ source, line, by }],
      ),
  );
}

export type Required = { readonly source: string; readonly line: number; readonly by: "COPY" | "ADD" };

/** What the ONBUILD triggers of a base image take from it; the base's environment is not looked at. */
export function onbuildReads(triggers: readonly string[]): readonly ContextRead[] {
  return triggers.flatMap((trigger) => readsOf(parseTrigger(trigger, 1), () => ({ kind: "unknown" }), "\\"));
}

function readsOf(instruction: Instruction, lookup: Lookup, escapeChar: string): ContextRead[] {
  const { keyword, flags, line } = instruction;
  const resolve = (word: string): string | undefined => {
    const expanded = expandWord(word, lookup, escapeChar);
    return expanded.kind === "text" ? expanded.text : undefined;
  };
  if ((keyword === "COPY" || keyword === "ADD") && !flags.some((flag) => flag.startsWith("--from=")))
    return fileSources(instruction).map((word) => ({ source: resolve(word), line, by: keyword }));
  if (keyword !== "RUN") return [];
  return flags.flatMap((flag): ContextRead[] => {
    const options = mountOptions(flag);
    if (!options || (options.get("type") ?? "bind") !== "bind" || options.has("from")) return [];
    return [{ source: resolve(options.get("source") ?? options.get("src") ?? "/"), line, by: "RUN --mount" }];
  });
}

/** Here-documents are written in the Dockerfile itself. */
function fileSources({ rest, heredocs }: Instruction): readonly string[] {
  const sources = listWords(rest).slice(0, -1);
  return heredocs.length === 0 ? sources : sources.filter((word) => !/^\d*<</.test(word));
}

/** Whether a source may take a path of the context with it: the path itself, a folder above it, something below it, or a pattern for one. */
export function canReach(read: ContextRead, path: string): boolean {
  if (read.source === undefined) return true;
  const source = read.source.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (source.includes("..")) return true;
  const wanted = path.split("/");
  const shared = Math.min(source.length, wanted.length);
  return source.slice(0, shared).every((segment, index) => segmentMatches(segment, wanted[index] ?? ""));
}

function segmentMatches(pattern: string, segment: string): boolean {
  return pattern === segment || (/[*?[\\]/.test(pattern) && patternToRegExp(pattern).test(segment));
}
