import type { Digest } from "../oci/digest.ts";
import { formatRepository, parseReference, type Reference } from "../oci/reference.ts";
import { expandWord } from "./expand.ts";
import { replacementOf, writtenOut } from "./named-contexts.ts";
import type { Dockerfile, Stage } from "./parse.ts";
import { hasKnownFrontend, OWN_MEANING, variablesIn } from "./reach.ts";
import { PLATFORM_ARGS, type Scope } from "./scope.ts";
import { openStages } from "./stage-graph.ts";
import { imageUses } from "./stages.ts";
import { hasPlainVariables, spellVariables } from "./variables.ts";
import { argWords } from "./words.ts";

/** What is known of the names by which stages name images. */
export type ImageNames = {
  /** By the names that a digest stands behind, as they count, that digest: the image is the one that the name stands for today, or was. */
  readonly pins: ReadonlyMap<string, Digest>;
  /** What bases stand for whose variables have no value but what the Dockerfile says before the first FROM. */
  readonly bases: ReadonlyMap<string, string>;
};

export const NO_NAMES: ImageNames = { pins: new Map(), bases: new Map() };

/** An image as it counts: its name in one spelling, and the digest that is written behind that, where it is told apart from it. */
export type CountedImage = { readonly name: string; readonly pin?: Digest };

/** Reads how some stages name images; of a frontend that is not known here all names are what is written. */
export function imageNames(dockerfile: Dockerfile, stages: readonly Stage[], scope: Scope): ImageNames {
  if (!hasKnownFrontend(dockerfile, scope)) return NO_NAMES;
  const bases = plainBases(dockerfile, stages, scope);
  const used = imageUses(dockerfile, stages, scope).map(({ written }) => bases.get(written) ?? written);
  return { pins: pinnedNames(used, scope), bases };
}

/**
 * The names of images behind which a digest is written. Which image it is, is told by its digest wherever it is looked up: the name counts
 * as it does without one. Only where all that is used under a name has the same digest, and no build context has that name.
 */
function pinnedNames(used: readonly string[], scope: Scope): ImageNames["pins"] {
  const digests = new Map<string, Set<Digest | undefined>>();
  const replaced = new Set<string>();
  for (const written of used) {
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

function plainBases(dockerfile: Dockerfile, stages: readonly Stage[], scope: Scope): ImageNames["bases"] {
  const { outside } = openStages(dockerfile, scope);
  const plain = plainNames(dockerfile, scope);
  return new Map(
    stages.flatMap(({ from: { base } }) => {
      const names = hasPlainVariables(base) ? variablesIn(base) : [];
      if (names.length === 0 || !names.every((name) => plain.has(name))) return [];
      const meant = expandWord(base, outside, dockerfile.escape);
      return meant.kind === "text" ? [[base, meant.text]] : [];
    }),
  );
}

/**
 * The names that have the value of a default, and nothing else has a part in it: what is given from outside may be private, and what the
 * platform or the frontend says is not the Dockerfile's.
 */
function plainNames({ globalArgs }: Dockerfile, { args }: Scope): ReadonlySet<string> {
  const plain = new Set<string>();
  const others = new Set<string>();
  for (const { rest, escape: escapeChar } of globalArgs) {
    const isPlain = variablesIn(rest).every((name) => plain.has(name));
    for (const { name, value } of argWords(rest, escapeChar)) {
      const isOwn = isPlain && !args.has(name) && !PLATFORM_ARGS.includes(name) && !OWN_MEANING.test(name);
      if (!isOwn) others.add(name);
      if (others.has(name)) plain.delete(name);
      else if (value !== undefined) plain.add(name);
    }
  }
  return plain;
}

/** What a base counts as that may be a stage's name: the word, its variables replaced where that is plain. */
export function baseWord(written: string, { bases }: ImageNames): string {
  return bases.get(written) ?? spellVariables(written);
}

/** An image's name as it counts: in one spelling, and without the digest where that is told apart from it. */
export function countImage(written: string, names: ImageNames): CountedImage {
  const word = baseWord(written, names);
  const { name, digest } = readName(word);
  if (digest === undefined) return { name };
  return names.pins.get(name) === digest ? { name, pin: digest } : { name: word };
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
