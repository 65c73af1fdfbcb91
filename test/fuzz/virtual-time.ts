/** A clock that moves only when everybody waits: then to the moment at which the first of them goes on. */
export function openVirtualTime() {
  let now = 1_000_000;
  let isMoving = false;
  const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  const move = async (): Promise<void> => {
    isMoving = true;
    while (sleepers.length > 0) {
      // What was woken has all its turns before anyone else is.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      sleepers.sort((a, b) => a.at - b.at);
      const first = sleepers.shift();
      if (!first) break;
      now = Math.max(now, first.at);
      first.wake();
    }
    isMoving = false;
  };
  return {
    clock: (): number => now,
    sleep: (milliseconds: number): Promise<void> =>
      new Promise((wake) => {
        sleepers.push({ at: now + Math.max(0, milliseconds), wake });
        if (!isMoving) void move();
      }),
  };
}
