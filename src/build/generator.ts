import { ActionError } from "../errors.ts";
import type { Reference } from "../oci/reference.ts";
import type { Binding } from "../plan/upstream.ts";
import { adviseOn } from "../probe/advice.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import type { Log, Registry } from "../world.ts";
import type { BuildTask } from "./task.ts";

type Asked = Pick<BuildTask, "inputs" | "output">;

/** The image that makes the SBOMs of a build: nothing where none are asked for, or where the image is only loaded into an engine. */
export function generatorOf({ inputs, output }: Asked): Reference | undefined {
  return output.kind === "push" ? inputs.attestations.generator : undefined;
}

/**
 * Binds the generator to the index that its name stands for now, as bases are bound: BuildKit lists it among the images that it used.
 * It is no part of the key. What it writes speaks of the image and is not in it, and a new generator shall not make every image a miss.
 * @returns the bindings with it; those that a base of the same name already has stay as they are.
 * @throws ActionError E_REGISTRY where it cannot be read.
 */
export async function withGenerator(
  generator: Reference | undefined,
  bindings: readonly Binding[],
  registry: Registry,
): Promise<readonly Binding[]> {
  if (!generator) return bindings;
  const reference = nameForBuildKit(generator);
  if (bindings.some((binding) => binding.reference === reference)) return bindings;
  if (generator.digest) return [...bindings, { reference, digest: generator.digest }];
  const answer = await registry.describe({ ...generator, tag: generator.tag ?? "latest" });
  if (answer.kind === "found") return [...bindings, { reference, digest: answer.value.digest }];
  throw new ActionError("E_REGISTRY", {
    what: `The SBOM generator ${reference} cannot be read: ${answer.words} (${answer.request}).`,
    fix: adviseOn(
      answer,
      "Check its name, log in to its registry before this action, or set sbom to the name of a copy.",
    ),
    cause: answer,
  });
}

/** Tells what the inputs about attestations mean for a build, before it begins. */
export function warnOfAttestations({ inputs, output, sources }: Asked & Pick<BuildTask, "sources">, log: Log): void {
  const { generator, required, provenance } = inputs.attestations;
  if (output.kind === "load" && (generator || required.length > 0))
    log.warning("The image has no SBOM and no provenance: those are attached by a push, and it is only loaded.");
  const { args, uncounted } = sources.build.arguments;
  const names = Object.keys({ ...args, ...uncounted });
  if (output.kind === "push" && provenance === "max" && names.length > 0)
    log.warning(`provenance: max publishes the values of the build args to whoever can pull: ${names.join(", ")}.`);
}
