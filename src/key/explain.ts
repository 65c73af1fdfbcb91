import type { Difference, Known, Places } from "./difference.ts";
import { compareAddresses } from "./explain-addresses.ts";
import {
  compareArguments,
  compareConfiguration,
  compareInstallation,
  compareLabels,
  compareRecipes,
  compareSecrets,
} from "./explain-configuration.ts";
import { compareDockerfiles } from "./explain-dockerfile.ts";
import { compareFeatures } from "./explain-features.ts";
import { compareFiles, type Trees } from "./explain-files.ts";
import { compareImages, type ImageDifference } from "./explain-images.ts";
import { compareBuildOptions } from "./explain-options.ts";
import type { PlatformPlan } from "./ingredients.ts";
import type { StoredPlan } from "./stored.ts";

type Told = Difference | ImageDifference;

const REASONS_TOLD = 50;
/** A stored plan may hold a name of megabytes, and a host takes neither outputs nor a summary beyond one. */
const LONGEST_REASON = 2000;

/**
 * What differs between the plan of an earlier image and this one: each change once, what all platforms share without their names.
 * @param now the current plans with private values hidden by the *previous* plan's salt, so that the hashes can be compared.
 */
export function explainMiss(
  previous: StoredPlan,
  now: Readonly<Record<string, PlatformPlan>>,
  trees: StoredPlan["trees"],
  places: Places,
): Difference[] {
  const known = { ...places, origins: previous.origins, salt: previous.salt };
  const found: { readonly platform: string; readonly difference: Told }[] = [];
  for (const [platform, plan] of Object.entries(now)) {
    const before = Object.hasOwn(previous.platforms, platform) ? previous.platforms[platform] : undefined;
    const differences: readonly Told[] = before
      ? comparePlans(before, plan, { before: previous.trees, now: trees }, known)
      : [platformChange(`platform ${platform} was not in the previous set (the input platforms)`)];
    found.push(...differences.map((difference) => ({ platform, difference })));
  }
  const gone = Object.keys(previous.platforms).filter((platform) => !Object.hasOwn(now, platform));
  const left = gone.map((platform) =>
    platformChange(`platform ${platform} is no longer asked for (the input platforms)`),
  );
  return firstReasons([...mergePlatforms(found, Object.keys(now)), ...left]).map(shorten);
}

function platformChange(text: string): Difference {
  return { part: "yours", ingredient: "platform", text };
}

function shorten(difference: Difference): Difference {
  const { text } = difference;
  return text.length > LONGEST_REASON ? { ...difference, text: `${text.slice(0, LONGEST_REASON)}…` } : difference;
}

/** Nobody reads hundreds of them. What kind the others are the last one says. */
function firstReasons(all: readonly Difference[]): Difference[] {
  const [last] = all.slice(REASONS_TOLD);
  if (!last) return [...all];
  const { part, ingredient } = last;
  return [...all.slice(0, REASONS_TOLD), { part, ingredient, text: `and ${all.length - REASONS_TOLD} more changes` }];
}

type Group = { readonly difference: Told; readonly platforms: string[] };

/** What is the same on all platforms is told without their names; one image that moved on each of them is one line. */
function mergePlatforms(
  found: readonly { readonly platform: string; readonly difference: Told }[],
  all: readonly string[],
): Difference[] {
  const byText = new Map<string, Group>();
  for (const { platform, difference } of found) {
    const group = byText.get(difference.text) ?? { difference, platforms: [] };
    group.platforms.push(platform);
    byText.set(difference.text, group);
  }
  const lines = new Map<string, Group[]>();
  for (const group of byText.values()) {
    const name = "about" in group.difference ? group.difference.about : group.difference.text;
    lines.set(name, [...(lines.get(name) ?? []), group]);
  }
  return [...lines].flatMap(([name, groups]): Difference[] => {
    const [first] = groups;
    if (!first) return [];
    const { part, ingredient, at } = first.difference;
    const text = groups.map((group, index) => tellGroup(group, all, index === 0 ? "" : name)).join(", ");
    return [{ part, ingredient, text, ...(at ? { at } : {}) }];
  });
}

/** @param known what the line begins with already. */
function tellGroup({ difference, platforms }: Group, all: readonly string[], known: string): string {
  const text = difference.text.slice(known.length).trimStart();
  const isShared = difference.ingredient === "platform" || platforms.length === all.length;
  return isShared ? text : `${text} (${platforms.join(", ")})`;
}

function comparePlans(before: PlatformPlan, now: PlatformPlan, trees: Trees, places: Known): Told[] {
  const installation = compareInstallation(before, now, places);
  const own = [
    ...compareConfiguration(before, now, places),
    ...compareDockerfiles(before, now, places),
    ...compareBuildOptions(before, now, places),
    ...compareSecrets(before, now, places),
    ...compareArguments(before, now, places),
    ...compareFeatures(before, now, places),
    ...installation,
    ...compareLabels(before, now, installation, places),
  ];
  const written = [...own, ...compareFiles(before, now, { trees, elsewhere: own }, places)];
  return [
    ...written,
    ...compareImages(before, now, written, places),
    ...compareAddresses(before, now, places),
    ...compareRecipes(before, now),
  ];
}
