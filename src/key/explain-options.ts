import {
  type Difference,
  inBrackets,
  type Known,
  memberOf,
  placeOf,
  privateValue,
  tellSource,
  tellVariables,
} from "./difference.ts";
import type { PlatformPlan } from "./ingredients.ts";
import { nameOption, tellGone } from "./origins.ts";

/** What differs between the options of two builds: each label by its name, everything else by the option. */
export function compareBuildOptions(before: PlatformPlan, now: PlatformPlan, places: Known): Difference[] {
  const [was, is] = [optionsOf(before), optionsOf(now)];
  const names = [...new Set([...is.keys(), ...was.keys()])].filter((name) => textOf(was, name) !== textOf(is, name));
  return names.map((name) => {
    if (!is.has(name)) return gone(name, places);
    const option = is.get(name)?.[0] ?? "";
    const own = privateValue(option, Object.keys(places.options), places.salt) ?? option;
    const place = memberOf(places.options, own);
    const reads = tellVariables(places, `build.options.${own}`);
    const advice = name.startsWith("label ") ? "ignore-labels takes it out of the key" : undefined;
    const text = `${name} ${was.has(name) ? "changed" : "is new"}${inBrackets([place && tellSource(place), reads, advice])}`;
    return { part: "yours", ingredient: "option", text, ...placeOf(place) };
  });
}

function gone(name: string, places: Known): Difference {
  if (places.ignored.labels.has(name.replace(/^label /, "")))
    return { part: "yours", ingredient: "option", text: `${name} no longer counts (the input ignore-labels names it)` };
  const { note, ...at } = tellGone(places.origins, name, places);
  return { part: "yours", ingredient: "option", text: `${name} is gone${note}`, ...at };
}

type Options = ReadonlyMap<string, readonly string[]>;

function textOf(options: Options, name: string): string {
  return JSON.stringify(options.get(name));
}

/** By what a person calls them; several options may be called the same. */
function optionsOf({ yours: { options } }: PlatformPlan): Options {
  const all = new Map<string, string[]>();
  // A stored plan may hold anything.
  const written: unknown = options.build ?? [];
  for (const option of Array.isArray(written) ? written : []) {
    if (typeof option !== "string") continue;
    const name = nameOption(option);
    all.set(name, [...(all.get(name) ?? []), option]);
  }
  return all;
}
