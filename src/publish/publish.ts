import { type Look, lookForOther, type Named, putTag, type Settled, type Spot, settleTag } from "../build/claim.ts";
import { patiently } from "../build/patiently.ts";
import { ActionError } from "../errors.ts";
import { sourceTag } from "../key/fingerprint.ts";
import { attestationManifest, listedPlan, setIndex, textDocument } from "../key/record.ts";
import { planStatement } from "../key/stored.ts";
import { type Digest, shortDigest } from "../oci/digest.ts";
import type { Descriptor, Served } from "../oci/manifest.ts";
import { IN_TOTO, OCI_CONFIG } from "../oci/media-types.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatPinned, formatReference, type Pinned } from "../oci/reference.ts";
import { type PlanToStore, storePlan } from "../plan/stored-plan.ts";
import type { BuildRecord } from "../probe/built.ts";
import type { Found } from "../probe/found.ts";
import type { Answer, World } from "../world.ts";
import { openPointers } from "./pointers.ts";

type Site = Pick<World, "registry" | "clock" | "pause" | "log">;

/**
 * A plan that lies in the cache repository, named by nothing yet; `subjects` are the manifests of the images that it speaks of. `look` is what
 * the tag of its set, which stands at `spot`, named when only the reading back was left.
 */
export type PushedPlan = PlanToStore & {
  readonly manifest: Descriptor;
  readonly subjects: readonly Digest[];
  readonly spot: Spot;
  readonly look: Look;
};

/** What is known where a set is complete: its platforms, the builds of those that another run has built, and the aliases whose newest set this becomes. */
export type Publication = {
  readonly found: readonly Found[];
  readonly earlier: readonly BuildRecord[];
  readonly aliases: readonly string[];
};

/** The set that its tag names in the end: this run's, or that of a job that was faster. */
export type Published = { readonly image: Pinned; readonly served: Served; readonly found: readonly Found[] };

/**
 * Pushes a plan that speaks of these images, and reads it back. It may be told later: meanwhile the uploads are opened. No tag names it, so it may be done before the images themselves are checked.
 * Whether another job is faster is looked at last: as long as it takes from there to the set's own tag, that has to be waited for behind it.
 * @param ready when nothing but reading back is left of the images.
 * @returns the plan with the descriptor of its manifest, for the set's index.
 * @throws ActionError E_PUSH
 */
export async function pushPlan(
  said: PlanToPush | Promise<PlanToPush>,
  spot: Spot,
  world: Site,
  ready: Promise<unknown> = Promise.resolve(),
): Promise<PushedPlan> {
  const { registry } = world;
  const { tag: _, ...repository } = spot.reference;
  const writing = Promise.resolve(said).then(writePlan);
  writing.catch(() => undefined);
  const blobs = [
    registry.putBlob(
      repository,
      writing.then(({ statement }) => statement.bytes),
      IN_TOTO,
    ),
    registry.putBlob(
      repository,
      writing.then(({ config }) => config.bytes),
      OCI_CONFIG,
    ),
  ];
  for (const answer of await Promise.all(blobs)) expectPushed(answer, "the plan");
  const { plan, subjects, statement, config, manifest } = await writing;
  const { bytes, descriptor } = manifest;
  const asked = world.clock();
  let trip = 0;
  await Promise.all([
    ...[statement, config].map(async (blob) => {
      const served = await patiently(() => registry.hasBlob(repository, blob.descriptor), world);
      expectServed(served, `The plan, ${formatPinned({ ...repository, digest: blob.descriptor.digest })},`);
    }),
    registry.putManifest(repository, bytes, descriptor.mediaType, undefined).then((stored) => {
      trip = world.clock() - asked;
      expectPushed(stored, "the plan's manifest");
    }),
  ]);
  const reading = readBack("The plan", { ...repository, digest: descriptor.digest }, world);
  const looking = ready.then(() => lookForOther(spot, world, trip));
  const [look] = await Promise.all([looking, reading]);
  return { ...plan, manifest: descriptor, subjects: subjects.map(({ digest }) => digest), spot, look };
}

