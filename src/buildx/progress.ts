import { type Digest, isDigest } from "../oci/digest.ts";
import type { Clock } from "../world.ts";
import { type BuildStep, recordSteps } from "./build-record.ts";
import { type BuildFailure, readFailure } from "./last-words.ts";
import { legibleLine } from "./lines.ts";
import { type BuildWarning, type Message, openMessageReader, type Part } from "./rawjson.ts";
import { countSteps, openSteps, type Steps, tellOutput, tellPart, tellRest, tellVertex } from "./steps.ts";

/** Tells a build that runs: takes the lines of buildx's standard error, gives the lines of the log. */
export type Progress = {
  readonly line: (line: string) => readonly string[];
  /** After the last line. */
  readonly end: () => BuildEnd;
};

/** What is left to say of a build that is over. */
export type BuildEnd = {
  readonly lines: readonly string[];
  readonly steps: readonly BuildStep[];
  /** As they came: the same one again each time that BuildKit says it. */
  readonly warnings: readonly BuildWarning[];
  /** Why a layer cache could not be exported, which is no failure of the build where that ended with 0. */
  readonly lostCache: string | undefined;
  /** Layer caches that could not be read, and why: steps were run that they may hold. */
  readonly refusedCaches: Steps["refused"];
  /** Means something only where buildx did not end with 0. */
  readonly failure: BuildFailure;
};

export type ProgressOptions = {
  /** What each line begins with: the platform. */
  readonly title: string;
  readonly clock: Clock;
  /**
   * Hides what must not be told, and names what is generated as the user knows it. BuildKit puts the values of build args into the names
   * of steps, and so into errors too.
   */
  readonly reword: (text: string) => string;
  /** Hears of each image that BuildKit says it has pushed: while it exports the layer cache, and only in its own words for people. */
  readonly onPushed?: (digest: Digest) => void;
};

/**
 * Turns `--progress rawjson` into lines for people: each step with its time or as cached, what commands print while they print it;
 * transfers and what BuildKit does for itself stay quiet. What is not rawjson is told as it is. Nothing that is read makes it throw.
 */
export function openProgress({ title, clock, reword, onPushed }: ProgressOptions): Progress {
  const reader = openMessageReader();
  const steps = openSteps(clock, reword);
  const warnings: BuildWarning[] = [];
  const text: string[] = [];
  const begunAt = clock();

  const tell = (message: Message): readonly string[] => {
    if (message.kind === "text") return tellText(text, reword(legibleLine(message.text)));
    for (const digest of message.parts.flatMap(pushedIn)) onPushed?.(digest);
    for (const warning of message.warnings) warnings.push({ ...warning, short: reword(legibleLine(warning.short)) });
    return [
      ...message.vertexes.flatMap((vertex) => tellVertex(steps, vertex)),
      ...message.outputs.flatMap((output) => tellOutput(steps, output)),
      ...message.parts.flatMap((part) => tellPart(steps, part)),
    ];
  };
  const entitle = (line: string): string => `[${title}] ${line}`.trimEnd();

  return {
    line: (line) => reader.line(line).flatMap(tell).map(entitle),
    end() {
      const lines = [...reader.end().flatMap(tell), ...tellRest(steps), ...summary(steps, clock() - begunAt)];
      const lostCache = steps.failed.find(({ name }) => name.startsWith("exporting cache to "))?.error;
      const failure = readFailure(text, steps.failed);
      return {
        lines: lines.map(entitle),
        steps: recordSteps(steps.known, steps.names),
        warnings,
        lostCache,
        refusedCaches: steps.refused,
        failure,
      };
    },
  };
}

/** @see https://github.com/moby/buildkit/blob/v0.26.3/util/push/push.go */
function pushedIn({ id, completed }: Part): readonly Digest[] {
  const digest = completed === undefined ? undefined : /^pushing manifest for \S+@(\S+)$/.exec(id)?.[1];
  return isDigest(digest) ? [digest] : [];
}

/** What is kept of the text, for what failed stands at its end. */
const LAST_TEXT = 200;

function tellText(text: string[], line: string): readonly string[] {
  text.push(line);
  if (text.length > LAST_TEXT) text.shift();
  return line === "" ? [] : [line];
}

function summary(steps: Steps, milliseconds: number): string[] {
  if (steps.known.size === 0) return [];
  const counted = countSteps(steps);
  const noun = counted.steps === 1 ? "step" : "steps";
  return [`${counted.steps} ${noun}, ${counted.cached} cached, ${(milliseconds / 1000).toFixed(1)} s`];
}
