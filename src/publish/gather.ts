import { formatPlatform, type Platform } from "../oci/platform.ts";

export type Gathering<T> = {
  readonly tell: (platform: Platform, one: T) => void;
  /** Waits until something of each platform has been told; fails where nothing more will be. */
  readonly all: Promise<readonly T[]>;
  readonly close: () => void;
};

/**
 * Collects what each of these platforms will tell, in the order in which they first do. Of one that tells twice, as where a push had to be
 * done once more, the last word counts, and it stands for no other platform.
 */
export function gather<T>(platforms: readonly Platform[]): Gathering<T> {
  const told = new Map<string, T>();
  let finish: (all: readonly T[]) => void = () => undefined;
  let close = (): void => undefined;
  const all = new Promise<readonly T[]>((resolve, reject) => {
    finish = resolve;
    close = () => reject(new Error(`of ${platforms.length} platforms ${told.size} were told of`));
  });
  all.catch(() => undefined);
  const tell = (platform: Platform, one: T): void => {
    told.set(formatPlatform(platform), one);
    if (told.size === platforms.length) finish([...told.values()]);
  };
  return { tell, all, close: () => close() };
}
