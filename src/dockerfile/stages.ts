import { ActionError } from "../errors.ts";
import { type Platform, parsePlatform } from "../oci/platform.ts";
import { type Expanded, expandWord, type Lookup, type Value } from "./expand.ts";
import type { Dockerfile, Instruction, Stage } from "./parse.ts";
import { argWords, envWords, listWords } from "./words.ts";

/** What a build is told from outside. Without a platform the target's own variables are unknown. */
export type Scope = { readonly args: ReadonlyMap<string, string>; readonly platform: Platform | undefined };

/** An image outside of this Dockerfile that some instruction reads. */
export type ImageUse = {
  readonly by: "FROM" | "COPY" | "ADD" | "RUN --mount";
  readonly written: string;
  /** `undefined` where only the build knows it. */
  readonly reference: string | undefined;
  readonly line: number;
  /** For which platform it is read: the target's, the builder's own, or one that is written there. */
  readonly platform:
    | { readonly kind: "target" }
    | { readonly kind: "build" }
    | { readonly kind: "fixed"; readonly platform: Platform }
    | { readonly kind: "unknown" };
};

const UNSET: Value = { kind: "unset" };
const UNKNOWN: Value = { kind: "unknown" };
/** The builder's own platform is not known beforehand. */
const BUILDERS_OWN = new Set(["BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT", "BUILDOSVERSION"]);

/**
 * The stage that is built: by name, without regard to case, or by number; the last one when none is asked for.
 * @throws ActionError E_DOCKERFILE naming the stages that there are.
 */
export function targetStage(dockerfile: Dockerfile, target: string | undefined): Stage {
  const stage = target === undefined ? dockerfile.stages.at(-1) : findStage(dockerfile.stages, target);
  if (stage) return stage;
  const names = dockerfile.stages.flatMap(({ name }) => name ?? []);
  throw new ActionError("E_DOCKERFILE", {
    what: `${dockerfile.file} has no stage "${target ?? ""}".`,
    fix:
      names.length === 0
        ? "None of its stages has a name: write FROM <image> AS <name>."
        : `It has ${names.join(", ")}.`,
    at: { file: dockerfile.file, line: dockerfile.stages.at(-1)?.from.line ?? 1 },
  });
}

function findStage(stages: readonly Stage[], reference: string): Stage | undefined {
  const name = reference.toLowerCase();
  // Of two stages with one name the later one counts.
  return (
    stages.findLast((stage) => stage.name === name) ?? (/^\d+$/.test(reference) ? stages[Number(reference)] : undefined)
  );
}

/**
 * What variables stand for in FROM: the ARGs before it, the platform's own, and the build args that override them.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/dockerfile2llb/platform.go (defaultArgs)
 */
export function globalLookup(dockerfile: Dockerfile, scope: Scope): Lookup {
  const values = new Map(
    platformArgs(scope).map(([name, value]): [string, Value] => [name, overridden(name, value, scope)]),
  );
  const lookup: Lookup = (name) => values.get(name) ?? UNSET;
  for (const { rest } of dockerfile.globalArgs)
    for (const { name, value } of argWords(rest, dockerfile.escape)) {
      const written =
        value === undefined ? (values.get(name) ?? UNSET) : asValue(expandWord(value, lookup, dockerfile.escape));
      values.set(name, overridden(name, written, scope));
    }
  return lookup;
}

function overridden(name: string, value: Value, { args }: Scope): Value {
  const given = args.get(name);
  return given === undefined ? value : { kind: "value", value: given };
}

function asValue(expanded: Expanded): Value {
  return expanded.kind === "text" ? { kind: "value", value: expanded.text } : UNKNOWN;
}

