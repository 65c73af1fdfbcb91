import { type Expanded, expandWord, type Lookup, type Value } from "./expand.ts";
import { stageReplacement } from "./named-contexts.ts";
import type { Dockerfile, Instruction, Stage } from "./parse.ts";
import { counted, givenValue, type Scope, UNKNOWN, UNSET } from "./scope.ts";
import { openStages } from "./stage-graph.ts";
import { argWords, envWords } from "./words.ts";

/** An instruction of a stage together with what variables stand for right before it. */
export type Scoped = { readonly instruction: Instruction; readonly lookup: Lookup };

/** An ARG of one of these names never becomes a variable in a stage. */
const NO_VARIABLES = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]);

/** What a stage begins with. */
type Start = {
  readonly lookup: Lookup;
  /** What ENV has set below: it is written into the image, and read back from there. */
  readonly image: (name: string) => Value | undefined;
  /** Which stage is below cannot be told, or which name an ENV sets: every name is unknown from there on. */
  readonly isLost: boolean;
  /** Whatever the base sets is known. */
  readonly isBaseKnown: boolean;
};

/** What ARG and ENV have said of a name, each from an instruction on: the later one counts, whichever it is. */
type Said = { readonly from: number; readonly value: Value };

type Environment = {
  readonly start: Start;
  readonly said: Map<string, Said[]>;
  readonly image: Map<string, Value>;
  /** The instruction from which on every name is unknown. */
  lostFrom: number;
};

/**
 * Opens what variables stand for inside the stages, right before each instruction that runs in them: first the triggers that the stage
 * below left with ONBUILD, then its own. Names that only the base image's environment could hold are unknown where the scope does not
 * tell it. Every stage is gone through once, whatever stands on it.
 */
export function openScopes(dockerfile: Dockerfile, scope: Scope): (stage: Stage) => readonly Scoped[] {
  const { outside, parentOf, running } = openStages(dockerfile, scope);
  const environments = new Map<Stage, Environment>();
  const runOf = (stage: Stage): Environment => {
    const known = environments.get(stage);
    if (known) return known;
    const parent = parentOf(stage);
    const start =
      parent && !stageReplacement(scope, parent)
        ? inherit(runOf(parent))
        : freshStart(expandWord(stage.from.base, outside, dockerfile.escape), scope);
    const environment: Environment = {
      start,
      said: new Map(),
      image: new Map(),
      lostFrom: start.isLost ? 0 : Number.POSITIVE_INFINITY,
    };
    environments.set(stage, environment);
    const around = { outside, scope, escape: dockerfile.escape, file: dockerfile.file };
    for (const [at, instruction] of running(stage).entries()) declare(instruction, at, environment, around);
    return environment;
  };
  return (stage) => {
    const environment = runOf(stage);
    return running(stage).map((instruction, at) => {
      const place = { file: dockerfile.file, line: instruction.line };
      return { instruction, lookup: counted((name) => valueAt(environment, name, at), scope, place) };
    });
  };
}

/** What a name stands for right before an instruction. */
function valueAt({ start, said, lostFrom }: Environment, name: string, at: number): Value {
  if (at >= lostFrom) return UNKNOWN;
  const all = said.get(name) ?? [];
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle]?.from ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return all[low - 1]?.value ?? start.lookup(name);
}

function freshStart(base: Expanded, { baseEnvironment }: Scope): Start {
  const isOnScratch = base.kind === "text" && base.text === "scratch";
  const known = isOnScratch ? undefined : baseEnvironment;
  const own = [...(known ?? [])].map(([name, value]): [string, Value] => [name, { kind: "value", value }]);
  // Every image has a PATH, also one from scratch.
  const image = new Map<string, Value>([["PATH", UNKNOWN], ...own]);
  const isBaseKnown = isOnScratch || known !== undefined;
  return {
    lookup: (name) => image.get(name) ?? (isBaseKnown ? UNSET : UNKNOWN),
    image: (name) => image.get(name),
    isLost: base.kind === "unresolved",
    isBaseKnown,
  };
}

/** What ENV set in the image comes back over what ARG set after it, and so does an ENV of the base image. */
function inherit(below: Environment): Start {
  const { isBaseKnown } = below.start;
  const image = remember((name: string) => below.image.get(name) ?? below.start.image(name));
  const end = Number.MAX_SAFE_INTEGER;
  return {
    lookup: remember((name) => image(name) ?? (isBaseKnown ? valueAt(below, name, end) : UNKNOWN)),
    image,
    isLost: below.lostFrom < end,
    isBaseKnown,
  };
}

/** A chain of stages is gone down once for a name. */
function remember<T>(look: (name: string) => T): (name: string) => T {
  const known = new Map<string, { readonly found: T }>();
  return (name) => {
    const one = known.get(name) ?? { found: look(name) };
    known.set(name, one);
    return one.found;
  };
}

type Around = { readonly outside: Lookup; readonly scope: Scope; readonly escape: string; readonly file: string };

function declare(instruction: Instruction, at: number, environment: Environment, around: Around): void {
  if (instruction.keyword === "ENV") declareEnv(instruction, at, environment, around);
  if (instruction.keyword === "ARG") declareArg(instruction, at, environment, around);
}

/** All words of one ENV see what stood before it, and names are words too. */
function declareEnv(instruction: Instruction, at: number, environment: Environment, around: Around): void {
  const { rest, escape: escapeChar, line } = instruction;
  const lookup = counted((name) => valueAt(environment, name, at), around.scope, { file: around.file, line });
  for (const { name, value = "" } of envWords(rest, escapeChar)) {
    const key = expandWord(name, lookup, around.escape);
    if (key.kind === "unresolved") environment.lostFrom = Math.min(environment.lostFrom, at + 1);
    else {
      const set = asValue(expandWord(value, lookup, around.escape));
      say(environment, key.text, at, set);
      environment.image.set(key.text, set);
    }
  }
}

function say({ said }: Environment, name: string, at: number, value: Value): void {
  const all = said.get(name) ?? [];
  said.set(name, all);
  all.push({ from: at + 1, value });
}

function asValue(expanded: Expanded): Value {
  return expanded.kind === "text" ? { kind: "value", value: expanded.text } : UNKNOWN;
}

/**
 * The words of one ARG see each other. One without a default takes the global value; where there is none it changes nothing.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/convert.go (dispatchArg)
 */
function declareArg(instruction: Instruction, at: number, environment: Environment, around: Around): void {
  const { rest, escape: escapeChar, line } = instruction;
  const lookup = counted((name) => valueAt(environment, name, at + 1), around.scope, { file: around.file, line });
  for (const { name, value } of argWords(rest, escapeChar)) {
    if (NO_VARIABLES.has(name)) continue;
    // Newer builders take such a name as it is written, older ones as a word.
    if (/[$"'\\`]/.test(name)) environment.lostFrom = Math.min(environment.lostFrom, at + 1);
    const given = givenValue(name, around.scope);
    const final =
      given ?? (value === undefined ? around.outside(name) : asValue(expandWord(value, lookup, around.escape)));
    if (final.kind !== "unset") say(environment, name, at, final);
  }
}
