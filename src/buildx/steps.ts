import type { Clock } from "../world.ts";
import { type Ending, type Floor, openFloor } from "./floor.ts";
import type { FailedStep } from "./last-words.ts";
import { type Lines, legibleLine, openLines } from "./lines.ts";
import type { Output, Part, Vertex } from "./rawjson.ts";
import {
  importedFrom,
  isCancelled,
  isCounted,
  isNotThereYet,
  isSilent,
  mergeVertex,
  type Step,
  secondsOf,
  shortName,
} from "./step.ts";

/** The steps of a build that runs, and what of them has been told. */
export type Steps = {
  readonly known: Map<string, Step>;
  /** Their names as they are told. */
  readonly names: Map<string, string>;
  readonly voices: Map<string, Voice>;
  /** Those of which the end was told. */
  readonly over: Set<string>;
  readonly partsTold: Set<string>;
  /** In the order in which they failed. */
  readonly failed: FailedStep[];
  /** Layer caches that are there, or may be, and could not be read: each with its name and why. */
  readonly refused: { readonly name: string; readonly error: string }[];
  readonly floor: Floor;
  readonly reword: (text: string) => string;
};

/** What a step prints: a line that was begun for each stream, and the last ones that were ended. */
type Voice = { readonly streams: Map<number, Lines>; readonly last: string[] };

export function openSteps(clock: Clock, reword: (text: string) => string): Steps {
  return {
    known: new Map(),
    names: new Map(),
    voices: new Map(),
    over: new Set(),
    partsTold: new Set(),
    failed: [],
    refused: [],
    floor: openFloor(clock),
    reword,
  };
}

/** Takes what BuildKit says of a step, and gives what there is to tell. */
export function tellVertex(steps: Steps, vertex: Vertex): readonly string[] {
  const { digest } = vertex;
  const step = mergeVertex(steps.known.get(digest), vertex);
  steps.known.set(digest, step);
  steps.names.set(digest, shortName(steps.reword(step.name)));
  if (step.started === undefined) return [];
  const sources = closeSources(steps, step.inputs);
  if (steps.over.has(digest)) return sources;
  const isOver = step.completed !== undefined && (step.kind === "instruction" || step.error !== "");
  if (isOver) return [...sources, ...close(steps, digest, step)];
  if (step.kind !== "instruction" || isSilent(step)) return sources;
  return [...sources, ...steps.floor.begin(digest, nameOf(steps, digest))];
}

/** Takes a piece of what a step prints, and gives the whole lines. */
export function tellOutput(steps: Steps, { vertex, stream, bytes }: Output): readonly string[] {
  const { streams } = voiceOf(steps, vertex);
  const lines = streams.get(stream) ?? openLines();
  streams.set(stream, lines);
  return print(steps, vertex, lines.push(bytes));
}

/** Of what takes a while, so that nobody has to wonder: that a base image is being fetched, and what an export or a push consists of. */
export function tellPart(steps: Steps, { vertex, id, total, started, completed }: Part): readonly string[] {
  const step = steps.known.get(vertex);
  const isFetched = step?.kind === "source" && total > 0 && completed === undefined && steps.floor.isFree();
  const seconds = started === undefined || completed === undefined ? 0 : (completed - started) / 1000;
  const isLong = step?.kind === "instruction" && seconds >= 1;
  const key = isFetched ? vertex : `${vertex} ${id}`;
  if (!(isFetched || isLong) || steps.over.has(vertex) || steps.partsTold.has(key)) return [];
  steps.partsTold.add(key);
  if (isFetched) return [`${nameOf(steps, vertex)}: is being fetched`];
  return steps.floor.say(vertex, [`  ${steps.reword(legibleLine(id))}: ${seconds.toFixed(1)} s`]);
}

/** The build is over: lines that were never ended, steps that never were, and how many there were of which kind. */
export function tellRest(steps: Steps): readonly string[] {
  const begun = [...steps.voices.keys()].flatMap((digest) => print(steps, digest, endLines(steps, digest)));
  return [...begun, ...closeSources(steps, [...steps.known.keys()]), ...steps.floor.clear()];
}

/** How many instructions of the Dockerfile were run or found in the cache, and how many of them were found. */
export function countSteps(steps: Steps): { readonly steps: number; readonly cached: number } {
  const counted = [...steps.known].filter(([digest, step]) => steps.over.has(digest) && isCounted(step));
  return { steps: counted.length, cached: counted.filter(([, step]) => step.cached).length };
}

/** Enough to see what a command complained of, little enough for an error's text. */
const LAST_LINES = 20;

function print(steps: Steps, digest: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const { last } = voiceOf(steps, digest);
  last.push(...lines.slice(-LAST_LINES));
  last.splice(0, last.length - LAST_LINES);
  const told = lines.map((line) => `  ${line}`);
  return [...steps.floor.begin(digest, nameOf(steps, digest)), ...steps.floor.say(digest, told)];
}

function close(steps: Steps, digest: string, step: Step): readonly string[] {
  steps.over.add(digest);
  const name = nameOf(steps, digest);
  const error = steps.reword(step.error);
  const rest = print(steps, digest, endLines(steps, digest));
  if (error !== "" && step.kind !== "import" && !isCancelled(step))
    steps.failed.push({ name, error, output: steps.voices.get(digest)?.last ?? [] });
  if (error !== "" && step.kind === "import" && !isCancelled(step) && !isNotThereYet(step))
    steps.refused.push({ name: importedFrom(name), error });
  return [...rest, ...steps.floor.finish(digest, endingOf(name, step, error))];
}

/** A base image has been fetched when a step that needs it begins. */
function closeSources(steps: Steps, digests: readonly string[]): readonly string[] {
  return digests.flatMap((digest) => {
    const step = steps.known.get(digest);
    return step?.kind === "source" && step.started !== undefined && !steps.over.has(digest)
      ? close(steps, digest, step)
      : [];
  });
}

/** The words of an error are not repeated here: buildx ends with them. Only a layer cache that is not there is no error, and told here alone. */
function endingOf(name: string, step: Step, error: string): Ending {
  const seconds = `${secondsOf(step).toFixed(1)} s`;
  const same = (how: string): Ending => ({ brief: `${name}: ${how}`, ending: `  ${how}` });
  if (isCancelled(step)) return same("cancelled");
  if (isNotThereYet(step)) return same("there is none yet");
  if (error !== "" && step.kind === "import") return same(`nothing to import: ${error}`);
  if (error !== "") return same(`failed after ${seconds}`);
  if (step.cached && step.kind === "instruction") return same("cached");
  return { brief: `${name}: ${seconds}`, ending: `  done in ${seconds}` };
}

function endLines(steps: Steps, digest: string): readonly string[] {
  return [...(steps.voices.get(digest)?.streams.values() ?? [])].flatMap((lines) => lines.end());
}

function nameOf(steps: Steps, digest: string): string {
  return steps.names.get(digest) ?? "a step without a name";
}

function voiceOf(steps: Steps, digest: string): Voice {
  const voice = steps.voices.get(digest) ?? { streams: new Map(), last: [] };
  steps.voices.set(digest, voice);
  return voice;
}
