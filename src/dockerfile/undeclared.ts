import type { Dockerfile } from "./parse.ts";
import { PLATFORM_ARGS } from "./scope.ts";

/**
 * Whether a build arg of that name acts although no ARG declares it: on the frontend, or on the platforms that FROM names.
 * @see https://docs.docker.com/reference/dockerfile/#buildkit-built-in-build-args
 */
export function actsUndeclared(name: string): boolean {
  return /^BUILDKIT_/.test(name) || name === "SOURCE_DATE_EPOCH" || PLATFORM_ARGS.includes(name);
}

/**
 * Whether the frontend is another one than Docker's own, or a copy of that: it is told all build args, and nobody knows what it makes of them.
 * @param syntax the build arg BUILDKIT_SYNTAX, which goes over the Dockerfile's own line.
 */
export function isForeignFrontend({ syntax }: Pick<Dockerfile, "syntax">, argument: string | undefined): boolean {
  const reference = argument ?? syntax?.reference;
  return reference !== undefined && !/(?:^|\/)docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(reference);
}
