import type { Digest } from "../oci/digest.ts";
import { formatRepository, parseReference, type Reference } from "../oci/reference.ts";
import { replacementOf, writtenOut } from "./named-contexts.ts";
import type { Dockerfile, Stage } from "./parse.ts";
import { hasKnownFrontend } from "./reach.ts";
import type { Scope } from "./scope.ts";
import { imageUses } from "./stages.ts";

/** By the names that a digest stands behind, as they count, that digest: the image is the one that the name stands for today, or was. */
export type Pins = ReadonlyMap<string, Digest>;

/** An image as it counts: its name in one spelling, and the digest that is written behind that, where it is told apart from it. */
export type CountedImage = { readonly name: string; readonly pin?: Digest };

/**
 * The names of images behind which some stages write a digest. Which image it is, is told by its digest wherever it is looked up: the name
 * counts as it does without one. Only where each of these stages means the same image by a name, and nothing else has that name.
 */
export function pinnedNames(dockerfile: Dockerfile, stages: readonly Stage[], scope: Scope): Pins {
  if (!hasKnownFrontend(dockerfile, scope)) return new Map();
  const digests = new Map<string, Set<Digest | undefined>>();
  const replaced = new Set<string>();
  for (const { written } of imageUses(dockerfile, stages, scope)) {
    const { name, digest } = readName(written);
    digests.set(name, (digests.get(name) ?? new Set()).add(digest));
    const spellings = [written, name, ...(digest === undefined ? [] : [`${name}@${digest}`])];
    if (spellings.some((spelled) => replacementOf(scope, spelled) !== undefined)) replaced.add(name);
  }
  return new Map(
    [...digests].flatMap(([name, [digest, ...others]]) =>
      digest === undefined || others.length > 0 || replaced.has(name) ? [] : [[name, digest]],
    ),
  );
}

/** An image's name as it counts: in one spelling, and without the digest where that is told apart from it. */
export function countImage(written: string, pins: Pins): CountedImage {
  const { name, digest } = readName(written);
  if (digest === undefined) return { name };
  return pins.get(name) === digest ? { name, pin: digest } : { name: written };
}

/**
 * The name of an image in one spelling, and the digest behind it: as people write it, without what stands for Docker Hub. The tag is always
 * said, for with one it is no stage's name, no number, and not the `scratch` that no registry has.
 */
export function readName(written: string): { readonly name: string; readonly digest: Digest | undefined } {
  const reference = parseReference(written);
  if ("wrong" in reference || /^(?:scratch|[+-]?[0-9]+)$/.test(written)) return { name: written, digest: undefined };
  return { name: spellOnce(reference), digest: reference.digest };
}

function spellOnce(reference: Reference): string {
  const { registry, repository, tag = "latest" } = reference;
  const whole = `${formatRepository(reference)}:${tag}`;
  const short = registry === "docker.io" ? `${repository.replace(/^library\//, "")}:${tag}` : whole;
  return writtenOut(short) === whole ? short : whole;
}
