import type { Platform } from "../oci/platform.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Look } from "../probe/look.ts";
import type { Verdict } from "../probe/verdict.ts";
import type { Outcome, Scene } from "../publish/outcome.ts";
import type { Report } from "./report.ts";
import { chooseRunners } from "./runners-due.ts";

/** What was asked, what the probe said, and what came of it. */
type Story = { readonly scene: Pick<Scene, "inputs" | "sources">; readonly look: Look; readonly outcome: Outcome };

/** Everything that outputs, log and summary tell, but for what is handed over, which is made last. */
export function makeReport({
  scene: { inputs, sources },
  look,
  outcome,
}: Story): Omit<Report, "handover" | "sboms" | "planFile" | "seconds"> {
  const { plan, verdict }: { readonly plan: Plan | undefined; readonly verdict: Verdict } = look.probed;
  const { previous, reasons } = look.explanation;
  const missing = outcome.missing ?? [];
  return {
    result: outcome.result,
    configuration: sources.configuration,
    commit: sources.commit,
    repository: inputs.cacheRepository,
    sourceKey: sources.wanted.sourceKey,
    plan,
    verdict,
    image: outcome.image,
    localImage: outcome.localImage,
    notPushed: outcome.notPushed,
    digest: outcome.digest,
    pushed: outcome.pushed ?? false,
    platforms: platformsOf(outcome),
    missing,
    runners: chooseRunners(inputs, { result: outcome.result, verdict, missing }),
    remoteUserUid: inputs.remoteUserUid,
    reasons,
    previous: previous?.tag,
    built: outcome.built ?? [],
    relabelled: outcome.relabelled ?? [],
    steps: outcome.steps ?? [],
    saved: outcome.saved,
    isFallback: outcome.isFallback ?? false,
    failure: outcome.failure,
    probe: look.spent,
  };
}

function platformsOf({ found = [], built = [], relabelled = [] }: Outcome): Report["platforms"] {
  const builtHere = new Set(built.filter(({ foundLate }) => !foundLate).map(({ platform }) => platform));
  const relabelledHere = new Set(relabelled.map(({ platform }) => platform));
  const howOf = (platform: Platform): Report["platforms"][number]["how"] =>
    builtHere.has(platform) ? "built" : relabelledHere.has(platform) ? "relabelled" : "found";
  const there = found.map(({ platform, manifest }) => ({ platform, digest: manifest, how: howOf(platform) }));
  const loaded = built
    .filter((one) => one.found === undefined)
    .map(({ platform }) => ({ platform, digest: undefined, how: "built" }) as const);
  return [...there, ...loaded];
}
