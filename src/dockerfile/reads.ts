import { openScopes } from "./environment.ts";
import { expandWord, type Lookup } from "./expand.ts";
import { flagValues, isFlagSet, readMount } from "./flags.ts";
import { matchPath } from "./go-match.ts";
import { readOpening } from "./heredoc.ts";
import { isUnderstood } from "./instructions.ts";
import { type Dockerfile, type Instruction, readTrigger, type Stage } from "./parse.ts";
import { hasKnownFrontend } from "./reach.ts";
import { readRemote } from "./remote.ts";
import type { Scope } from "./scope.ts";
import { declaredNames, neededStages } from "./stages.ts";
import { lowerCase } from "./text.ts";
import { listWords } from "./words.ts";

/** A source that an instruction takes from the build context; `undefined` where it may be anything. */
export type ContextRead = {
  readonly source: string | undefined;
  readonly line: number;
  /** The instruction as messages name it. */
  readonly by: string;
  /** Every file that it takes gets the mode that it says, whatever that was. */
  readonly setsMode?: true;
};

/**
 * What the instructions of some stages may take from the build context, triggers that run in this file included. What is not understood
 * may take everything, and so may an SBOM scanner that is told to look at the context.
 */
export function contextReads(dockerfile: Dockerfile, stages: readonly Stage[], scope: Scope): readonly ContextRead[] {
  const { syntax, globalArgs, escape: escapeChar } = dockerfile;
  const anything = (line: number, by: string): ContextRead => ({ source: undefined, line, by });
  if (!hasKnownFrontend(dockerfile, scope)) return [anything(syntax?.line ?? 1, "# syntax")];
  const scanned = [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)].find((instruction) =>
    declaredNames(instruction).includes(SCANS_CONTEXT),
  );
  const scopes = openScopes(dockerfile, scope);
  return [
    ...(scanned || scope.args.has(SCANS_CONTEXT) ? [anything(scanned?.line ?? 1, SCANS_CONTEXT)] : []),
    ...stages.flatMap((stage) => [
      ...(isUnderstood(stage.from) ? [] : [anything(stage.from.line, "FROM")]),
      ...scopes(stage).flatMap(({ instruction, lookup }) => readsOf(instruction, lookup, escapeChar)),
    ]),
  ];
}

/** https://docs.docker.com/build/metadata/attestations/sbom/#scan-build-context */
const SCANS_CONTEXT = "BUILDKIT_SBOM_SCAN_CONTEXT";

export type Required = { readonly source: string; readonly line: number; readonly by: "COPY" | "ADD" };

/**
 * The sources of COPY and ADD that have to be in the context for the target to be built, where it is certain what they name: no
 * pattern, no variable without a value, no address.
 */