function platformArgs({ platform }: Scope): [string, Value][] {
  const told = (value: string): Value => (platform === undefined ? UNKNOWN : { kind: "value", value });
  const { os = "", architecture = "", variant } = platform ?? {};
  // containerd writes arm64's only variant out nowhere, arm's always: the normalised platform has it the same way.
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  return [
    ...[...BUILDERS_OWN].map((name): [string, Value] => [name, UNKNOWN]),
    ["TARGETPLATFORM", told(parts.join("/"))],
    ["TARGETOS", told(os)],
    ["TARGETARCH", told(architecture)],
    ["TARGETVARIANT", told(variant ?? "")],
  ];
}

/** Every image outside of the Dockerfile that one of its stages reads, `scratch` left out. */
export function imageUses(dockerfile: Dockerfile, scope: Scope): readonly ImageUse[] {
  const lookup = globalLookup(dockerfile, scope);
  return dockerfile.stages.flatMap((stage) => {
    const platform = platformOf(dockerfile, stage, lookup, scope);
    const earlier = dockerfile.stages.slice(0, stage.index);
    const base = baseUse(dockerfile, stage, earlier, lookup, platform);
    const used = stage.instructions.flatMap((instruction) =>
      instructionUses(unwrapOnbuild(instruction), dockerfile.stages, stage, platform),
    );
    return [...base, ...used];
  });
}

function baseUse(
  dockerfile: Dockerfile,
  stage: Stage,
  earlier: readonly Stage[],
  lookup: Lookup,
  platform: ImageUse["platform"],
): ImageUse[] {
  const { base, line } = stage.from;
  const expanded = expandWord(base, lookup, dockerfile.escape);
  if (expanded.kind === "text" && (isEarlierName(expanded.text, earlier) || expanded.text.toLowerCase() === "scratch"))
    return [];
  return [
    { by: "FROM", written: base, reference: expanded.kind === "text" ? expanded.text : undefined, line, platform },
  ];
}

/** FROM knows stages by name only: a number is an image's name there. */
function isEarlierName(reference: string, earlier: readonly Stage[]): boolean {
  return earlier.some(({ name }) => name === reference.toLowerCase());
}

function platformOf(dockerfile: Dockerfile, stage: Stage, lookup: Lookup, scope: Scope): ImageUse["platform"] {
  const written = stage.from.platform;
  if (written === undefined) return inheritedPlatform(dockerfile, stage, lookup, scope);
  if (/^\$\{?BUILDPLATFORM\}?$/.test(written) && !scope.args.has("BUILDPLATFORM")) return { kind: "build" };
  if (/^\$\{?TARGETPLATFORM\}?$/.test(written) && !scope.args.has("TARGETPLATFORM")) return { kind: "target" };
  const expanded = expandWord(written, lookup, dockerfile.escape);
  const platform = expanded.kind === "text" ? parsePlatform(expanded.text) : undefined;
  if (platform === undefined || "wrong" in platform) return { kind: "unknown" };
  return { kind: "fixed", platform };
}

/** A stage on an earlier one runs on its platform, and reads images for it. */
function inheritedPlatform(dockerfile: Dockerfile, stage: Stage, lookup: Lookup, scope: Scope): ImageUse["platform"] {
  const expanded = expandWord(stage.from.base, lookup, dockerfile.escape);
  const earlier = dockerfile.stages.slice(0, stage.index);
  const parent =
    expanded.kind === "text" ? earlier.findLast(({ name }) => name === expanded.text.toLowerCase()) : undefined;
  return parent ? platformOf(dockerfile, parent, lookup, scope) : { kind: "target" };
}

/** What ONBUILD holds back is read when another stage of this file builds on this one: it counts as if it were read here. */
export function unwrapOnbuild(instruction: Instruction): Instruction {
  if (instruction.keyword !== "ONBUILD") return instruction;
  const [, keyword = "", flags = "", rest = ""] =
    /^(\S+)\s*((?:--\S+\s+)*)([\s\S]*)$/.exec([...instruction.flags, instruction.rest].join(" ")) ?? [];
  return {
    ...instruction,
    keyword: keyword.toUpperCase(),
    flags: flags.split(/\s+/).filter((flag) => flag !== ""),
    rest,
  };
}

