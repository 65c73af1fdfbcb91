/** Lets a few works at once through; the others wait for their turn. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** Opens a gate for at most `limit` works at once, in the order in which they come. */
export function openGate(limit: number): Gate {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
