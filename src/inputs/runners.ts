import { type Platform, parsePlatform, samePlatform } from "../oci/platform.ts";

/** Who builds for a platform: a machine that has all of these labels. */
export type Runner = { readonly platform: Platform; readonly labels: readonly [string, ...string[]] };

const UNLIKE = "it is not written as linux/<architecture>=<label>[,<label>…]";

/**
 * Reads an item of the input `runners`: `linux/arm64=ubuntu-24.04-arm`, several labels with commas.
 * @returns the runner, or what is wrong with the item.
 */
export function parseRunner(item: string): Runner | { readonly wrong: string } {
  const [written = "", ...rest] = item.split("=");
  if (rest.length === 0) return { wrong: UNLIKE };
  const platform = parsePlatform(written.trim());
  if ("wrong" in platform) return { wrong: `"${written.trim()}" is no platform: ${platform.wrong}` };
  const [first = "", ...more] = rest
    .join("=")
    .split(",")
    .map((label) => label.trim());
  if (first === "" || more.includes("")) return { wrong: UNLIKE };
  if (more.some((label) => label.includes("="))) return { wrong: "several platforms stand on one line" };
  return { platform, labels: [first, ...more] };
}

/** The platform that several of these runners are named for, if there is one. */
export function platformNamedTwice(runners: readonly Runner[]): Platform | undefined {
  return runners.find(
    ({ platform }, index) => runners.findIndex((other) => samePlatform(other.platform, platform)) < index,
  )?.platform;
}
