import { ActionError } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { formatRepository } from "../oci/reference.ts";
import { adviseOn } from "../probe/advice.ts";
import type { Event, Host, World } from "../world.ts";
import type { AskedTags } from "./release.ts";

/** `isRefused`: this run might have pushed, and the registry did not take it. `fix` is what to do for an image that others can pull. */
export type NotPushed = { readonly why: string; readonly isRefused: boolean; readonly fix: string };

/** Whether what is built goes to the cache repository, and if not, why. */
export type PushDecision = { readonly push: true } | ({ readonly push: false } & NotPushed);

/** Why this run pushes nothing, whatever the registry would say; nothing where it may. */
export function whyNeverPushed({ push }: Pick<Inputs, "push">, event: Event): string | undefined {
  if (push === "false") return "the input push is false";
  if (!event.isFork) return undefined;
  return `this run counts as a fork's, which never causes a push${event.whyFork === undefined ? "" : `: ${event.whyFork}`}`;
}

/**
 * Finds out whether this run may push, before a long build and not after it. Nothing is asked where the answer is known.
 * @param asked tags that the user wants on the image: without a push they cannot be had.
 * @throws ActionError E_PUSH when the registry refuses what `push: true` or a tag demands, or does not answer at all.
 */
export async function findOutWhetherToPush(
  inputs: Pick<Inputs, "push" | "cacheRepository">,
  asked: AskedTags,
  { host, registry }: Pick<World, "host" | "registry">,
): Promise<PushDecision> {
  const why = whyNeverPushed(inputs, host.event);
  if (why !== undefined) return { push: false, why, isRefused: false, fix: PUSH_ELSEWHERE };
  const repository = formatRepository(inputs.cacheRepository);
  const answer = await registry.acceptsPush(inputs.cacheRepository);
  if (answer.kind === "found") return { push: true };
  const isDemanded = inputs.push === "true" || asked.tags.length > 0 || asked.release !== undefined;
  if (answer.kind === "denied" && !isDemanded)
    return {
      push: false,
      why: `${repository} does not take a push from this login (${answer.words})`,
      isRefused: true,
      fix: adviseToPush(host),
    };
  throw new ActionError("E_PUSH", {
    what: `The image has to be pushed, and ${repository} would not take it: ${answer.words} (${answer.request}).`,
    fix: adviseOn(answer, `${adviseToPush(host)} Or set push to false.`),
    cause: answer,
  });
}

const PUSH_ELSEWHERE =
  "Nothing, if this was meant as a check: a push to a branch of the repository itself makes the image for everybody.";

/** What gives a job the right to push, as far as the host's own registry is concerned. */
function adviseToPush({ capabilities }: Pick<Host, "capabilities">): string {
  return capabilities.jobTokenLogsIn
    ? "Give the login the right to push; on GitHub's own registry that is permissions: packages: write for the job."
    : "Give the login the right to push; the job's own token has none here: registry-password has to be a personal access token with the scope write:package, of somebody who may write packages of the repository's owner.";
}
