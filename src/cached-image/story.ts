import { ActionError, asActionError } from "../errors.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Difference } from "../key/difference.ts";
import type { Served } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatPinned, formatRepository } from "../oci/reference.ts";
import { cannotTell } from "../probe/decide.ts";
import { findOutWhetherToPush, whyNeverPushed } from "../publish/push.ts";
import { NOTHING_FOUND, type Report } from "../report/report.ts";
import { knownSecrets } from "../sources/known-secrets.ts";
import { openSource } from "../sources/open-source.ts";
import { openCheckout } from "../sources/workspace.ts";
import type { World } from "../world.ts";
import { readDefinition } from "./definition.ts";
import { handOverEnvironment } from "./handover.ts";
import { materialise } from "./materialise.ts";
import { probeCachedImage } from "./probe.ts";
import { draftQuestion } from "./question.ts";
import type { Verdict } from "./verdict.ts";

/** A probe that hangs must not eat the job; the builder image may be a hundred megabytes long. Milliseconds. */
const PROBE_TIME = 300_000;

/**
 * The story in envbuilder's way: which image would it have pushed for this commit, and is it in the cache repository.
 * @returns what was found out and done; a failure after the probe is part of it, so that the outputs say all that is known.
 * @throws ActionError for what is wrong before the probe: inputs, files, configuration.
 */
export async function findCachedImage(inputs: Inputs, outside: World): Promise<Report> {
  const { envbuilder, cacheRepository } = inputs;
  if (!envbuilder) throw new Error("the dialect is not envbuilder");
  const world = await openSource(inputs, outside);
  const { log, clock, registry, files } = world;
  const started = clock();
  for (const warning of envbuilder.environment.warnings) log.warning(warning);
  const scene = await log.group("Which image would envbuilder push for this commit?", async () => {
    const { checkout, folder } = await openCheckout({ workspaceFolder: undefined }, world);
    const { options } = envbuilder.environment;
    const definition = await readDefinition({ checkout: folder, options, files });
    const draft = await draftQuestion(definition, envbuilder, inputs.allowedImages);
    for (const line of describe(definition.file, envbuilder)) log.info(line);
    const secrets = await knownSecrets({ inputs, workspace: checkout }, world);
    return { draft, checkout: folder, secrets };
  });
  const probe = (): Promise<Verdict> =>
    probeCachedImage({ ...scene, inputs: envbuilder, repository: cacheRepository, verify: inputs.verify }, world);
  const { verdict, spent } = await log.group(`Is it in ${formatRepository(cacheRepository)}?`, async () => {
    registry.limitTime(PROBE_TIME);
    const before = clock();
    const verdict = await probe();
    const spent = { seconds: Math.round(clock() - before) / 1000, traffic: registry.traffic() };
    registry.limitTime(undefined);
    log.info(describeVerdict(verdict, inputs));
    return { verdict, spent };
  });
  const outcome = await carryOut(verdict, inputs, envbuilder, world).catch(
    (error): Outcome => ({
      result: "failed",
      failure: asActionError(error),
    }),
  );
  const handover = await handOverEnvironment(envbuilder, scene.secrets, files);
  return makeReport(inputs, envbuilder, {
    verdict,
    outcome,
    handover,
    spent,
    seconds: Math.round(clock() - started) / 1000,
  });
}

function describe(file: string, { builderImage, platform }: EnvbuilderInputs): readonly string[] {
  return [file, `builder image: ${builderImage.written}`, `platform: ${formatPlatform(platform)}`];
}

function describeVerdict(verdict: Verdict, { cacheRepository }: Inputs): string {
  switch (verdict.kind) {
    case "hit":
      return `Hit: ${formatPinned({ ...cacheRepository, digest: verdict.served.descriptor.digest })}`;
    case "complete":
      return `Every layer is there; the image that they make, ${verdict.image.digest}, is not.`;
    case "miss":
      return `Miss: ${verdict.why} (key ${verdict.key}).`;
    case "unknown":
      return `Unknown: ${cannotTell(verdict.doubt).message}`;
  }
}

