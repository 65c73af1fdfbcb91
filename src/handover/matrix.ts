import { formatPlatform, type Platform, parsePlatform, platformSlug, samePlatform } from "../oci/platform.ts";
import type { Found, Verdict } from "../probe/probe.ts";
import type { Result } from "../report/report.ts";

/** Who builds for a platform: a machine that has all of these labels. */
export type Runner = { readonly platform: Platform; readonly labels: readonly [string, ...string[]] };

/**
 * GitHub's own runners by architecture, https://docs.github.com/en/actions/reference/runners/github-hosted-runners. There is none for the
 * others: they are emulated on the most common one.
 */
const HOSTED: Readonly<Record<string, string>> = { amd64: "ubuntu-latest", arm64: "ubuntu-24.04-arm" };
const EMULATING = "ubuntu-latest";

/**
 * Reads an item of the input `runners`: `linux/arm64=ubuntu-24.04-arm`, several labels with commas.
 * @returns the runner, or what is wrong with the item.
 */
export function parseRunner(item: string): Runner | { readonly wrong: string } {
  const [written = "", ...rest] = item.split("=");
  const platform = parsePlatform(written.trim());
  if ("wrong" in platform) return { wrong: `"${written.trim()}" is no platform: ${platform.wrong}` };
  const [first = "", ...more] = rest
    .join("=")
    .split(",")
    .map((label) => label.trim());
  if (first === "" || more.includes(""))
    return { wrong: "it is not written as linux/<architecture>=<label>[,<label>…]" };
  return { platform, labels: [first, ...more] };
}

/** The platform that several of these runners are named for, if there is one. */
export function platformNamedTwice(runners: readonly Runner[]): Platform | undefined {
  return runners.find(
    ({ platform }, index) => runners.findIndex((other) => samePlatform(other.platform, platform)) < index,
  )?.platform;
}

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

function chooseRunner(platform: Platform, runners: readonly Runner[]): Runner {
  const chosen = runners.find((runner) => samePlatform(runner.platform, platform));
  return chosen ?? { platform, labels: [HOSTED[platform.architecture] ?? EMULATING] };
}

function without(platforms: readonly Platform[], found: readonly Found[]): readonly Platform[] {
  return platforms.filter((platform) => !found.some((one) => samePlatform(one.platform, platform)));
}

/** A leg of a matrix; `slug` is the platform as it may stand in a file's or an artifact's name. */
type Leg = { readonly platform: string; readonly runner: string | readonly string[]; readonly slug: string };

/**
 * The value for `strategy.matrix`. GitHub refuses a matrix without legs, unless the job's `if`, which it looks at first, says not to run.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix
 */
export function makeMatrix(runners: readonly Runner[]): { readonly include: readonly Leg[] } {
  return {
    include: runners.map(({ platform, labels: [first, ...more] }) => ({
      platform: formatPlatform(platform),
      runner: more.length === 0 ? first : [first, ...more],
      slug: platformSlug(platform),
    })),
  };
}
