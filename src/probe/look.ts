import type { Warning } from "../errors.ts";
import type { FeaturePorts } from "../features/found.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { sourceTag } from "../key/fingerprint.ts";
import type { Plan } from "../plan/keyed.ts";
import { firstWarnings, type Sources } from "../plan/plan.ts";
import type { Triggers } from "../sources/build-source.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { Traffic, World } from "../world.ts";
import { type Aged, leaveOutOld } from "./age.ts";
import { type BaseConfigs, readBases } from "./bases.ts";
import { probe } from "./probe.ts";
import { type Explanation, withVerdict } from "./reasons.ts";
import type { Verdict } from "./verdict.ts";

/** A probe that hangs must not eat the job: past this many milliseconds the answer is `unknown`. */
export const PROBE_TIME = 60_000;

/** What was found out before anything is done. */
export type Look = {
  /** What was looked for: with what ONBUILD triggers take from the context, where no image was found without that. */
  readonly sources: Sources;
  readonly probed: Aged;
  readonly explanation: Explanation;
  /** Of the images that stages are built on, where there was reason to read them. */
  readonly bases: BaseConfigs;
  /** Until the verdict stood; the explanation is not in it. */
  readonly spent: { readonly seconds: number; readonly traffic: Traffic };
};

type Question = {
  readonly inputs: Inputs;
  readonly sources: Sources;
  readonly ports: FeaturePorts;
  /** Reads the sources anew, with what these triggers take from the context. */
  readonly readWith: (triggers: Triggers) => Promise<Sources>;
  /** Hears the first verdict, which the bases' triggers may still change, before its reasons are looked for. */
  readonly onVerdict: (verdict: Verdict) => void;
  /** Hears the verdict as soon as no trigger changes it any more, before or beside its reasons. */
  readonly onSettled: (verdict: Verdict) => void;
};

/** Probes the cache repository, leaves out what is too old, and on a miss finds the reasons. All of it has one limit of time. */
export async function lookForImage(question: Question, world: World): Promise<Look> {
  const { registry, log } = world;
  registry.limitTime(PROBE_TIME);
  const look = await lookTwice(question, world);
  const told = new Set(question.sources.warnings.map(({ text }) => text));
  const more = look.sources.warnings.filter(({ text }) => !told.has(text));
  const idle = idleArguments(look.sources, look.probed);
  for (const { text, at } of [...more, ...look.probed.warnings, ...idle]) log.warning(text, at);
  registry.limitTime(undefined);
  return { ...look, explanation: withVerdict(look.probed.verdict, look.explanation) };
}

/** Build args that nothing declares: whether a base does, only its config has told. */
export function idleArguments({ build }: Sources, { plan }: Aged): readonly Warning[] {
  const counts = (name: string): boolean =>
    plan?.platforms.some(({ plan: { yours } }) => Object.hasOwn(yours.arguments, name)) ?? false;
  const idle = [...build.arguments.idle].filter(([name]) => !counts(name)).map(([, warning]) => warning);
  const unless = ", unless a base image declares it with ONBUILD, which could not be read";
  return firstWarnings(plan ? idle : idle.map((one) => ({ ...one, text: one.text + unless })));
}

/**
 * Whether a base has ONBUILD triggers only its config says, which a hit need not read: no image stands under a key that does not know
 * what they take. Without a hit the config is read, beside the explanation, and where there are such triggers it is looked for again, by
 * the key that knows it.
 */
