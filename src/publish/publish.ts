import { ActionError } from "../errors.ts";
import { branchTag, setTag, sourceTag } from "../key/fingerprint.ts";
import { type Document, planConfig, planManifest, setIndex, textDocument } from "../key/record.ts";
import { planStatement } from "../key/stored.ts";
import type { Descriptor, Served } from "../oci/manifest.ts";
import { IN_TOTO } from "../oci/media-types.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference, type Pinned, type Repository } from "../oci/reference.ts";
import type { Sources } from "../plan/plan.ts";
import { type PlanToStore, storePlan } from "../plan/stored-plan.ts";
import type { BuildRecord } from "../probe/built.ts";
import type { Found } from "../probe/found.ts";
import type { Answer, Registry } from "../world.ts";

/** A plan that lies in the cache repository, named by nothing yet. */
export type PushedPlan = PlanToStore & { readonly manifest: Descriptor };

/** The platforms of a complete set, what is known of the builds of those that another run has built, and the branch whose newest set this becomes. */
export type Publication = {
  readonly found: readonly Found[];
  readonly earlier: readonly BuildRecord[];
  readonly branch: string | undefined;
};

/**
 * Pushes a plan that speaks of these images. No tag names it, so it may be done before the images themselves are checked.
 * @returns the plan with the descriptor of its manifest, for the set's index.
 * @throws ActionError E_PUSH
 */
export async function pushPlan(
  plan: PlanToStore,
  images: readonly Pick<Found, "platform" | "manifest">[],
  registry: Registry,
): Promise<PushedPlan> {
  const { repository } = plan.sources.wanted;
  const subjects = images
    .map(({ platform, manifest }) => ({ name: formatPlatform(platform), digest: manifest }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const statement = textDocument(IN_TOTO, planStatement(storePlan(plan), subjects));
  const config = planConfig(statement.descriptor);
  const blobs = [statement, config].map(({ bytes, descriptor }) =>
    registry.putBlob(repository, bytes, descriptor.mediaType),
  );
  for (const answer of await Promise.all(blobs)) expectPushed(answer, "the plan");
  const manifest = planManifest(statement.descriptor, config.descriptor);
  await push(registry, repository, manifest, undefined);
  return { ...plan, manifest: manifest.descriptor };
}

/**
 * Joins the platforms to one index with the plan in it, pushes it under its tags, and reads it back.
 * @returns the index as the registry serves it.
 * @throws ActionError E_PUSH; nothing is tagged before everything that it names is there.
 */
export async function publishSet(
  pushed: PushedPlan,
  { found, earlier, branch }: Publication,
  registry: Registry,
): Promise<{ readonly image: Pinned; readonly served: Served }> {
  const { sources, plan, manifest } = pushed;
  const { repository } = sources.wanted;
  const index = setIndex(found, { manifest, own: sources.wanted.ownKey, ...describeBuilds(pushed, earlier) });
  const tag = setTag(plan.key);
  await push(registry, repository, index, tag);
  const [served] = await Promise.all([
    readBack(registry, { ...repository, tag }, index),
    push(registry, repository, index, sourceTag(sources.wanted.sourceKey)),
  ]);
  // Last: where the registry fails, the branch goes on naming what it named. The tag of the sources may have moved by then: everything that it
  // names has been checked, and whoever finds it looks again.
  if (branch !== undefined) await push(registry, repository, index, branchTag(branch, sources.configuration));
  return { image: { ...repository, digest: served.descriptor.digest }, served };
}

/** A set is as old as its oldest platform, and took as long as its slowest. */
function describeBuilds(
  { now, seconds }: PlanToStore,
  earlier: readonly BuildRecord[],
): { readonly built: string; readonly seconds: number } {
  return {
    built: new Date(Math.min(now, ...earlier.flatMap(({ at }) => at ?? []))).toISOString(),
    seconds: Math.max(0, ...Object.values(seconds), ...earlier.flatMap((one) => one.seconds ?? [])),
  };
}

async function push(
  registry: Registry,
  repository: Repository,
  { bytes, descriptor }: Document,
  tag: string | undefined,
): Promise<void> {
  expectPushed(
    await registry.putManifest(repository, bytes, descriptor.mediaType, tag),
    tag === undefined ? "the plan's manifest" : `the tag ${tag}`,
  );
}

function expectPushed(answer: Answer<Descriptor>, what: string): Descriptor {
  if (answer.kind === "found") return answer.value;
  throw new ActionError("E_PUSH", {
    what: `The image is built, and ${what} could not be pushed: ${answer.words} (${answer.request}).`,
    fix: answer.fix ?? "Run the job again: what was pushed already is found and not built twice.",
    cause: answer,
  });
}

async function readBack(
  registry: Registry,
  reference: Repository & { readonly tag: string },
  index: Document,
): Promise<Served> {
  const answer = await registry.manifest(reference);
  if (answer.kind === "found" && answer.value.descriptor.digest === index.descriptor.digest) return answer.value;
  const what = answer.kind === "found" ? `it serves ${answer.value.descriptor.digest} there` : answer.words;
  throw new ActionError("E_PUSH", {
    what: `${formatReference(reference)} was pushed, and the registry does not serve it: ${what}.`,
    fix: "Run the job again; if another job pushes the same image at the same time, one of them is enough.",
  });
}

/** What a branch's alias names: asked beside the probe, so that moving it after a hit costs no round trip of its own. */
export type Alias = { readonly tag: string; readonly answer: Promise<Answer<Descriptor>> };

export function lookAtAlias(sources: Sources, branch: string | undefined, registry: Registry): Alias | undefined {
  if (branch === undefined) return undefined;
  const tag = branchTag(branch, sources.configuration);
  return { tag, answer: registry.describe({ ...sources.wanted.repository, tag }) };
}

/**
 * Makes a hit the newest set of its branch, so that the next miss is compared with it. The alias only serves explanations: that it
 * cannot be moved, with a token that may only read, is no failure.
 */
export async function moveAlias(
  { tag, answer }: Alias,
  sources: Sources,
  served: Served,
  registry: Registry,
): Promise<void> {
  const there = await answer;
  if (there.kind === "found" && there.value.digest === served.descriptor.digest) return;
  await registry.putManifest(sources.wanted.repository, served.bytes, served.descriptor.mediaType, tag);
}
