import type { Platform } from "../oci/platform.ts";
import { type Expanded, expandWord, type Lookup, type Value } from "./expand.ts";
import { type NamedContexts, stageReplacement } from "./named-contexts.ts";
import { type Dockerfile, type Instruction, readTrigger, type Stage, triggerText } from "./parse.ts";
import { argWords, envWords } from "./words.ts";

/** What a build is told from outside. Without a platform the target's own variables are unknown. */
export type Scope = {
  readonly args: ReadonlyMap<string, string>;
  readonly platform: Platform | undefined;
  /** Named build contexts: each stands in the place of the image of that name, as another image or, `undefined`, as a folder. */
  readonly contexts?: NamedContexts;
  /** The environment of the base image, for who asks about the stages on that base alone. Without it, what the base could set is unknown. */
  readonly baseEnvironment?: ReadonlyMap<string, string>;
};

const UNSET: Value = { kind: "unset" };
const UNKNOWN: Value = { kind: "unknown" };

/** What the builder says of itself: nobody knows it beforehand. */
export const BUILDERS_OWN: readonly string[] = [
  "BUILDPLATFORM",
  "BUILDOS",
  "BUILDOSVERSION",
  "BUILDARCH",
  "BUILDVARIANT",
];

/** The names that a platform has in FROM without being declared: a build arg of that name is told there in its place, declared or not. */
export const PLATFORM_ARGS: readonly string[] = [
  ...BUILDERS_OWN,
  ...["TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE"],
];

/** An ARG of one of these names never becomes a variable in a stage. */
const NO_VARIABLES = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]);

/**
 * What variables stand for in FROM: the platform's own, the ARGs before the first FROM, and the build args that override both.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/platform.go (defaultArgs), convert.go (buildMetaArgs)
 */
export function globalLookup(dockerfile: Dockerfile, scope: Scope): Lookup {
  const values = new Map(platformArgs(scope).map(([name, value]) => [name, givenValue(name, scope) ?? value]));
  const lookup: Lookup = (name) => values.get(name) ?? UNSET;
  for (const { rest, escape: escapeChar } of dockerfile.globalArgs)
    for (const { name, value } of argWords(rest, escapeChar)) {
      const given = givenValue(name, scope);
      // Without a default and not given it leaves everything as it was.
      if (given) values.set(name, given);
      else if (value !== undefined) values.set(name, defaultValue(name, expandWord(value, lookup, dockerfile.escape)));
    }
  return lookup;
}

function givenValue(name: string, { args }: Scope): Value | undefined {
  const given = args.get(name);
  return given === undefined ? undefined : settle(name, given);
}

function defaultValue(name: string, expanded: Expanded): Value {
  return expanded.kind === "text" ? settle(name, expanded.text) : UNKNOWN;
}

/**
 * Newer frontends take the name of a stage or context for SOURCE_DATE_EPOCH and put a time in its place; older ones do not.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/epoch.go
 */
function settle(name: string, value: string): Value {
  if (name === "SOURCE_DATE_EPOCH" && !/^(?:0|-?[1-9][0-9]{0,17})$/.test(value)) return UNKNOWN;
  return { kind: "value", value };
}

function platformArgs({ platform }: Scope): readonly (readonly [string, Value])[] {
  const told = (value: string): Value => (platform === undefined ? UNKNOWN : { kind: "value", value });
  const { os = "", architecture = "", variant } = platform ?? {};
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  return [
    ...BUILDERS_OWN.map((name): [string, Value] => [name, UNKNOWN]),
    ["TARGETPLATFORM", told(parts.join("/"))],
    ["TARGETOS", told(os)],
    ["TARGETOSVERSION", os === "linux" ? told("") : UNKNOWN],
    ["TARGETARCH", told(architecture)],
    ["TARGETVARIANT", told(variant ?? "")],
    // The scope does not say which stage is built, and older frontends do not know the name.
    ["TARGETSTAGE", UNKNOWN],
  ];
}

/** An instruction of a stage together with what variables stand for right before it. */
export type Scoped = { readonly instruction: Instruction; readonly lookup: Lookup };

/** What a stage hands on to the stages that build on it. */
type Environment = {
  /** What ARG and ENV set, the later one over the earlier one, whichever it was. */
  readonly values: ReadonlyMap<string, Value>;
  /** What ENV alone set: it is written into the image, and read back from there. */
  readonly image: ReadonlyMap<string, Value>;
  /** Which stage is below cannot be told, or which name an ENV sets: every name is unknown from there on. */
  readonly isLost: boolean;
  /** Whatever the base sets is among the values. */
  readonly isBaseKnown: boolean;
};

/**
 * What variables stand for inside a stage, right before each instruction that runs in it: first the triggers that the stage below left
 * with ONBUILD, then its own. Names that only the base image's environment could hold are unknown where the scope does not tell it.
 */
export function stageScopes(dockerfile: Dockerfile, stage: Stage, scope: Scope): readonly Scoped[] {
  return runStage(dockerfile, stage, scope, globalLookup(dockerfile, scope)).scoped;
}

type Run = { readonly scoped: readonly Scoped[]; readonly after: Environment };

