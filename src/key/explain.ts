import { shortDigest } from "../oci/digest.ts";
import { canonicalJson, type Json } from "./canonical.ts";
import { type Difference, memberOf, type Places } from "./difference.ts";
import { compareFeatures } from "./explain-features.ts";
import { compareBuildOptions } from "./explain-options.ts";
import type { PlatformPlan, UpstreamImage } from "./ingredients.ts";
import type { StoredPlan } from "./stored.ts";

const FILES_TOLD = 10;

/**
 * What differs between the plan of an earlier image and this one, one line an ingredient, differences that all platforms share told once.
 * @param now the current plans with private values hidden by the *previous* plan's salt, so that the hashes can be compared.
 */
export function explainMiss(
  previous: StoredPlan,
  now: Readonly<Record<string, PlatformPlan>>,
  trees: StoredPlan["trees"],
  places: Places,
): Difference[] {
  const found: { readonly platform: string; readonly difference: Difference }[] = [];
  for (const [platform, plan] of Object.entries(now)) {
    const before = memberOf(previous.platforms, platform);
    if (!before) {
      const difference: Difference = {
        part: "yours",
        ingredient: "platform",
        text: `platform ${platform} was not in the previous set`,
      };
      found.push({ platform, difference });
      continue;
    }
    const differences = comparePlans(before, plan, previous.trees, trees, places);
    found.push(...differences.map((difference) => ({ platform, difference })));
  }
  const gone = Object.keys(previous.platforms).filter((platform) => !Object.hasOwn(now, platform));
  const left = gone.map(
    (platform): Difference => ({
      part: "yours",
      ingredient: "platform",
      text: `platform ${platform} is no longer asked for`,
    }),
  );
  return [...mergePlatforms(found, Object.keys(now)), ...left];
}

function mergePlatforms(
  found: readonly { readonly platform: string; readonly difference: Difference }[],
  all: readonly string[],
): Difference[] {
  const groups = new Map<string, { readonly difference: Difference; readonly platforms: string[] }>();
  for (const { platform, difference } of found) {
    const group = groups.get(difference.text) ?? { difference, platforms: [] };
    group.platforms.push(platform);
    groups.set(difference.text, group);
  }
  return [...groups.values()].map(({ difference, platforms }) =>
    difference.ingredient === "platform" || platforms.length === all.length
      ? difference
      : { ...difference, text: `${difference.text} (${platforms.join(", ")})` },
  );
}

function comparePlans(
  before: PlatformPlan,
  now: PlatformPlan,
  treesBefore: StoredPlan["trees"],
  treesNow: StoredPlan["trees"],
  places: Places,
): Difference[] {
  return [
    ...compareConfiguration(before, now, places),
    ...compareDockerfiles(before, now, places),
    ...compareContexts(before, now, treesBefore, treesNow, places),
    ...compareNamedContexts(before, now, places),
    ...compareBuildOptions(before, now, places),
    ...compareArguments(before.yours.arguments, now.yours.arguments, places),
    ...compareBases(before.upstream.bases, now.upstream.bases, places),
    ...compareFrontends(before.upstream.frontend, now.upstream.frontend, places),
    ...compareFeatures(before, now, places),
    ...compareLabels(before.label, now.label, places),
    ...compareRecipes(before, now),
  ];
}

function compareConfiguration(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const at = { file: places.configuration };
  const tell = (text: string): Difference => ({ part: "yours", ingredient: "configuration", text, at });
  const [was, is] = [before.yours.configuration, now.yours.configuration];
  const differences: Difference[] = [];
  if (was.kind !== is.kind)
    differences.push(tell(`the dev container comes from ${nameKind(is.kind)} now, before from ${nameKind(was.kind)}`));
  if (was.image !== is.image && was.kind === is.kind)
    differences.push(tell(`image ${told(was.image)} → ${told(is.image)}`));
  if (was.target !== is.target) differences.push(tell(`build target ${told(was.target)} → ${told(is.target)}`));
  if (differs(was.users, is.users)) differences.push(tell("remoteUser or containerUser changed"));
  if (differs(was.containerEnv, is.containerEnv)) differences.push(tell("containerEnv changed"));
  const [version, versionNow] = [before.yours.options.cacheVersion, now.yours.options.cacheVersion];
  if (version !== versionNow)
    differences.push({
      part: "yours",
      ingredient: "option",
      text: `cache-version ${told(version)} → ${told(versionNow)}`,
    });
  return differences;
}

function nameKind(kind: string): string {
  return kind === "image" ? "an image" : "a Dockerfile";
}

function told(value: string | undefined): string {
  if (value === undefined) return "(not set)";
  return value.startsWith("salted:") ? "(a value of the environment)" : value;
}

function differs(a: Json | undefined, b: Json | undefined): boolean {
  return canonicalJson(a ?? null) !== canonicalJson(b ?? null);
}

