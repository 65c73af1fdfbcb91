import { isSecretOption } from "../envbuilder/options.ts";
import { asActionError } from "../errors.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Difference } from "../key/difference.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatPinned, formatRepository, type Pinned } from "../oci/reference.ts";
import { cannotTell } from "../probe/decide.ts";
import { doubtReason } from "../probe/reasons.ts";
import { NOTHING_FOUND, type Report } from "../report/report.ts";
import { filesWithin, openEffort } from "../sources/effort.ts";
import { knownSecrets, maskKnown, openSecrets } from "../sources/known-secrets.ts";
import { findSource, openSource } from "../sources/open-source.ts";
import { openCheckout } from "../sources/workspace.ts";
import type { World } from "../world.ts";
import { carryOut, describeVerdict, type Outcome, type Stage } from "./act.ts";
import { readDefinition } from "./definition.ts";
import { handOverEnvironment } from "./handover.ts";
import { openBuilder } from "./images.ts";
import { refuseLeaking } from "./leaks.ts";
import { type Built, probeCachedImage } from "./probe.ts";
import { draftQuestion } from "./question.ts";
import { inDoubt, type Verdict } from "./verdict.ts";
import { openLookAtBlobs, verifyServed } from "./whole.ts";

/** A probe that hangs must not eat the job; the builder image may be a hundred megabytes long. Milliseconds. */
const PROBE_TIME = 300_000;

/**
 * The story in envbuilder's way: which image would it have pushed for this commit, and is it in the cache repository.
 * @returns what was found out and done; a failure after the probe is part of it, so that the outputs say all that is known.
 * @throws ActionError for what is wrong before the probe: inputs, files, configuration.
 */
export async function findCachedImage(inputs: Inputs, outside: World): Promise<Report> {
  const { envbuilder } = inputs;
  if (!envbuilder) throw new Error("the dialect is not envbuilder");
  const { log, clock, files } = outside;
  const started = clock();
  for (const warning of envbuilder.environment.warnings) log.warning(warning);
  for (const [name, value] of envbuilder.environment.variables) if (isSecretOption(name)) log.mask(value);
  // A build shows one of them alone.
  for (const secret of envbuilder.environment.options.ENVBUILDER_BUILD_SECRETS ?? [])
    log.mask(secret.slice(secret.indexOf("=") + 1));
  await maskKnown(inputs, outside);
  const secrets = await knownSecrets({ inputs, workspace: outside.host.workspace }, outside);
  const told = (await lookBack(inputs, outside)) ?? (await lookAnew(inputs, envbuilder, outside));
  const holdsSecret = openSecrets(secrets.map(({ value }) => value));
  const handover = await handOverEnvironment(envbuilder, holdsSecret, files);
  return makeReport(inputs, envbuilder, { ...told, handover, seconds: Math.round(clock() - started) / 1000 });
}

/** What was looked for, what came of it, and what the look has cost. */
type Found = {
  readonly verdict: Verdict;
  readonly outcome: Outcome;
  readonly spent: NonNullable<Report["probe"]>;
};

/** An image that was found earlier is asked for by its digest: nothing is cloned and nothing read while it is there. */
async function lookBack(inputs: Inputs, { log, clock, registry }: World): Promise<Found | undefined> {
  const { previousImage, onUnknown } = inputs;
  if (!previousImage) return undefined;
  const { look, spent } = await log.group("Is the previous image still there?", () =>
    within(registry, clock, async () => ({ look: await lookAtPrevious(previousImage, inputs, registry) })),
  );
  const { verdict, isServed } = look;
  const { digest } = previousImage;
  if (verdict.kind === "hit") {
    log.info(`Hit: ${formatPinned(previousImage)}`);
    return { verdict, outcome: { result: "hit", digest }, spent };
  }
  if (verdict.kind === "miss" || onUnknown === "build") {
    const why = verdict.kind === "miss" ? verdict.why : cannotTell(verdict.doubt).message;
    log.info(`The previous image does not count: ${why}. This commit's image is looked for.`);
    return undefined;
  }
  const failure = onUnknown === "fail" ? { failure: cannotTell(verdict.doubt) } : {};
  // A digest is an output only after the registry has served it: then the doubt is about a part, and the earlier answer is kept.
  return { verdict, outcome: { result: "unknown", ...(isServed ? { digest } : {}), ...failure }, spent };
}

