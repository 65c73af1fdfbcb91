import type { Clock } from "../world.ts";
import { timeFor } from "./deadline.ts";

/**
 * What some work gives, or `late` where it takes longer than so many milliseconds. The work itself goes on, for whoever asks for it later.
 * Unlike a timer, waiting so keeps no process from ending.
 */
export function within<T>(milliseconds: number, work: Promise<T>): Promise<T | "late"> {
  const signal = AbortSignal.timeout(Math.max(0, Math.ceil(milliseconds)));
  const late = new Promise<"late">((tell) => {
    signal.onabort = () => tell("late");
  });
  return Promise.race([work, late]);
}

/** How much waiting there may be, in milliseconds, and what has been waited so far. */
export type Patience = {
  readonly left: () => number;
  /** Somebody begins to wait, and stops: those who wait at the same time wait once. */
  readonly begin: () => void;
  readonly end: () => void;
  /** Bytes have come through: that time was no waiting. */
  readonly heard: (bytes: number) => void;
  /** All that was waited was worth it. */
  readonly renew: () => void;
};

/** Counts how long is waited for something, whoever does; time in which nobody waits, as while an image is built, does not count. */
export function openPatience(limit: number, clock: Clock): Patience {
  let waiting = 0;
  let since = 0;
  let spent = 0;
  const current = (): number => (waiting === 0 ? 0 : clock() - since);
  return {
    left: () => limit - spent - current(),
    begin: () => {
      if (waiting++ === 0) since = clock();
    },
    end: () => {
      if (--waiting === 0) spent += clock() - since;
    },
    heard: (bytes) => {
      const worth = timeFor(bytes);
      const fromCurrent = Math.min(worth, current());
      since += fromCurrent;
      spent = Math.max(0, spent - (worth - fromCurrent));
    },
    renew: () => {
      spent = 0;
      since = clock();
    },
  };
}