function compareDockerfiles(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const [was, is] = [before.yours.dockerfile, now.yours.dockerfile];
  if (!was || !is || places.dockerfile === undefined) return [];
  const file = places.dockerfile;
  const tell = (text: string, line?: number): Difference => ({
    part: "yours",
    ingredient: "dockerfile",
    text,
    at: { file, ...(line === undefined ? {} : { line }) },
  });
  if (was.escape !== is.escape) return [tell(`${file}: the escape character changed`)];
  const flatBefore = was.stages.flat();
  const flatNow = is.stages.flat();
  const lines = (places.instructions[now.yours.options.platform] ?? []).flat();
  const first = flatNow.findIndex((text, index) => text !== flatBefore[index]);
  if (first < 0)
    return flatBefore.length > flatNow.length
      ? [tell(`${file}: ${flatBefore.length - flatNow.length} instructions fewer at the end`)]
      : [];
  const line = lines[first];
  const where = line === undefined ? file : `${file}:${line}`;
  const [written = ""] = /^(?:# syntax|\S*)/.exec(flatNow[first] ?? "") ?? [];
  const keyword = written.startsWith("salted:") ? "an instruction" : written;
  return [tell(`${where} ${keyword} changed`, line)];
}

function compareContexts(
  before: PlatformPlan,
  now: PlatformPlan,
  treesBefore: StoredPlan["trees"],
  treesNow: StoredPlan["trees"],
  places: Places,
): Difference[] {
  const [was, is] = [before.yours.context?.tree, now.yours.context?.tree];
  if (was === is || was === undefined || is === undefined) return [];
  const [old, current] = [byPath(treesBefore[was]), byPath(treesNow[is])];
  const tell = (path: string, what: string, there: boolean): Difference => {
    const file = places.context === "." ? path : `${places.context}/${path}`;
    return { part: "yours", ingredient: "context", text: `${file} ${what}`, ...(there ? { at: { file } } : {}) };
  };
  const differences: Difference[] = [];
  for (const [path, entry] of current) {
    const previous = old.get(path);
    if (previous === undefined) differences.push(tell(path, "is new", true));
    else if (canonicalJson(previous) !== canonicalJson(entry))
      differences.push(tell(path, whatChanged(previous, entry), true));
  }
  for (const path of old.keys()) if (!current.has(path)) differences.push(tell(path, "is gone", false));
  const rest = differences.length - FILES_TOLD;
  if (rest <= 0) return differences;
  return [
    ...differences.slice(0, FILES_TOLD),
    { part: "yours", ingredient: "context", text: `and ${rest} more files of the build context` },
  ];
}

function byPath(tree: readonly (readonly Json[])[] | undefined): Map<string, readonly Json[]> {
  return new Map((tree ?? []).map((entry) => [String(entry[0]), entry]));
}

function whatChanged(before: readonly Json[], now: readonly Json[]): string {
  if (before[1] === "link" && now[1] === "link") return `points to ${String(now[2])} now`;
  if (before[2] !== now[2]) return "changed";
  return `has mode ${String(now[1])} now, before ${String(before[1])}`;
}

function compareNamedContexts(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const at = { file: places.configuration };
  const names = changedMembers(before.yours.contexts ?? {}, now.yours.contexts ?? {});
  return names.map((name) => {
    return { part: "yours", ingredient: "context", text: `build context ${told(name)} changed`, at };
  });
}

function compareArguments(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
  places: Places,
): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
    (name) => memberOf(before, name) !== memberOf(now, name),
  );
  return names.map((name) => {
    const at = memberOf(places.arguments, name);
    const where = at === undefined ? "" : ` (${at.file}${at.line === undefined ? "" : `:${at.line}`})`;
    const what = !Object.hasOwn(before, name) ? "is new" : !Object.hasOwn(now, name) ? "is gone" : "changed";
    return { part: "yours", ingredient: "argument", text: `build arg ${name} ${what}${where}`, ...(at ? { at } : {}) };
  });
}

function compareBases(before: readonly UpstreamImage[], now: readonly UpstreamImage[], places: Places): Difference[] {
  const old = new Map(before.map((image) => [image.written, image]));
  const differences: Difference[] = [];
  for (const image of now) {
    const at = memberOf(places.bases, image.written);
    const previous = old.get(image.written);
    const text = compareImage("base", previous, image);
    if (text !== undefined) differences.push({ part: "upstream", ingredient: "base", text, ...(at ? { at } : {}) });
  }
  const names = new Set(now.map((image) => image.written));
  for (const image of before)
    if (!names.has(image.written))
      differences.push({ part: "upstream", ingredient: "base", text: `base ${told(image.written)} is no longer used` });
  return differences;
}

function compareImage(noun: string, before: UpstreamImage | undefined, now: UpstreamImage): string | undefined {
  if (before === undefined) return `${noun} ${told(now.written)} is new`;
  if (before.digest === now.digest && before.of === now.of && before.reference === now.reference) return undefined;
  return `${noun} ${told(now.written)} ${shortDigest(before.digest)}… → ${shortDigest(now.digest)}…`;
}

function compareFrontends(
  before: UpstreamImage | undefined,
  now: UpstreamImage | undefined,
  places: Places,
): Difference[] {
  const at = places.dockerfile === undefined ? {} : { at: { file: places.dockerfile, line: 1 } };
  if (!now)
    return before
      ? [
          {
            part: "upstream",
            ingredient: "frontend",
            text: `frontend ${told(before.written)} is no longer used`,
            ...at,
          },
        ]
      : [];
  const text = compareImage("frontend", before, now);
  return text === undefined ? [] : [{ part: "upstream", ingredient: "frontend", text, ...at }];
}

function compareLabels(before: Json, now: Json, places: Places): Difference[] {
  if (!differs(before, now)) return [];
  const names = changedMembers(before, now);
  const at = { file: places.configuration };
  return [
    {
      part: "label",
      ingredient: "label",
      text: `${names.join(", ")} changed, which stands in the image's metadata label`,
      at,
    },
  ];
}

function changedMembers(before: Json, now: Json): string[] {
  const members = (value: Json): ReadonlyMap<string, Json | undefined> =>
    new Map(typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
  const [old, current] = [members(before), members(now)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((name) => differs(old.get(name), current.get(name)))
    .sort();
}

function compareRecipes(before: PlatformPlan, now: PlatformPlan): Difference[] {
  if (before.recipe === now.recipe) return [];
  return [
    { part: "recipe", ingredient: "recipe", text: "a newer version of this action builds the image in another way" },
  ];
}
