/** What is no transfer any more, in bytes a millisecond: 64 KiB a second. Slower than that nobody fetches or pushes an image at all. */
const SLOWEST = 64 * 1.024;

/** How long so many bytes may take, in milliseconds. */
export function timeFor(bytes: number): number {
  return bytes / SLOWEST;
}

export type Deadline = {
  /** Ends what is under way where it can be ended. */
  readonly signal: AbortSignal;
  /** What some work gives, or the end: also where the work cannot be ended, as a proxy's that accepts and says nothing. */
  readonly race: <T>(work: Promise<T>) => Promise<T>;
  /** Bytes have come through, and move the end on. */
  readonly heard: (bytes: number) => void;
  /** Nothing is waited for any more. */
  readonly close: () => void;
};

/**
 * Gives an exchange one end, whatever it is waiting for: a connection, a proxy, a handshake, an answer or the rest of it. Who sends a lot is
 * waited for as long as it goes on; who sends a byte now and then is not.
 * @param soft milliseconds for an exchange without content; what comes through moves this end on.
 * @param hard milliseconds that nothing moves on.
 */
export function openDeadline(soft: number, hard: number): Deadline {
  const controller = new AbortController();
  const started = Date.now();
  let end = soft;
  const left = (): number => Math.min(end, hard) - (Date.now() - started);
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    if (left() <= 0) controller.abort(Object.assign(new Error("no whole answer in time"), { name: "TimeoutError" }));
    else timer = setTimeout(watch, Math.max(1, left()));
  };
  const over = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
  });
  // Where nothing is raced any more, nobody hears of it.
  over.catch(() => undefined);
  watch();
  return {
    signal: controller.signal,
    race: (work) => Promise.race([work, over]),
    heard: (bytes) => {
      end += timeFor(bytes);
    },
    close: () => clearTimeout(timer),
  };
}
