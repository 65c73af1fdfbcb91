import { readJson } from "../oci/json.ts";

/** What JSON can hold. `null` stands here because JSON has it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

/** Where a value stands in a document: property names and array positions from the root. */
export type JsonPath = readonly (string | number)[];

/** Strict JSON. @returns `undefined` where the text is none, or is nested beyond reason. */
export function parseJsonText(text: string): Json | undefined {
  const json = readJson(text);
  return json as Json | undefined;
}

/** Tells whether a value is an object with properties. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is known of the values of a document, by where they stand. A path as one text would be as long as all names above it, for each value. */
export type PathMap<T> = { value: T | undefined; below: Map<string | number, PathMap<T>> | undefined };

/** One of which nothing is known yet. */
export function openPathMap<T>(): PathMap<T> {
  return { value: undefined, below: undefined };
}

/** What is right below, made where nothing is known of it yet. */
export function stepInto<T>(map: PathMap<T>, step: string | number): PathMap<T> {
  map.below ??= new Map();
  const known = map.below.get(step);
  if (known) return known;
  const made = openPathMap<T>();
  map.below.set(step, made);
  return made;
}

/** Notes a value. */
export function putAt<T>(map: PathMap<T>, path: JsonPath, value: T): void {
  path.reduce<PathMap<T>>(stepInto, map).value = value;
}

/** A path as people write it: `build.args.VARIANT`, `build.cacheFrom[1]`. */
export function formatPath(path: JsonPath): string {
  return path.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at === 0 ? "" : "."}${step}`)).join("");
}