function runStage(dockerfile: Dockerfile, stage: Stage, scope: Scope, outside: Lookup): Run {
  const parent = parentStage(dockerfile, stage, outside);
  let environment =
    parent && !stageReplacement(scope, parent)
      ? inherit(runStage(dockerfile, parent, scope, outside).after)
      : freshEnvironment(expandWord(stage.from.base, outside, dockerfile.escape), scope);
  const scoped = runningInstructions(dockerfile, stage, outside).map((instruction) => {
    const lookup = lookupIn(environment);
    environment = declare(instruction, environment, { outside, scope, escape: dockerfile.escape });
    return { instruction, lookup };
  });
  return { scoped, after: environment };
}

/** The stage of this file that a stage builds on. FROM knows earlier stages by name only, and by their lower-case name. */
export function parentStage(dockerfile: Dockerfile, stage: Stage, outside: Lookup): Stage | undefined {
  const expanded = expandWord(stage.from.base, outside, dockerfile.escape);
  if (expanded.kind === "unresolved") return undefined;
  return dockerfile.stages.slice(0, stage.index).findLast(({ name }) => name !== undefined && name === expanded.text);
}

/**
 * The instructions that run in a stage: the triggers of the stage right below it, then its own. Where it cannot be told which stage is
 * below, the triggers of all of them.
 */
export function runningInstructions(dockerfile: Dockerfile, stage: Stage, outside: Lookup): readonly Instruction[] {
  const parent = parentStage(dockerfile, stage, outside);
  const base = expandWord(stage.from.base, outside, dockerfile.escape);
  const below = base.kind === "unresolved" ? dockerfile.stages.slice(0, stage.index) : parent ? [parent] : [];
  const triggers = below.flatMap(({ instructions }) => instructions.filter(({ keyword }) => keyword === "ONBUILD"));
  const own = stage.instructions.filter(({ keyword }) => keyword !== "ONBUILD");
  return [...triggers.flatMap((trigger) => readTrigger(triggerText(trigger), trigger) ?? []), ...own];
}

function freshEnvironment(base: Expanded, { baseEnvironment }: Scope): Environment {
  const isOnScratch = base.kind === "text" && base.text === "scratch";
  const known = isOnScratch ? undefined : baseEnvironment;
  const own = [...(known ?? [])].map(([name, value]): [string, Value] => [name, { kind: "value", value }]);
  // Every image has a PATH, also one from scratch.
  const image = new Map<string, Value>([["PATH", UNKNOWN], ...own]);
  return { values: image, image, isLost: base.kind === "unresolved", isBaseKnown: isOnScratch || known !== undefined };
}

/** What ENV set in the image comes back over what ARG set after it, and so does an ENV of the base image. */
function inherit({ values, image, isLost, isBaseKnown }: Environment): Environment {
  const own = isBaseKnown ? values : [...values.keys()].map((name): [string, Value] => [name, UNKNOWN]);
  return { values: new Map([...own, ...image]), image, isLost, isBaseKnown };
}

function lookupIn({ values, isLost, isBaseKnown }: Environment): Lookup {
  if (isLost) return () => UNKNOWN;
  return (name) => values.get(name) ?? (isBaseKnown ? UNSET : UNKNOWN);
}

type Around = { readonly outside: Lookup; readonly scope: Scope; readonly escape: string };

function declare(instruction: Instruction, before: Environment, around: Around): Environment {
  if (instruction.keyword === "ENV") return declareEnv(instruction, before, around);
  return instruction.keyword === "ARG" ? declareArg(instruction, before, around) : before;
}

/** All words of one ENV see what stood before it, and names are words too. */
function declareEnv({ rest, escape: escapeChar }: Instruction, before: Environment, around: Around): Environment {
  const values = new Map(before.values);
  const image = new Map(before.image);
  let { isLost } = before;
  for (const { name, value = "" } of envWords(rest, escapeChar)) {
    const key = expandWord(name, lookupIn(before), around.escape);
    if (key.kind === "unresolved") isLost = true;
    else
      for (const map of [values, image]) map.set(key.text, asValue(expandWord(value, lookupIn(before), around.escape)));
  }
  return { ...before, values, image, isLost };
}

function asValue(expanded: Expanded): Value {
  return expanded.kind === "text" ? { kind: "value", value: expanded.text } : UNKNOWN;
}

/**
 * The words of one ARG see each other. One without a default takes the global value; where there is none it changes nothing.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/convert.go (dispatchArg)
 */
function declareArg({ rest, escape: escapeChar }: Instruction, before: Environment, around: Around): Environment {
  const values = new Map(before.values);
  for (const { name, value } of argWords(rest, escapeChar)) {
    if (NO_VARIABLES.has(name)) continue;
    const written = value === undefined ? around.outside(name) : valueIn(values, before, value, around);
    const final = givenValue(name, around.scope) ?? written;
    if (final.kind !== "unset") values.set(name, final);
  }
  return { ...before, values };
}

function valueIn(values: ReadonlyMap<string, Value>, before: Environment, word: string, around: Around): Value {
  return asValue(expandWord(word, lookupIn({ ...before, values }), around.escape));
}
