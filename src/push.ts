import { ActionError } from "./errors.ts";
import type { Inputs } from "./inputs.ts";
import { formatRepository } from "./oci/reference.ts";
import type { Event, Registry } from "./world.ts";

/** Whether what is built goes to the cache repository, and if not, why. */
export type PushDecision = { readonly push: true } | { readonly push: false; readonly why: string };

/**
 * Finds out whether this run may push, before a long build and not after it. Nothing is asked where the answer is known.
 * @throws ActionError E_PUSH when the registry refuses what `push: true` demands, or does not answer at all.
 */
export async function findOutWhetherToPush(
  inputs: Pick<Inputs, "push" | "cacheRepository">,
  event: Event,
  registry: Registry,
): Promise<PushDecision> {
  if (inputs.push === "false") return { push: false, why: "the input push is false" };
  if (event.isFork) return { push: false, why: "this run is about a fork's code, which never causes a push" };
  const repository = formatRepository(inputs.cacheRepository);
  const answer = await registry.acceptsPush(inputs.cacheRepository);
  if (answer.kind === "found") return { push: true };
  if (answer.kind === "denied" && inputs.push === "auto")
    return { push: false, why: `${repository} does not take a push from this login (${answer.words})` };
  throw new ActionError("E_PUSH", {
    what: `The image has to be built, and ${repository} would not take it: ${answer.words} (${answer.request}).`,
    fix:
      answer.fix ?? "Give the login the right to push (on GitHub: permissions: packages: write), or set push to false.",
    cause: answer,
  });
}
