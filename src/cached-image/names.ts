import type { Assembled } from "../envbuilder/assemble.ts";
import { sha256Of } from "../envbuilder/hashes.ts";
import type { Keyed } from "../envbuilder/keys.ts";
import type { Digest } from "../oci/digest.ts";
import { textOf } from "../oci/json.ts";
import type { Served } from "../oci/manifest.ts";
import { formatReference, type Reference, type Repository } from "../oci/reference.ts";
import type { Answer, Registry } from "../world.ts";
import { inDoubt, type Verdict } from "./verdict.ts";

type Steps = Pick<Keyed, "steps" | "targetSteps">;

/**
 * The tag by which this action finds an image again whose digest cannot be computed. The builder gives one tag to all that it pushes, and the
 * last has it.
 */
export function nameOf(keyed: Steps): string {
  const key = keyed.targetSteps.at(-1)?.key ?? "";
  const beside = besideKeys(keyed);
  return `image-${beside.length === 0 ? key : sha256Of(JSON.stringify([key, ...beside]))}`;
}

/** Whether a config tells an image from all others: two of the same keys may have been made of files by other names. */
export function isToldByConfig(keyed: Steps): boolean {
  return besideKeys(keyed).length === 0;
}

function besideKeys({ steps }: Pick<Keyed, "steps">): readonly string[] {
  return steps.flatMap(({ beside }) => beside ?? []);
}

/** What the builder pushed last. */
export const LAST = "latest";

/** What the builder pushed last, which is asked for before anybody knows what for: it is the image that is looked for, more often than not, or says why not. */
export type LastPushed = {
  /** The answer, where it has come by now and is the image of that digest. Nobody waits for it. */
  readonly isAnswered: (digest: Digest) => Extract<Answer<Served>, { kind: "found" }> | undefined;
  /** What a registry is asked for, the last that was pushed but once. */
  readonly orAsk: Registry["manifest"];
};

export function askForLast(repository: Repository, registry: Pick<Registry, "manifest">): LastPushed {
  const asked = registry.manifest({ ...repository, tag: LAST });
  let answer: Answer<Served> | undefined;
  void asked.then((told) => {
    answer = told;
  });
  return {
    isAnswered: (digest) =>
      answer?.kind === "found" && answer.value.descriptor.digest === digest ? answer : undefined,
    orAsk: (reference) => (reference.tag === LAST && !reference.digest ? asked : registry.manifest(reference)),
  };
}

/** A tag, or the digest under which the builder says that it has pushed. */
type Name = { readonly tag?: string; readonly digest?: Digest };

type Named = { readonly served: Served; readonly name: Name };

/** Looks whether one of the names that it may have is an image's: the first that is. */
export async function lookUpByName(
  image: Assembled,
  names: readonly Name[],
  repository: Repository,
  registry: Pick<Registry, "manifest" | "blob">,
): Promise<Named | "none" | Extract<Verdict, { kind: "unknown" }>> {
  const looks = await Promise.all(
    names.map(async (name) => ({ name, answer: await lookAt(image, { ...repository, ...name }, registry) })),
  );
  for (const { name, answer } of looks) if (answer.kind === "found") return { served: answer.value, name };
  for (const { name, answer } of looks)
    if (answer.kind !== "absent" && answer.kind !== "found")
      return inDoubt(name.tag === undefined ? "the image that was built" : `the tag ${name.tag}`, answer);
  return "none";
}

/** Absent is also what has another image. */
async function lookAt(
  { isSure, configDigest, recognises }: Assembled,
  named: Reference,
  registry: Pick<Registry, "manifest" | "blob">,
): Promise<Answer<Served>> {
  const answer = await registry.manifest(named);
  if (answer.kind !== "found") return answer;
  const { body } = answer.value;
  const other = { kind: "absent", request: `GET ${formatReference(named)}`, words: "it is another image" } as const;
  if (body.kind !== "manifest") return other;
  if (isSure) return body.config.digest === configDigest ? answer : other;
  const config = await registry.blob(named, body.config);
  if (config.kind !== "found") return config;
  return recognises(textOf(config.value)) ? answer : other;
}