async function lookAtPrevious(image: Pinned, { cacheRepository, verify }: Inputs, registry: World["registry"]) {
  const served = await registry.manifest(image);
  if (served.kind === "found") {
    const verdict = await verifyServed(served.value, verify, openLookAtBlobs(cacheRepository, registry));
    return { verdict, isServed: true };
  }
  const gone = { kind: "miss", why: "it is gone from the registry", key: image.digest } as const;
  return { verdict: served.kind === "absent" ? gone : inDoubt("the previous image", served), isServed: false };
}

/** All look-ups together have one limit of time. */
async function within<T extends object>(
  registry: World["registry"],
  clock: World["clock"],
  work: () => Promise<T>,
): Promise<T & Pick<Found, "spent">> {
  registry.limitTime(PROBE_TIME);
  const before = clock();
  const done = await work();
  const spent = { seconds: Math.round(clock() - before) / 1000, traffic: registry.traffic() };
  registry.limitTime(undefined);
  return { ...done, spent };
}

async function lookAnew(inputs: Inputs, envbuilder: EnvbuilderInputs, outside: World): Promise<Found> {
  const { cacheRepository, verify } = inputs;
  const world = await openSource(await findSource(inputs, outside), outside);
  const { log, clock, registry, files } = world;
  // Three look-ups begin together: of what was pushed last, of the base and of the builder. The handshakes go on while the files are read.
  registry.connect(cacheRepository, 2);
  registry.connect(envbuilder.builderImage.reference, 1);
  const scene = await log.group("Which image would envbuilder push for this commit?", async () => {
    const { folder } = await openCheckout({ workspaceFolder: undefined, fallbackImage: inputs.fallbackImage }, world);
    const { options } = envbuilder.environment;
    const bounded = filesWithin(files, openEffort(clock).effort, folder);
    const definition = await readDefinition({ checkout: folder, options, files: bounded });
    await refuseLeaking(definition, inputs, world);
    const draft = await draftQuestion(definition, envbuilder, inputs.allowedImages);
    for (const line of describe(definition.file, envbuilder)) log.info(line);
    for (const { what, at } of "doubt" in draft ? [] : draft.losses) log.warning(what, at);
    return { draft, checkout: folder };
  });
  const builder = openBuilder(envbuilder, registry);
  const probe = (built?: Built): Promise<Verdict> =>
    probeCachedImage({ ...scene, builder, inputs: envbuilder, repository: cacheRepository, verify, built }, world);
  const { verdict, spent } = await log.group(`Is it in ${formatRepository(cacheRepository)}?`, async () => {
    const found = await within(registry, clock, async () => ({ verdict: await probe() }));
    log.info(describeVerdict(found.verdict, inputs));
    return found;
  });
  const stage: Stage = { ...scene, builder, inputs, envbuilder, probeBuilt: (digest) => probe({ digest }), world };
  const outcome = await carryOut(verdict, stage).catch(
    (error): Outcome => ({ result: "failed", failure: asActionError(error) }),
  );
  return { verdict, outcome, spent };
}

function describe(file: string, { builderImage, platform }: EnvbuilderInputs): readonly string[] {
  return [file, `builder image: ${builderImage.written}`, `platform: ${formatPlatform(platform)}`];
}

type Told = Found & { readonly handover: Report["handover"]; readonly seconds: number };

/** Whoever goes on without the image is given the builder image, which builds it by itself. */
function makeReport(inputs: Inputs, { builderImage, platform }: EnvbuilderInputs, told: Told): Report {
  const { verdict, outcome, handover, spent, seconds } = told;
  const { digest, failure } = outcome;
  const image = digest === undefined ? builderImage.written : formatPinned({ ...inputs.cacheRepository, digest });
  const isHandedOver = digest !== undefined || failure === undefined;
  const { why, at, because = [] } = verdict.kind === "miss" ? verdict : {};
  const own: Difference | undefined =
    why === undefined ? undefined : { part: "yours", ingredient: "dockerfile", text: why, ...(at ? { at } : {}) };
  return {
    ...NOTHING_FOUND,
    seconds,
    failure,
    result: outcome.result,
    ...(verdict.kind === "unknown" ? { verdict } : {}),
    repository: inputs.cacheRepository,
    ...(isHandedOver ? { image } : {}),
    digest,
    pushed: outcome.pushed ?? false,
    platforms: digest === undefined ? [] : [{ platform, digest, how: outcome.result === "built" ? "built" : "found" }],
    missing: digest === undefined ? [platform] : [],
    reasons: own ? [own, ...because] : verdict.kind === "unknown" ? [doubtReason(verdict.doubt)] : [],
    handover,
    probe: spent,
    isFallback: digest === undefined && failure === undefined,
  };
}
