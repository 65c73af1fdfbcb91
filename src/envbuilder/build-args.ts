import { cutVariable } from "./words.ts";

/** Docker's own: they count without any ARG. */
const PROXIES = ["HTTP", "HTTPS", "FTP", "NO", "ALL"].flatMap((name) => [
  `${name}_PROXY`,
  `${name}_proxy`.toLowerCase(),
]);

type Values = ReadonlyMap<string, string | undefined>;

/** The arguments of a build while it goes on: what was given, what ARG has allowed so far, and those in front of the first FROM. */
export type BuildArgs = { readonly given: Values; readonly allowed: Values; readonly meta: Values };

/** @param given `NAME=value`, or a bare name, which overrides nothing. */
export function openBuildArgs(given: readonly string[]): BuildArgs {
  const values = given.map((arg): readonly [string, string | undefined] =>
    arg.includes("=") ? cutVariable(arg) : [arg, undefined],
  );
  return { given: new Map(values), allowed: new Map(), meta: new Map() };
}

export function withMeta(args: BuildArgs, meta: Values): BuildArgs {
  return { ...args, meta: new Map([...args.meta, ...meta]) };
}

export function withAllowed(args: BuildArgs, name: string, value: string | undefined): BuildArgs {
  return { ...args, allowed: new Map([...args.allowed, [name, value]]) };
}

/** @see https://github.com/moby/moby/blob/v27.3.1/builder/dockerfile/buildargs.go (getBuildArg) */
function resolve({ given, meta }: BuildArgs, name: string, source: Values): string | undefined {
  return given.get(name) ?? source.get(name) ?? meta.get(name);
}

/** The value of an ARG without a default. */
export function inherited(args: BuildArgs, name: string): string | undefined {
  const ofSource = (source: Values) =>
    source.has(name) || PROXIES.includes(name) ? resolve(args, name, source) : undefined;
  return ofSource(args.allowed) ?? ofSource(args.meta);
}

/**
 * The environment under which an instruction's words are read: that of the image, and what ARG has allowed beside it.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/dockerfile/buildargs.go (ReplacementEnvs)
 */
export function replacements(args: BuildArgs, environment: readonly string[]): readonly string[] {
  const taken = new Set(environment.map((variable) => cutVariable(variable)[0]));
  const names = new Set([...args.allowed.keys(), ...PROXIES]);
  const own = [...names].flatMap((name) => {
    const value = taken.has(name) ? undefined : resolve(args, name, args.allowed);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return [...environment, ...own];
}