export function requiredFiles(dockerfile: Dockerfile, target: string | undefined, scope: Scope): readonly Required[] {
  const scopes = openScopes(dockerfile, scope);
  return neededStages(dockerfile, target, scope).flatMap((stage) =>
    scopes(stage)
      .filter(({ instruction }) => !isFlagSet(instruction.flags, "parents"))
      .flatMap(({ instruction, lookup }) => readsOf(instruction, lookup, dockerfile.escape))
      .flatMap(({ source, line, by }) =>
        source === undefined || (by !== "COPY" && by !== "ADD") || /[*?[\\]|:/.test(source)
          ? []
          : [{ source, line, by }],
      ),
  );
}

/**
 * What the ONBUILD triggers of a base image take from the context. Every variable counts as unknown: the image's own environment is
 * not looked at.
 * @param triggers `OnBuild` of the image's config.
 */
export function onbuildReads(triggers: readonly string[]): readonly ContextRead[] {
  return triggers.flatMap((text): ContextRead[] => {
    const trigger = readTrigger(text, { line: 1, endLine: 1 });
    if (!trigger) return [{ source: undefined, line: 1, by: "ONBUILD" }];
    return readsOf(trigger, () => ({ kind: "unknown" }), "\\").map((read) => ({ ...read, by: `ONBUILD ${read.by}` }));
  });
}

function readsOf(instruction: Instruction, lookup: Lookup, escapeChar: string): ContextRead[] {
  const { keyword, flags, line } = instruction;
  if (!isUnderstood(instruction)) return [{ source: undefined, line, by: keyword }];
  const resolve = (word: string): string | undefined => {
    const expanded = expandWord(word, lookup, escapeChar);
    return expanded.kind === "text" ? expanded.text : undefined;
  };
  if (keyword === "RUN")
    return flags.flatMap((flag) => boundSource(flag, resolve).map((source) => ({ source, line, by: "RUN --mount" })));
  if ((keyword !== "COPY" && keyword !== "ADD") || flagValues(flags, "from").some((from) => from !== "")) return [];
  const modes = flagValues(flags, "chmod");
  const setsMode = modes.length === 1 && modes.every((mode) => /^0*[0-7]{1,4}$/.test(mode));
  return copiedSources(instruction, resolve)
    .filter((source) => keyword === "COPY" || source === undefined || readRemote(source) === undefined)
    .map((source) => ({ source, line, by: keyword, ...(setsMode ? { setsMode } : {}) }));
}

/** The sources of a COPY or ADD. @param resolve replaces the variables of a word; `undefined` where that cannot be told. */
export function copiedSources(
  instruction: Instruction,
  resolve: (word: string) => string | undefined,
): readonly (string | undefined)[] {
  const hasParents = isFlagSet(instruction.flags, "parents");
  return contextSources(instruction)
    .map(resolve)
    .map((source) => (source !== undefined && hasParents ? plainStart(source) : source));
}

/** Here-documents are written in the Dockerfile itself. BuildKit tells them by the word alone, in the JSON form too. */
function contextSources({ rest }: Instruction): readonly string[] {
  return listWords(rest)
    .slice(0, -1)
    .filter((word) => readOpening(word) === undefined);
}

/**
 * `--parents` knows patterns of its own. A `*` or `?` means what it means elsewhere, `**` as a whole segment any number of folders; before
 * what else there is everything in the last folder may be taken.
 */
function plainStart(source: string): string {
  const segments = source.split("/");
  const pattern = segments.findIndex((segment) => segment !== "**" && /\*\*|[[\\^!]/.test(segment));
  return pattern < 0 ? source : `${segments.slice(0, pattern).join("/")}/`;
}

/** The source of a bind mount without `from`; a mount of which BuildKit could not make sense may be anything. */
function boundSource(flag: string, resolve: (word: string) => string | undefined): readonly (string | undefined)[] {
  if (flagValues([flag], "mount").length === 0) return [];
  const options = readMount(flag);
  if (!options) return [undefined];
  const last = (...names: readonly string[]) => options.findLast(([key]) => names.includes(key))?.[1];
  if (last("from")) return [];
  const type = resolve(last("type") ?? "bind");
  if (type !== undefined && lowerCase(type) !== "bind") return [];
  return [resolve(last("source", "src") ?? "")];
}

/**
 * Whether a source may take a path of the context with it: the path itself, a folder above it, something below it, or a pattern for one.
 * @see https://pkg.go.dev/path/filepath#Match, which matches a source from its first segment with a pattern on.
 */
export function canReach({ source }: Pick<ContextRead, "source">, path: string): boolean {
  if (source === undefined) return true;
  const written = cleanSegments(source);
  const wanted = path.split("/");
  for (const [index, segment] of written.slice(0, wanted.length).entries()) {
    // A bracket matches a slash too, so that segments no longer line up, and so do two stars.
    if (segment.includes("[") || segment === "**") return true;
    if (!segmentMatches(segment, wanted[index] ?? "")) return false;
  }
  return true;
}

/** The context's root is the end of every `..`. */
function cleanSegments(path: string): readonly string[] {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return kept;
}

function segmentMatches(pattern: string, segment: string): boolean {
  return pattern === segment || matchPath(pattern, segment) === true;
}