function instructionUses(
  instruction: Instruction,
  stages: readonly Stage[],
  stage: Stage,
  platform: ImageUse["platform"],
): ImageUse[] {
  return readImageNames(instruction).flatMap(({ by, written }): ImageUse[] => {
    if (written.includes("$")) return [{ by, written, reference: undefined, line: instruction.line, platform }];
    const own = findStage(stages, written);
    if (own !== undefined && own.index !== stage.index) return [];
    return written.toLowerCase() === "scratch"
      ? []
      : [{ by, written, reference: written, line: instruction.line, platform }];
  });
}

function readImageNames({ keyword, flags }: Instruction): { readonly by: ImageUse["by"]; readonly written: string }[] {
  if (keyword === "COPY" || keyword === "ADD")
    return flags.flatMap((flag) =>
      flag.startsWith("--from=") ? [{ by: keyword, written: flag.slice("--from=".length) }] : [],
    );
  if (keyword !== "RUN") return [];
  return flags.flatMap((flag) => {
    const written = mountOptions(flag)?.get("from");
    return written ? [{ by: "RUN --mount" as const, written }] : [];
  });
}

/** The options of `--mount=type=bind,from=x`; `undefined` for another flag. Keys are lower-case. */
export function mountOptions(flag: string): ReadonlyMap<string, string> | undefined {
  if (!flag.startsWith("--mount=")) return undefined;
  return new Map(
    flag
      .slice("--mount=".length)
      .split(",")
      .map((option): [string, string] => {
        const equals = option.indexOf("=");
        return equals < 0
          ? [option.toLowerCase(), ""]
          : [option.slice(0, equals).toLowerCase(), option.slice(equals + 1)];
      }),
  );
}

/** The FROM of the image outside that the target stands on, through all stages between; nothing where it starts from scratch. */
export function finalBase(
  dockerfile: Dockerfile,
  target: string | undefined,
  scope: Scope,
): { readonly written: string; readonly line: number } | undefined {
  const lookup = globalLookup(dockerfile, scope);
  let stage: Stage | undefined = targetStage(dockerfile, target);
  for (;;) {
    const { base, line } = stage.from;
    const expanded = expandWord(base, lookup, dockerfile.escape);
    const text = expanded.kind === "text" ? expanded.text.toLowerCase() : undefined;
    if (text === "scratch") return undefined;
    const before: readonly Stage[] = dockerfile.stages.slice(0, stage.index);
    const parent = before.findLast(({ name }) => name !== undefined && name === text);
    if (!parent) return { written: base, line };
    stage = parent;
  }
}

/**
 * The stages that certainly take part in building the target: it, what it stands on, and what any of them copies or mounts from. A
 * stage that is named by a variable may be one more.
 */
export function reachableStages(dockerfile: Dockerfile, target: string | undefined, scope: Scope): readonly Stage[] {
  const lookup = globalLookup(dockerfile, scope);
  const reached = new Set<Stage>();
  const visit = (stage: Stage | undefined): void => {
    if (!stage || reached.has(stage)) return;
    reached.add(stage);
    const expanded = expandWord(stage.from.base, lookup, dockerfile.escape);
    const earlier = dockerfile.stages.slice(0, stage.index);
    if (expanded.kind === "text") visit(earlier.findLast(({ name }) => name === expanded.text.toLowerCase()));
    for (const instruction of stage.instructions)
      for (const { written } of readImageNames(instruction)) visit(findStage(earlier, written));
  };
  visit(targetStage(dockerfile, target));
  return [...reached];
}

/** The names that ARG declares anywhere, with their lines. */
export function declaredArgs(dockerfile: Dockerfile): ReadonlyMap<string, readonly number[]> {
  const lines = new Map<string, number[]>();
  const all = [
    ...dockerfile.globalArgs,
    ...dockerfile.stages.flatMap(({ instructions }) => instructions.map(unwrapOnbuild)),
  ];
  for (const { keyword, rest, line } of all)
    if (keyword === "ARG")
      for (const { name } of argWords(rest, dockerfile.escape)) lines.set(name, [...(lines.get(name) ?? []), line]);
  return lines;
}

