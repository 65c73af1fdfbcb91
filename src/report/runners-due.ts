import type { Runner } from "../inputs/runners.ts";
import { type Platform, samePlatform } from "../oci/platform.ts";
import type { Found } from "../probe/found.ts";
import type { Verdict } from "../probe/verdict.ts";
import type { Result } from "../publish/outcome.ts";

/** What a run found out and did, as far as it says what is left to build. */
type Ending = { readonly result: Result; readonly verdict: Verdict; readonly missing: readonly Platform[] };

/**
 * Who would have to build for which platform to have this commit's image: what is missing, and where the last good image was handed out
 * instead, what is out of date. Nothing where it cannot be told: doubt is no miss.
 */
export function chooseRunners(
  { platforms, runners }: { readonly platforms: readonly Platform[]; readonly runners: readonly Runner[] },
  { result, verdict, missing }: Ending,
): readonly Runner[] {
  if (result === "unknown") return [];
  const due = result === "stale" && verdict.kind === "stale" ? without(platforms, verdict.reusable) : missing;
  return due.map((platform) => chooseRunner(platform, runners));
}

/**
 * GitHub's own runners by architecture, https://docs.github.com/en/actions/reference/runners/github-hosted-runners. There is none for the
 * others: they are emulated on the most common one.
 */
const HOSTED: ReadonlyMap<string, string> = new Map([
  ["amd64", "ubuntu-latest"],
  ["arm64", "ubuntu-24.04-arm"],
]);

const EMULATING = "ubuntu-latest";

function chooseRunner(platform: Platform, runners: readonly Runner[]): Runner {
  const chosen = runners.find((runner) => samePlatform(runner.platform, platform));
  return chosen ?? { platform, labels: [HOSTED.get(platform.architecture) ?? EMULATING] };
}

function without(platforms: readonly Platform[], found: readonly Found[]): readonly Platform[] {
  return platforms.filter((platform) => !found.some((one) => samePlatform(one.platform, platform)));
}
