import type { FeaturePorts } from "../features/found.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { sourceTag } from "../key/fingerprint.ts";
import type { Sources } from "../plan/plan.ts";
import type { Traffic, World } from "../world.ts";
import { type Aged, leaveOutOld } from "./age.ts";
import type { Dialect } from "./dialect.ts";
import { type Explanation, explainAgainstBranch, explainDrift } from "./explain.ts";

/** A probe that hangs must not eat the job: past this many milliseconds the answer is `unknown`. */
const PROBE_TIME = 60_000;

/** What was found out before anything is done. */
export type Look = {
  readonly probed: Aged;
  readonly explanation: Explanation;
  /** Until the verdict stood; the explanation is not in it. */
  readonly spent: { readonly seconds: number; readonly traffic: Traffic };
};

type Question = {
  readonly inputs: Inputs;
  readonly sources: Sources;
  readonly dialect: Dialect;
  readonly ports: FeaturePorts;
};

/** Probes the cache repository, leaves out what is too old, and on a miss finds the reasons. All of it has one limit of time. */
export async function lookForImage({ inputs, sources, dialect, ports }: Question, world: World): Promise<Look> {
  const { registry, clock, log } = world;
  const started = clock();
  registry.limitTime(PROBE_TIME);
  const answer = await dialect.probe(sources, registry, ports);
  const limit = { days: inputs.cacheTtlDays, now: clock() };
  const probed = await leaveOutOld(answer, limit, sources.wanted, registry);
  for (const { text, at } of probed.warnings) log.warning(text, at);
  const spent = { seconds: Math.round(clock() - started) / 1000, traffic: registry.traffic() };
  const explanation = await explain(inputs, sources, probed, world);
  registry.limitTime(undefined);
  return { probed, explanation, spent };
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
