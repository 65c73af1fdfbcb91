/**
 * What some work gives, or `late` where it takes longer than so many milliseconds. The work itself goes on, for whoever asks for it later.
 * Unlike a timer, waiting so keeps no process from ending.
 */
export function within<T>(milliseconds: number, work: Promise<T>): Promise<T | "late"> {
  const signal = AbortSignal.timeout(Math.max(0, milliseconds));
  const late = new Promise<"late">((tell) => {
    signal.onabort = () => tell("late");
  });
  return Promise.race([work, late]);
}
