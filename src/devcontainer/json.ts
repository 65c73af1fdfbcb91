/** What JSON can hold. `null` stands here because JSON has it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

/** Where a value stands in a document: property names and array positions from the root. */
export type JsonPath = readonly (string | number)[];

/** Tells whether a value is an object with properties. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A path as one text, fit for a map's key: https://www.rfc-editor.org/rfc/rfc6901 */
export function pointerOf(path: JsonPath): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** A path as people write it: `build.args.VARIANT`, `build.cacheFrom[1]`. */
export function formatPath(path: JsonPath): string {
  return path.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at === 0 ? "" : "."}${step}`)).join("");
}
