import { ActionError, asActionError } from "../errors.ts";
import { setTag } from "../key/fingerprint.ts";
import type { Served } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatPinned } from "../oci/reference.ts";
import { refuseToBuild } from "../plan/leaks.ts";
import { recordOf } from "../probe/built.ts";
import { cannotTell, type Decision } from "../probe/decide.ts";
import type { Found } from "../probe/found.ts";
import type { Verdict } from "../probe/verdict.ts";
import { moveAlias } from "./alias.ts";
import { foundSoFar, type Outcome, type Scene } from "./outcome.ts";
import { findOutWhetherToPush, type PushDecision, whyNeverPushed } from "./push.ts";
import { type Retagged, retag } from "./retag.ts";

/**
 * Carries a decision out, then puts the image under the tags that were asked for. What goes wrong on the way is the
 * outcome, so that the outputs still say what was found out.
 */
export async function carryOut(decision: Decision, scene: Scene): Promise<Outcome> {
  const outcome = await act(decision, scene).catch(
    (error): Outcome => ({ result: "failed", ...foundSoFar(scene), failure: asActionError(error) }),
  );
  if (outcome.failure) return outcome;
  try {
    return await tagAsAsked(outcome, scene);
  } catch (error) {
    return { ...outcome, result: "failed", failure: asActionError(error) };
  }
}

async function act(decision: Decision, scene: Scene): Promise<Outcome> {
  switch (decision.kind) {
    case "hand-out":
      return handOut(decision, scene);
    case "join":
      return join(decision.found, scene);
    case "build":
      return relabelOrMake(decision, scene);
    case "report":
      return report(decision, scene);
  }
}

/** Where nothing but the label is new, it is set on what is there; whatever speaks against that, and whatever goes wrong before a tag is put, is built. */
async function relabelOrMake(decision: Extract<Decision, { kind: "build" }>, scene: Scene): Promise<Outcome> {
  const { inputs, sources, beginning, probed, world } = scene;
  const { alike } = decision;
  refuseToBuild(sources.leaks, { pushes: whyNeverPushed(inputs, world.host.event) === undefined });
  const { make } = await import("./make.ts");
  if (!alike || !probed.plan || !(await beginning.push()).push) return make(decision, scene);
  // Only who needs it waits until this is loaded.
  const { relabel } = await import("./relabel.ts");
  return (await relabel({ ...decision, alike }, probed.plan, scene)) ?? make(decision, scene);
}

/** Whoever goes on without this commit's image is given the one that stands in for it. */
function report({ result, failure }: Extract<Decision, { kind: "report" }>, scene: Scene): Outcome {
  const found = foundSoFar(scene);
  if (failure) return { result, ...found, failure };
  const { fallbackImage: image } = scene.inputs;
  return { result, ...found, ...(image === undefined ? {} : { image, isFallback: true }) };
}

async function handOut({ result, verdict }: Extract<Decision, { kind: "hand-out" }>, scene: Scene): Promise<Outcome> {
  const { inputs, alias, world } = scene;
  const isTagged = verdict.kind === "hit" && verdict.lacksTag ? await putTagBack(verdict.index, scene) : false;
  if (result === "hit" && alias) await moveAlias(alias, inputs.cacheRepository, verdict.index, world);
  if (verdict.kind === "stale") world.log.warning(describeStale(verdict));
  const { seconds } = recordOf(verdict.index);
  return {
    result,
    image: formatPinned(verdict.image),
    digest: verdict.image.digest,
    index: verdict.index,
    found: verdict.found,
    ...(isTagged ? { pushed: true } : {}),
    ...(seconds === undefined ? {} : { saved: seconds }),
  };
}

/** A set whose own tag a clean-up took away is found sooner with it, and all the same without: who may not push leaves it so. */
async function putTagBack(index: Served, { inputs, probed: { plan }, world }: Scene): Promise<boolean> {
  if (!plan || whyNeverPushed(inputs, world.host.event) !== undefined) return false;
  const { mediaType } = index.descriptor;
  const tag = setTag(plan.key);
  const answer = await world.registry.putManifest(inputs.cacheRepository, index.bytes, mediaType, tag);
  const what = answer.kind === "found" ? "names it again" : `does not name it, and could not be put: ${answer.words}`;
  world.log.info(`It was found as the newest of its sources: its own tag ${tag} ${what}.`);
  return answer.kind === "found";
}

