import type { Digest } from "../oci/digest.ts";
import { replacementOf } from "./named-contexts.ts";
import type { Dockerfile, Stage } from "./parse.ts";
import { hasKnownFrontend } from "./reach.ts";
import type { Scope } from "./scope.ts";
import { imageUses, sourceStage } from "./stages.ts";

/** By the names that a digest stands behind, without it, that digest: the image is the one that the name stands for today, or was. */
export type Pins = ReadonlyMap<string, Digest>;

/**
 * The names of images behind which some stages write a digest. Which image it is, is told by its digest wherever it is looked up: the name
 * counts as it does without one. Only where each of these stages means the same image by a name, and nothing else has that name.
 */
export function pinnedNames(dockerfile: Dockerfile, stages: readonly Stage[], scope: Scope): Pins {
  if (!hasKnownFrontend(dockerfile, scope)) return new Map();
  const digests = new Map<string, Set<Digest | undefined>>();
  for (const { written } of imageUses(dockerfile, stages, scope)) {
    const { name, digest } = splitPin(written);
    digests.set(name, (digests.get(name) ?? new Set()).add(digest));
  }
  const isOthers = (name: string): boolean =>
    /^(?:scratch|[+-]?[0-9]+)$/.test(name) ||
    sourceStage(dockerfile.stages, { by: "COPY", written: name }) !== undefined;
  const isReplaced = (...names: readonly string[]): boolean =>
    names.some((name) => replacementOf(scope, name) !== undefined);
  return new Map(
    [...digests].flatMap(([name, [digest, ...others]]) => {
      if (digest === undefined || others.length > 0 || isOthers(name)) return [];
      return isReplaced(name, `${name}@${digest}`) ? [] : [[name, digest]];
    }),
  );
}

/** A name as it counts: without the digest, where that is told apart from it. */
export function unpinned(written: string, pins: Pins): string {
  const { name } = splitPin(written);
  return pins.has(name) ? name : written;
}

/** An image's name, and the digest that stands behind it. */
export function splitPin(written: string): { readonly name: string; readonly digest: Digest | undefined } {
  const [, name, hex] = /^([^\s@$"'\\`]+)@sha256:([0-9a-f]{64})$/.exec(written) ?? [];
  return name === undefined ? { name: written, digest: undefined } : { name, digest: `sha256:${hex}` };
}
