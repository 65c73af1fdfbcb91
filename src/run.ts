import { type Handover, makeHandover, readLoadedConfig } from "./handover/handover.ts";
import { chooseRunners } from "./handover/matrix.ts";
import { chooseSbomFolder, handOverSboms } from "./handover/sboms.ts";
import type { Inputs } from "./inputs/inputs.ts";
import { sourceTag } from "./key/fingerprint.ts";
import { samePlatform } from "./oci/platform.ts";
import { formatRepository } from "./oci/reference.ts";
import { openFeaturePorts } from "./plan/feature-ports.ts";
import { readSources, type Sources } from "./plan/plan.ts";
import { type Aged, leaveOutOld } from "./probe/age.ts";
import { decide } from "./probe/decide.ts";
import { type Explanation, explainAgainstBranch, explainDrift } from "./probe/explain.ts";
import { type Probed, probe } from "./probe/probe.ts";
import { readFoundConfig } from "./probe/verify.ts";
import { carryOut } from "./publish/act.ts";
import type { Outcome } from "./publish/outcome.ts";
import { branchToMove, lookAtAlias, storePlan } from "./publish/publish.ts";
import { readAskedTags } from "./publish/release.ts";
import { describeExplanation, describePlan, describeSources, describeVerdict } from "./report/log.ts";
import type { Report } from "./report/report.ts";
import type { World } from "./world.ts";

/** A probe that hangs must not eat the job: past this many milliseconds the answer is `unknown`. */
const PROBE_TIME = 60_000;

/**
 * The story: which image would this commit's dev container be, is it in the cache repository, and if not, build it there.
 * @returns what was found out and done; a failure after the probe is part of it, so that the outputs say all that is known.
 * @throws ActionError for what is wrong before the probe: inputs, files, configuration.
 */
export async function run(inputs: Inputs, world: World): Promise<Report> {
  const started = world.clock();
  const folder = await chooseSbomFolder(inputs, world);
  const { sources, tags } = await world.log.group("Which image would this commit's dev container be?", async () => {
    if (inputs.load) await (await import("./handover/load.ts")).requireEngine(world);
    const tags = await readAskedTags(inputs, world);
    const read = await readSources(inputs, world);
    for (const secret of read.build.arguments.secretValues) world.log.mask(secret);
    for (const line of describeSources(read)) world.log.info(line);
    for (const { text, at } of read.warnings) world.log.warning(text, at);
    return { sources: read, tags };
  });
  const asked = world.clock();
  const ports = openFeaturePorts(world, inputs.allowedImages);
  const branch = inputs.push === "false" ? undefined : branchToMove(inputs.alias, world.host.event);
  const alias = lookAtAlias(sources, branch, world.registry);
  const { probed, explanation, spent } = await world.log.group(
    `Is it in ${formatRepository(inputs.cacheRepository)}?`,
    async () => {
      world.registry.limitTime(PROBE_TIME);
      const answer = await probe(sources.wanted, world.registry, ports);
      const limit = { days: inputs.cacheTtlDays, now: world.clock() };
      const probed = await leaveOutOld(answer, limit, sources.wanted, world.registry);
      for (const { text, at } of probed.warnings) world.log.warning(text, at);
      const spent = { seconds: secondsSince(asked, world), traffic: world.registry.traffic() };
      const explanation = await explain(inputs, sources, probed, world);
      for (const line of [
        ...describePlan(probed.plan),
        ...describeVerdict(probed.verdict),
        ...describeExplanation(probed.verdict, explanation),
      ])
        world.log.info(line);
      return { probed, explanation, spent };
    },
  );
  world.registry.limitTime(undefined);
  const decision = decide(probed.verdict, inputs, explanation.reasons);
  const outcome = await carryOut(decision, { inputs, sources, probed, alias, tags, ports, world });
  const handover = await handOver(outcome, sources, world);
  const sboms = await handOverSboms({ inputs, outcome, folder, previous: explanation.previous }, world);
  const planFile = await storePlanFile(sources, probed, world);
  return {
    ...tellRun(inputs, sources, probed, explanation, outcome),
    handover,
    sboms,
    planFile,
    probe: spent,
    seconds: secondsSince(started, world),
  };
}

function secondsSince(then: number, world: World): number {
  return Math.round(world.clock() - then) / 1000;
}

async function explain(
  { alias }: Inputs,
  sources: Sources,
  { plan, verdict, tooOld }: Aged,
  { registry, host }: World,
): Promise<Explanation> {
  if (!plan || verdict.kind === "hit" || verdict.kind === "joinable" || verdict.kind === "unknown")
    return { previous: undefined, reasons: [] };
  if (tooOld) return { previous: tooOld.previous, reasons: [tooOld.reason] };
  if (verdict.kind === "stale")
    return explainDrift(sources, plan, verdict.index, sourceTag(sources.wanted.sourceKey), registry);
  return explainAgainstBranch(sources, plan, host.event, registry, { isLeg: alias === "false" });
}

/** What later jobs need to run the image; that it cannot be read makes no failure of an image that is there. */
async function handOver(
  { image, digest, found, isFallback }: Outcome,
  { wanted }: Sources,
  world: World,
): Promise<Handover | undefined> {
  if (image === undefined || isFallback) return undefined;
  const own = found?.find(({ platform }) => samePlatform(platform, wanted.handOver));
  const config = own
    ? await readFoundConfig(own, wanted.repository, world.registry)
    : digest === undefined
      ? await readLoadedConfig(world.exec, image)
      : undefined;
  if (config) return makeHandover(config, world);
  world.log.warning("The image's config could not be read: the outputs container, env and metadata are empty.");
  return undefined;
}

/** The plan with private values hidden, for people and for later steps. */
async function storePlanFile(sources: Sources, { plan }: Probed, world: World): Promise<string | undefined> {
  if (!plan) return undefined;
  const folder = await world.files.temporaryFolder("plan", { keep: true });
  const stored = storePlan({ sources, plan, salt: world.salt(), now: world.clock(), seconds: {} });
  await world.files.write(`${folder}/plan.json`, `${JSON.stringify(stored, undefined, 2)}\n`);
  return `${folder}/plan.json`;
}

function tellRun(
  inputs: Inputs,
  sources: Sources,
  { plan, verdict }: Probed,
  { previous, reasons }: Explanation,
  outcome: Outcome,
): Omit<Report, "handover" | "sboms" | "planFile" | "probe" | "seconds"> {
  const builtHere = new Set(
    (outcome.built ?? []).filter(({ foundLate }) => !foundLate).map(({ platform }) => platform),
  );
  const found = (outcome.found ?? []).map(
    ({ platform, manifest }) =>
      ({ platform, digest: manifest, how: builtHere.has(platform) ? "built" : "found" }) as const,
  );
  const loaded = (outcome.built ?? [])
    .filter((one) => one.found === undefined)
    .map(({ platform }) => ({ platform, digest: undefined, how: "built" }) as const);
  const missing = outcome.missing ?? [];
  return {
    result: outcome.result,
    repository: inputs.cacheRepository,
    sourceKey: sources.wanted.sourceKey,
    plan,
    verdict,
    image: outcome.image,
    digest: outcome.digest,
    pushed: outcome.pushed ?? false,
    platforms: [...found, ...loaded],
    missing,
    runners: chooseRunners(inputs, { result: outcome.result, verdict, missing }),
    reasons,
    previous: previous?.tag,
    built: outcome.built ?? [],
    saved: outcome.saved,
    isFallback: outcome.isFallback ?? false,
    failure: outcome.failure,
  };
}
