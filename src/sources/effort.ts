import { pathWithin } from "../devcontainer/paths.ts";
import { ActionError, asSystemError, type Place } from "../errors.ts";
import type { Clock, Effort, Files } from "../world.ts";

/** What reading a checkout may cost, all of it together. */
export type Limits = {
  readonly milliseconds: number;
  /** Bytes of memory, or steps that take as long as one. */
  readonly amount: number;
  /** Bytes of one file that is read as text. */
  readonly text: number;
};

/**
 * Two minutes are what reading a million files of a context takes on a slow disk, 256 MiB what is kept of two millions, or what 16 MiB of
 * text become. Nothing that people write comes near to it, and a runner has several times as much.
 */
const LIMITS: Limits = { milliseconds: 120_000, amount: 256 * 1024 * 1024, text: 1024 * 1024 };

/** What a character of a text becomes in memory when it is parsed. */
const PARSED = 16;
/** What is kept of a path, beside its name. */
const PATH = 100;

/** An effort that is over once everything has been read: what it was told of is then asked again without limit. */
export type OpenEffort = { readonly effort: Effort; readonly end: () => void };

/** Opens the one limit of time and of memory for reading a checkout. The time begins now. */
export function openEffort(clock: Clock, limits: Limits = LIMITS): OpenEffort {
  const latest = clock() + limits.milliseconds;
  let left = limits.amount;
  let isOver = false;
  const spend = (amount: number, at: Place): void => {
    if (isOver) return;
    left -= amount;
    if (left < 0) throw tooMuch(limits.amount, at);
    if (clock() > latest) throw tooLong(limits.milliseconds, at);
  };
  return {
    effort: { spend },
    end: () => {
      isOver = true;
    },
  };
}

/**
 * The same files, but every look at one is told to the effort, and no text is longer than what is read as text has to be.
 * @param checkout absolute: messages name files as seen from it.
 */
export function filesWithin(
  files: Files,
  effort: Effort,
  checkout: string,
  limits: Pick<Limits, "text"> = LIMITS,
): Files {
  const placeOf = (path: string): Place => ({ file: pathWithin(checkout, path) ?? path });
  const told = async <T>(path: string, answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw asSystemError(error, placeOf(path)) ?? error;
    }
  };
  const looking =
    <T>(look: (path: string) => Promise<T>) =>
    (path: string): Promise<T> => {
      // It takes time, and nothing is kept of it that the list of its folder has not been counted for.
      effort.spend(0, placeOf(path));
      return told(path, look(path));
    };
  return {
    ...files,
    stat: looking(files.stat),
    realPath: looking(files.realPath),
    readLink: looking(files.readLink),
    digest: looking(files.digest),
    list: async (path) => {
      const names = await told(path, files.list(path));
      effort.spend(names?.reduce((sum, name) => sum + PATH + name.length, PATH) ?? PATH, placeOf(path));
      return names;
    },
    readText: async (path) => {
      const real = await told(path, files.realPath(path));
      const size = real === undefined ? 0 : ((await told(path, files.stat(real)))?.size ?? 0);
      if (size > limits.text) throw tooLarge(size, limits.text, placeOf(path));
      effort.spend(PATH + PARSED * size, placeOf(path));
      return told(path, files.readText(path));
    },
  };
}

function tooMuch(amount: number, at: Place): ActionError {
  return new ActionError("E_LIMIT", {
    what: `Reading the checkout would take more than ${amount / 1024 / 1024} MiB of memory, or as much work.`,
    fix: "Look here for variables, anchors, includes or triggers that repeat one another, or for a folder with millions of files: name in .dockerignore what the build does not need.",
    at,
  });
}

function tooLong(milliseconds: number, at: Place): ActionError {
  return new ActionError("E_LIMIT", {
    what: `Reading the checkout takes longer than ${milliseconds / 1000} s.`,
    fix: "Name in .dockerignore what the build does not need, and look at this file: it was read when the time was over.",
    at,
  });
}

function tooLarge(size: number, limit: number, at: Place): ActionError {
  return new ActionError("E_LIMIT", {
    what: `${at.file} has ${size} bytes, and at most ${limit} are read of a text.`,
    fix: "Make the file smaller; data belongs into the build context.",
    at,
  });
}