/** What came of the verdict. */
type Outcome = {
  readonly result: Report["result"];
  readonly served?: Served;
  readonly pushed?: boolean;
  readonly failure?: ActionError;
};

async function carryOut(
  verdict: Verdict,
  inputs: Inputs,
  envbuilder: EnvbuilderInputs,
  world: World,
): Promise<Outcome> {
  switch (verdict.kind) {
    case "hit":
      return { result: "hit", served: verdict.served };
    case "complete":
      return complete(verdict, inputs, envbuilder, world);
    case "miss":
      return missed(verdict.why, { at: verdict.at }, inputs);
    case "unknown":
      return inputs.onUnknown === "continue"
        ? { result: "unknown" }
        : { result: "unknown", failure: cannotTell(verdict.doubt) };
  }
}

/** The manifest is one small push away, where this run may push and the image is the very one that the builder would have pushed. */
async function complete(
  { image, bases, doubts }: Extract<Verdict, { kind: "complete" }>,
  inputs: Inputs,
  _: EnvbuilderInputs,
  world: World,
): Promise<Outcome> {
  const { log, host, registry } = world;
  const [first] = doubts;
  const why = first ? `${first.what} (line ${first.at.line})` : await whyNotPushed(inputs, world);
  if (why !== undefined) return missed(`its layers are all there and it is not: ${why}`, first ?? {}, inputs);
  const done = await log.group("Putting the image together", () =>
    materialise({ image, bases }, inputs.cacheRepository, registry),
  );
  if (done.kind === "not")
    return missed(`its layers are all there, and it cannot be put together: ${done.why}`, {}, inputs);
  log.info(
    `Pushed and read back, on ${host.name}: ${formatPinned({ ...inputs.cacheRepository, digest: done.served.descriptor.digest })}`,
  );
  return { result: "hit", served: done.served, pushed: true };
}

async function whyNotPushed(inputs: Inputs, world: World): Promise<string | undefined> {
  const never = whyNeverPushed(inputs, world.host.event);
  if (never !== undefined) return never;
  const push = inputs.push === "true" ? "auto" : inputs.push;
  const decision = await findOutWhetherToPush({ ...inputs, push }, { tags: [], release: undefined }, world);
  return decision.push ? undefined : decision.why;
}

function missed(why: string, { at }: { readonly at?: Difference["at"] }, inputs: Inputs): Outcome {
  if (inputs.onMiss === "continue") return { result: "miss" };
  return {
    result: "miss",
    failure: new ActionError("E_MISS", {
      what: `The image is not in ${formatRepository(inputs.cacheRepository)}: ${why}.`,
      fix: "Let a workspace of this commit build it with ENVBUILDER_PUSH_IMAGE=true, then run this again; or set on-miss to continue, and workspaces start with the builder image.",
      ...(at ? { at } : {}),
    }),
  };
}

type Told = {
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  readonly handover: Report["handover"];
  readonly spent: NonNullable<Report["probe"]>;
  readonly seconds: number;
};

/** Whoever goes on without the image is given the builder image, which builds it by itself. */
function makeReport(inputs: Inputs, { builderImage, platform }: EnvbuilderInputs, told: Told): Report {
  const { verdict, outcome, handover, spent, seconds } = told;
  const { served, failure } = outcome;
  const digest = served?.descriptor.digest;
  const image = digest === undefined ? builderImage.written : formatPinned({ ...inputs.cacheRepository, digest });
  const isHandedOver = digest !== undefined || failure === undefined;
  const reason: readonly Difference[] =
    verdict.kind === "miss" ? [{ part: "yours", ingredient: "dockerfile", text: verdict.why, at: verdict.at }] : [];
  return {
    ...NOTHING_FOUND,
    seconds,
    failure,
    result: outcome.result,
    repository: inputs.cacheRepository,
    ...(isHandedOver ? { image } : {}),
    digest,
    pushed: outcome.pushed ?? false,
    platforms: digest === undefined ? [] : [{ platform, digest, how: "found" }],
    missing: digest === undefined ? [platform] : [],
    reasons: reason,
    handover,
    probe: spent,
    isFallback: digest === undefined && failure === undefined,
  };
}
