import { type Difference, inBrackets, memberOf, type Places, placeOf, tellSource } from "./difference.ts";
import type { PlatformPlan } from "./ingredients.ts";

/** What differs between the options of two builds: each label by its name, everything else by the option. */
export function compareBuildOptions(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const [was, is] = [optionsOf(before), optionsOf(now)];
  const names = [...new Set([...is.keys(), ...was.keys()])].filter((name) => textOf(was, name) !== textOf(is, name));
  return names.map((name) => {
    const place = memberOf(places.options, is.get(name)?.[0] ?? "");
    const what = !was.has(name) ? "is new" : is.has(name) ? "changed" : "is gone";
    const advice = name.startsWith("label ") ? "ignore-labels takes it out of the key" : undefined;
    const text = `${name} ${what}${inBrackets([place && tellSource(place), advice])}`;
    return { part: "yours", ingredient: "option", text, ...placeOf(place) };
  });
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
    const name = nameOf(option);
    all.set(name, [...(all.get(name) ?? []), option]);
  }
  return all;
}

function nameOf(option: string): string {
  const label = /^--label=([^=]+)=/.exec(option)?.[1];
  if (label !== undefined) return `label ${label}`;
  const name = /^--[^=]+/.exec(option)?.[0];
  return name === undefined ? "a build option that holds a value of the environment" : `build option ${name}`;
}