/** What BuildKit's ADD fetches: https://github.com/moby/buildkit/blob/v0.26.3/frontend/dockerfile/dfgitutil/git_ref.go */
const REMOTE = /^(https?:\/\/|git@|git:\/\/|ssh:\/\/|github\.com\/)/i;

/** ADD of something that is not in the build context: an address, or a git repository. What only the build knows counts as one. */
export function remoteAdds(
  dockerfile: Dockerfile,
  scope: Scope,
): readonly { readonly source: string; readonly line: number; readonly checksum: string | undefined }[] {
  return dockerfile.stages.flatMap((stage) =>
    stageLookups(dockerfile, stage, scope).flatMap(({ instruction, lookup }) => {
      const { keyword, flags, rest, line } = unwrapOnbuild(instruction);
      if (keyword !== "ADD") return [];
      const checksum = flags.find((flag) => flag.startsWith("--checksum="))?.slice("--checksum=".length);
      const isRemote = (source: string): boolean => {
        const expanded = expandWord(source, lookup, dockerfile.escape);
        return expanded.kind === "unresolved" || REMOTE.test(expanded.text);
      };
      return listWords(rest)
        .slice(0, -1)
        .filter(isRemote)
        .map((source) => ({ source, line, checksum }));
    }),
  );
}

/**
 * What variables stand for inside a stage, right before each of its instructions. Names that only the base image's own environment
 * could hold are unknown.
 */
export function stageLookups(
  dockerfile: Dockerfile,
  stage: Stage,
  scope: Scope,
): readonly { readonly instruction: Instruction; readonly lookup: Lookup }[] {
  const outside = globalLookup(dockerfile, scope);
  const values = new Map(inheritedValues(dockerfile, stage, scope, outside));
  const isScratch =
    finalBase({ ...dockerfile, stages: dockerfile.stages.slice(0, stage.index + 1) }, undefined, scope) === undefined;
  return stage.instructions.map((instruction) => {
    const before = new Map(values);
    const lookup: Lookup = (name) => before.get(name) ?? (isScratch ? UNSET : UNKNOWN);
    declare(instruction, values, lookup, outside, { dockerfile, scope });
    return { instruction, lookup };
  });
}

function declare(
  { keyword, rest }: Instruction,
  values: Map<string, Value>,
  lookup: Lookup,
  outside: Lookup,
  { dockerfile, scope }: { readonly dockerfile: Dockerfile; readonly scope: Scope },
): void {
  if (keyword === "ENV")
    for (const { name, value = "" } of envWords(rest, dockerfile.escape))
      values.set(name, asValue(expandWord(value, lookup, dockerfile.escape)));
  if (keyword === "ARG")
    for (const { name, value } of argWords(rest, dockerfile.escape)) {
      const written = value === undefined ? outside(name) : asValue(expandWord(value, lookup, dockerfile.escape));
      values.set(name, overridden(name, written, scope));
    }
}

/** A stage on an earlier one starts with its ARGs and ENVs. */
function inheritedValues(
  dockerfile: Dockerfile,
  stage: Stage,
  scope: Scope,
  outside: Lookup,
): ReadonlyMap<string, Value> {
  const expanded = expandWord(stage.from.base, outside, dockerfile.escape);
  const earlier = dockerfile.stages.slice(0, stage.index);
  const parent =
    expanded.kind === "text" ? earlier.findLast(({ name }) => name === expanded.text.toLowerCase()) : undefined;
  if (!parent) return new Map();
  const values = new Map(inheritedValues(dockerfile, parent, scope, outside));
  for (const { instruction, lookup } of stageLookups(dockerfile, parent, scope))
    declare(instruction, values, lookup, outside, { dockerfile, scope });
  return values;
}
