/** Variables, and which of them were asked for by their name, set or not. */
export type Watched = {
  readonly env: Readonly<Record<string, string>>;
  /** @returns `undefined` where somebody went through all of them: then nobody can tell what took part. */
  readonly asked: () => readonly string[] | undefined;
};

/**
 * Notes whoever reads a variable: only so it is known of everything that the configuration, compose, a Dockerfile and the inputs can
 * name which of this machine's variables decided, those among them that were not set.
 */
export function watch(env: Readonly<Record<string, string>>): Watched {
  const names = new Set<string>();
  let isWhole = false;
  const note = (name: string | symbol): void => {
    if (typeof name === "string") names.add(name);
  };
  const watched = new Proxy(env, {
    get: (target, name) => {
      note(name);
      return Reflect.get(target, name);
    },
    has: (target, name) => {
      note(name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor: (target, name) => {
      note(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys: (target) => {
      isWhole = true;
      return Reflect.ownKeys(target);
    },
  });
  return { env: watched, asked: () => (isWhole ? undefined : [...names].sort()) };
}