function describeStale({ doubt }: Extract<Verdict, { kind: "stale" }>): string {
  const why = doubt ? cannotTell(doubt).message : "what it is built on has moved since.";
  return `The last good image of the same sources is handed out: ${why}`;
}

/** All platforms are there, one small manifest is not: who may push adds it, who may not gets the runner's own platform. */
async function join(found: readonly Found[], scene: Scene): Promise<Outcome> {
  const { inputs, world, probed } = scene;
  if (!probed.plan) throw new Error("a set without a plan cannot be joined");
  const decision = await mayJoin(scene);
  if (decision.push) {
    const { publishJoined } = await import("./complete-set.ts");
    const { image, served, ...set } = await publishJoined(scene, probed.plan, found);
    return { result: "hit", image: formatPinned(image), digest: image.digest, index: served, pushed: true, ...set };
  }
  world.log.info(`The platforms are not joined to one index: ${decision.why}.`);
  const own = found.find(({ platform }) => formatPlatform(platform) === world.host.platform) ?? found[0];
  if (!own) return { result: "hit", found };
  const { digest } = own.index.descriptor;
  return { result: "hit", image: formatPinned({ ...inputs.cacheRepository, digest }), digest, found };
}

/** A hit does not fail because the registry takes no push, unless a release was asked for. */
async function mayJoin({ inputs, tags, world }: Scene): Promise<PushDecision> {
  const push = inputs.push === "true" ? "auto" : inputs.push;
  return findOutWhetherToPush({ ...inputs, push }, { ...tags, tags: [] }, world);
}

/** Moves the tags that the user asked for; a release that cannot be made is an error, a tag that is not moved is told. */
async function tagAsAsked(outcome: Outcome, scene: Scene): Promise<Outcome> {
  const { inputs, tags: asked, world } = scene;
  const { tags, release } = asked;
  const all = [...tags, ...(release === undefined ? [] : [release])];
  if (all.length === 0) return outcome;
  const why = whyNeverPushed(inputs, world.host.event) ?? whyNotTagged(outcome);
  if (why === undefined && outcome.index) return tagOrMend(outcome, outcome.index, all, scene);
  if (release !== undefined)
    throw new ActionError("E_PUSH", {
      what: `${release} is not released: ${why}.`,
      fix: "Let a run release that builds what is missing: on-miss, on-drift and on-unknown at their defaults, or at build.",
    });
  world.log.info(`Not moved: ${all.join(", ")}: ${why}.`);
  return outcome;
}

/** No registry takes an index of which a clean-up has swept attestations away: the same images are then named by one without them. */
async function tagOrMend(outcome: Outcome, index: Served, tags: readonly string[], scene: Scene): Promise<Outcome> {
  const { inputs, world } = scene;
  const putAll = async (served: Served): Promise<Retagged["refused"]> => {
    const { lines, refused } = await retag(served, inputs.cacheRepository, tags, world.registry);
    for (const line of lines) world.log.info(line);
    return refused;
  };
  const refused = await putAll(index);
  if (refused.length === 0) return outcome;
  const { mendSwept } = await import("./complete-set.ts");
  const mended = await mendSwept({ index, found: outcome.found ?? [] }, scene);
  if (!mended) {
    tellRefused(refused, scene);
    return outcome;
  }
  const { image, served, found } = mended;
  world.log.info(`Attestations of the image are gone from the registry: it is ${formatPinned(image)} without them.`);
  tellRefused(await putAll(served), scene);
  return { ...outcome, image: formatPinned(image), digest: image.digest, index: served, found, pushed: true };
}

/** A tag is for whoever goes by names; this run's image is known by its digest. A release is what the run is for. */
function tellRefused(refused: Retagged["refused"], { tags, world }: Scene): void {
  const released = refused.find(({ tag }) => tag === tags.release);
  if (released) throw released.error;
  for (const { error } of refused) world.log.warning([error.message, error.fix].filter(Boolean).join(" "));
}

function whyNotTagged({ result, index }: Outcome): string | undefined {
  if (result === "stale") return "the image that is handed out is not what this commit would build now";
  if (result !== "hit" && result !== "built") return "there is no image of this commit";
  return index ? undefined : "there is no index of all platforms";
}
