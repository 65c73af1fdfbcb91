import { ActionError } from "../errors.ts";
import { readGitFailure } from "../git/failure.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { faultOfTag } from "../inputs/tag-inputs.ts";
import { gitFor, readCommit } from "../sources/commit.ts";
import type { Event, Finished, World } from "../world.ts";

/** The tags that this run is asked to put on the image, beside those of the design. */
export type AskedTags = { readonly tags: readonly string[]; readonly release: string | undefined };

/**
 * Finds out under which tags the image is asked for, before any other work.
 * @returns `release` is missing where nothing is to be released: not asked for, or `auto` and no git tag stands at HEAD.
 * @throws ActionError E_INPUT where what is released would not be what the commit says, or could not be pushed.
 */
export async function readAskedTags(
  { tags, release }: Pick<Inputs, "tags" | "release">,
  world: Pick<World, "exec" | "host" | "log">,
): Promise<AskedTags> {
  if (release === undefined) return { tags, release: undefined };
  const tag = release.kind === "named" ? release.tag : await tagAtHead(world);
  if (tag === undefined) {
    if (await lacksTags(world)) world.log.warning(NO_TAGS(world.host.clone !== undefined));
    else world.log.info("Nothing is released: release is auto, and no git tag stands at HEAD.");
    return { tags, release: undefined };
  }
  if (world.host.event.isFork) throw forkReleases(tag, world.host.event);
  await refuseDirtyTree(tag, world);
  return { tags: tags.filter((other) => other !== tag), release: tag };
}

/** The tag that the run is about, where the host or the clone tells it: a shallow checkout of a branch has no tags. */
function tagOfEvent({ host }: Pick<World, "host">): string | undefined {
  const ref = host.clone ? host.clone.ref : host.env.GITHUB_REF;
  return /^refs\/tags\/(.+)$/.exec(ref ?? "")?.[1];
}

/** A shallow checkout without any tag: most were made without asking for tags, which looks as if none stood at HEAD. */
async function lacksTags(world: Pick<World, "exec" | "host">): Promise<boolean> {
  const git = (...args: readonly string[]): Promise<Finished | undefined> =>
    world.exec("git", [...gitFor(world.host), ...args], { timeout: 10_000 });
  const [shallow, tags] = await Promise.all([
    git("rev-parse", "--is-shallow-repository"),
    git("for-each-ref", "--count=1", "refs/tags"),
  ]);
  return shallow?.stdout.trim() === "true" && tags?.code === 0 && tags.stdout.trim() === "";
}

const NO_TAGS = (isClone: boolean): string =>
  `Nothing is released: release is auto, and no tags were fetched, so that none can stand at HEAD. ${
    isClone
      ? "git-clone-depth: 0 fetches them, or name the tag in git-ref"
      : "fetch-tags: true of actions/checkout (or fetch-depth: 0) fetches them; a run for a pushed tag needs none"
  }`;

async function tagAtHead(world: Pick<World, "exec" | "host">): Promise<string | undefined> {
  const told = tagOfEvent(world);
  const finished = await world.exec("git", [...gitFor(world.host), "tag", "--points-at", "HEAD"], {
    timeout: 10_000,
  });
  if (told === undefined && finished?.code !== 0) throw cannotDecide(finished);
  const tags = finished?.code === 0 ? finished.stdout.split("\n").filter((line) => line !== "") : [];
  const tag = told ?? tags[0];
  if (tag === undefined) return undefined;
  if (told === undefined && tags.length > 1)
    throw new ActionError("E_INPUT", {
      what: `The input release is auto, and several git tags stand at HEAD: ${tags.join(", ")}.`,
      fix: "Name the one to release under.",
    });
  const fault = faultOfTag(tag);
  if (fault === undefined) return tag;
  throw new ActionError("E_INPUT", {
    what: `The input release is auto, and the git tag at HEAD, ${tag}, cannot be an image's: ${fault}.`,
    fix: "Name another tag to release under.",
  });
}

const IN_ORDER =
  "Put git and the checkout in order (actions/checkout; git config --global --add safe.directory '*' where it speaks of dubious ownership)";

/** A release that was asked for and is silently none would be noticed by nobody: git refuses a checkout of another user, as in job containers. */
function cannotDecide(finished: Finished | undefined): ActionError {
  return new ActionError("E_INPUT", {
    what: `The input release is auto, and git does not tell which tag stands at HEAD: ${whyNot(finished)}.`,
    fix: `${IN_ORDER}, name the tag, or leave release out.`,
  });
}

/** Git's reason is its first own line: what stands below is advice. */
function whyNot(finished: Finished | undefined): string {
  return finished === undefined ? "there is no git on this machine" : readGitFailure(finished.stderr).words;
}

function forkReleases(tag: string, { whyFork }: Event): ActionError {
  return new ActionError("E_INPUT", {
    what: `${tag} would be released, and this run counts as a fork's, which never causes a push${whyFork === undefined ? "" : `: ${whyFork}`}.`,
    fix: "Leave release out for pull requests.",
  });
}

/** A release says which commit it is of: so nothing may differ from the commit, and there has to be one. */
async function refuseDirtyTree(tag: string, world: Pick<World, "exec" | "host">): Promise<void> {
  const { revision, isDirty } = await readCommit(world, false);
  if (revision === undefined) {
    const asked = await world.exec("git", [...gitFor(world.host), "rev-parse", "--verify", "HEAD"], {
      timeout: 10_000,
    });
    throw new ActionError("E_INPUT", {
      what: `${tag} would be released, and git does not tell which commit ${world.host.workspace} holds: ${whyNot(asked)}.`,
      fix: `${IN_ORDER}, or leave release out.`,
    });
  }
  if (!isDirty) return;
  throw new ActionError("E_INPUT", {
    what: `${tag} would be released, and files differ from the commit ${revision.slice(0, 12)} (git status lists them).`,
    fix: "Release from a clean checkout: put this step before those that write files, or list what they write in .gitignore.",
  });
}