async function lookTwice(question: Question, world: World): Promise<Look> {
  const first = await lookOnce(question, world);
  const { sources, probed } = first;
  const { plan, verdict } = probed;
  question.onVerdict(verdict);
  if (!plan || verdict.kind === "hit" || verdict.kind === "joinable") {
    question.onSettled(verdict);
    return { ...first, ...(await first.explain()) };
  }
  const reading = async () => {
    const bases = await readBases(sources, plan.bindings, world.registry);
    if (bases.kind === "read" && bases.triggers.size === 0) question.onSettled(verdict);
    return bases;
  };
  const [explained, bases, unsteady] = await Promise.all([first.explain(), reading(), lookAgainAt(plan, world)]);
  if (unsteady) return { ...first, probed: withoutKey(probed, unsteady), ...explained };
  if (bases.kind !== "read")
    return { ...first, probed: { ...probed, verdict: unlessSure(verdict, bases) }, ...explained };
  const { configs, triggers } = bases;
  if (triggers.size === 0) return { ...first, ...explained, bases: configs };
  const second = await lookOnce({ ...question, sources: await question.readWith(triggers) }, world);
  question.onSettled(second.probed.verdict);
  return { ...(await withSteadyAddresses(second, world)), bases: configs };
}

async function withSteadyAddresses(once: Once, world: World): Promise<Look> {
  const { probed } = once;
  const isHit = probed.verdict.kind === "hit" || probed.verdict.kind === "joinable";
  const looking = isHit || !probed.plan ? undefined : lookAgainAt(probed.plan, world);
  const [explained, unsteady] = await Promise.all([once.explain(), looking]);
  return { ...once, ...explained, ...(unsteady ? { probed: withoutKey(probed, unsteady) } : {}) };
}

async function lookAgainAt({ addresses }: Plan, { registry }: World): Promise<Doubt | undefined> {
  if (addresses.length === 0) return undefined;
  return (await import("../plan/address-doubts.ts")).findUnsteady(addresses, registry);
}

/** What has no key is never pushed. */
function withoutKey(probed: Aged, doubt: Doubt): Aged {
  return { ...probed, plan: undefined, verdict: unlessSure(probed.verdict, doubt) };
}

/**
 * What is built cannot be told; the last good image of the same sources is one all the same. An earlier doubt stays the one that is told:
 * where a registry has used up the time, nobody else is asked any more.
 */
function unlessSure(verdict: Verdict, doubt: Doubt): Verdict {
  if (verdict.kind === "unknown") return verdict;
  return verdict.kind === "stale" ? { ...verdict, doubt: verdict.doubt ?? doubt } : { kind: "unknown", doubt };
}

type Once = Omit<Look, "explanation"> & { readonly explain: () => Promise<Pick<Look, "explanation">> };

async function lookOnce({ inputs, sources, ports }: Question, world: World): Promise<Once> {
  const { registry, clock } = world;
  const started = clock();
  const answer = await probe(sources.wanted, registry, ports);
  const limit = { days: inputs.cacheTtlDays, now: clock() };
  const probed = await leaveOutOld(answer, limit, sources.wanted, registry);
  const spent = { seconds: Math.round(clock() - started) / 1000, traffic: registry.traffic() };
  const explain = async () => ({ explanation: await explainVerdict(inputs, sources, probed, world) });
  return { sources, probed, bases: new Map(), spent, explain };
}

async function explainVerdict(
  { alias }: Inputs,
  sources: Sources,
  { plan, verdict, tooOld }: Aged,
  { registry }: World,
): Promise<Explanation> {
  if (!plan || verdict.kind === "hit" || verdict.kind === "joinable" || verdict.kind === "unknown")
    return { previous: undefined, reasons: [] };
  // A hit has nothing to explain.
  const { explainAgainstBranch, explainDrift } = await import("./explain.ts");
  if (tooOld) {
    const { previous, reason, isAlike } = tooOld;
    const more = isAlike ? await explainDrift(sources, plan, previous.index, previous.tag, registry) : undefined;
    return { previous, reasons: [reason, ...(more?.reasons ?? [])] };
  }
  if (verdict.kind === "stale")
    return explainDrift(sources, plan, verdict.index, sourceTag(sources.wanted.sourceKey), registry);
  return explainAgainstBranch(sources, plan, registry, { isLeg: alias === "false" });
}