/** A plan, and the images that it is to speak of. */
export type PlanToPush = PlanToStore & { readonly images: readonly Pick<Found, "platform" | "manifest">[] };

function writePlan({ images, ...plan }: PlanToPush) {
  const subjects = images
    .map(({ platform, manifest }) => ({ name: formatPlatform(platform), digest: manifest }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const statement = textDocument(IN_TOTO, planStatement(storePlan(plan), subjects));
  return { plan, subjects, statement, ...attestationManifest([listedPlan(statement.descriptor)]) };
}

/**
 * Joins the platforms to one index with the plan in it, puts it under its tags, and reads it back by its digest. Of jobs that publish the
 * same set at the same time one counts, for all of them.
 * @returns the index as the registry serves it.
 * @throws ActionError E_PUSH; nothing is tagged before everything that it names is there.
 */
export async function publishSet(pushed: PushedPlan, publication: Publication, world: Site): Promise<Published> {
  const { found, earlier, aliases } = publication;
  const { sources, manifest, spot, look } = pushed;
  const { repository } = sources.wanted;
  const of = { own: pushed.plan.ownKey, key: pushed.plan.key, unlabelled: pushed.plan.unlabelledKey };
  const index = setIndex(found, { manifest, ...of, ...describeBuilds(pushed, earlier) });
  const other = await putTag(spot, index, look, world);
  const put = world.clock();
  const own: Named = other ?? {
    served: await readBack("The set", { ...repository, digest: index.descriptor.digest }, world),
    found,
  };
  // Neither beside a reading of it: docker-registry writes the digest's own record anew with every tag, and answers 500 to whoever reads that
  // meanwhile. The set's tag has to be waited for all the same; who was last there is seldom another one.
  const pointers = openPointers(repository, world);
  const names = [sourceTag(sources.wanted.sourceKey), ...aliases];
  const move = (to: Served): Promise<unknown> => Promise.all(names.map((tag) => pointers.move(tag, to)));
  await move(own.served);
  const { named, lag } = await settleTag(spot, own, { look: look.at, put }, world);
  if (named.served !== own.served) await move(named.served);
  tellNamed(spot, { named, lag, isOther: named.served !== own.served || other !== undefined }, world.log);
  pointers.tell();
  return { image: { ...repository, digest: named.served.descriptor.digest }, served: named.served, found: named.found };
}

function tellNamed(
  { reference }: Spot,
  { named, lag, isOther }: Settled & { readonly isOther: boolean },
  { info, warning }: World["log"],
): void {
  const digest = shortDigest(named.served.descriptor.digest);
  if (named.refused)
    warning(
      `${formatReference(reference)} could not be moved (${named.refused.words}), and what it names is sound: that is handed out, ${digest}…. To replace it, delete the tag, or let tags of this repository move.`,
    );
  else if (isOther) info(`Another job has pushed this image at the same time: its set is handed out, ${digest}….`);
  if (lag !== undefined)
    warning(
      `The image is pushed and was read back by its digest, and ${formatReference(reference)} does not name it yet: ${lag}. Use the digest that the outputs name; a job that looks for the tag meanwhile would build once more.`,
    );
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

function expectPushed(answer: Answer<Descriptor>, what: string): void {
  if (answer.kind === "found") return;
  throw new ActionError("E_PUSH", {
    what: `The image is built, and ${what} could not be pushed: ${answer.words} (${answer.request}).`,
    fix: answer.fix ?? "Run the job again: what was pushed already is found and not built twice.",
    cause: answer,
  });
}

/** By its digest: what a tag names may lag, and may be another job's by now. */
async function readBack(what: string, image: Pinned, world: Site): Promise<Served> {
  return expectServed(await patiently(() => world.registry.manifest(image), world), `${what}, ${formatPinned(image)},`);
}

function expectServed<T>(answer: Answer<T>, what: string): T {
  if (answer.kind === "found") return answer.value;
  throw new ActionError("E_PUSH", {
    what: `${what} was pushed, and the registry does not serve it: ${answer.words} (${answer.request}).`,
    fix: answer.fix ?? "Run the job again; if it stays so, ask whoever runs the registry.",
    cause: answer,
  });
}
