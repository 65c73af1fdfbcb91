import type { Json, JsonObject } from "../devcontainer/json.ts";
import { isJsonObject } from "../devcontainer/json.ts";
import { placeOf } from "../devcontainer/parse.ts";
import type { Substituted } from "../devcontainer/substitute.ts";
import { ActionError, type Place } from "../errors.ts";
import { isFolded, SHORT_IDS_NAMESPACE, SHORT_IDS_TAG, successorOf } from "./short-ids.ts";

/** A feature that somebody wants installed, with the options as they are written. */
export type AskedFeature = {
  /** As it is written: what the label and the lockfile call it. */
  readonly id: string;
  readonly options: Json;
  /** The feature whose metadata asks for this one; `undefined` for a feature of the configuration itself. */
  readonly neededBy: string | undefined;
  /** Where the person finds what led here; `undefined` for a feature that an input adds. */
  readonly at: Place | undefined;
};

/** Somebody who asks for, or publishes features that depend on, ever new ones must not keep a runner busy. */
export const MOST_FEATURES = 500;

/** Options of one feature. Every two ways to install one are compared by them. */
const MOST_OPTIONS = 250;

/** Characters of a feature's id. No registry takes a longer name, and no message one. */
export const LONGEST_ID = 1024;

/**
 * The features of a configuration, then those that were added and that it does not have, in the order in which they are written.
 * @param additional features by id, as the input `additional-features` holds them; their variables are not replaced.
 * @throws E_CONFIG where `features` is no object, or options are not something that can be handed to an install script.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/containerFeaturesConfiguration.ts (userFeaturesToArray)
 */
export function askedFeatures(configuration: Substituted, additional: JsonObject = {}): readonly AskedFeature[] {
  const own = featuresOf(configuration);
  const added = Object.entries(additional).filter(([id]) => !Object.hasOwn(own, id));
  const asked = [
    ...Object.entries(own).map(([id, options]) => ({ id, options, at: placeOf(configuration, ["features", id]) })),
    ...added.map(([id, options]) => ({ id, options, at: undefined })),
  ].map((one) => ({ ...one, neededBy: undefined }));
  for (const one of asked) checkOptions(one);
  const tooMany = asked[MOST_FEATURES];
  if (tooMany)
    throw featureError(tooMany, { what: `is one of more than ${MOST_FEATURES}`, fix: "Take some of them out." });
  return foldIntoSuccessors(asked);
}

function featuresOf(configuration: Substituted): JsonObject {
  const { features } = configuration.json;
  if (!features) return {};
  if (isJsonObject(features)) return features;
  throw new ActionError("E_CONFIG", {
    what: "features is not an object.",
    fix: 'Write "features": { "<id>": { <options> } }.',
    at: placeOf(configuration, ["features"]),
  });
}

/** Three old features have become an option of another one, which is asked for in their place unless it is there already. */
function foldIntoSuccessors(asked: readonly AskedFeature[]): readonly AskedFeature[] {
  return asked.reduce<readonly AskedFeature[]>(
    (list, one) => foldOne(list, one),
    asked.filter(({ id }) => !isFolded(id)),
  );
}

function foldOne(list: readonly AskedFeature[], one: AskedFeature): readonly AskedFeature[] {
  const successor = successorOf(one.id);
  if (!successor) return list;
  const { name, option } = successor;
  const full = `${SHORT_IDS_NAMESPACE}/${name}`;
  const known = list.find(({ id }) => id === name || id === full || id.startsWith(`${full}:`));
  if (!known) return [...list, { ...one, id: `${full}:${SHORT_IDS_TAG}`, options: { [option]: true } }];
  const options = { ...optionsAsObject(known.options), [option]: true };
  return list.map((other) => (other === known ? { ...known, options } : other));
}

function optionsAsObject(options: Json): JsonObject {
  if (isJsonObject(options)) return options;
  return typeof options === "string" ? { version: options } : {};
}

/**
 * What an install script can be given: a text, a number, true or false, or an object of those; a list becomes a text with commas.
 * @throws E_CONFIG or E_FEATURE for anything else: the reference CLI fails on some of it, and hands the rest on as `null` or `[object Object]`.
 */
export function checkOptions(asked: AskedFeature): void {
  const { options } = asked;
  if (options === null || Array.isArray(options)) {
    throw featureError(asked, {
      what: `has ${options === null ? "null" : "a list"} where its options should be`,
      fix: 'Write {} for the defaults, a version as text, or { "<option>": <value> }.',
    });
  }
  if (!isJsonObject(options)) return;
  if (Object.keys(options).length > MOST_OPTIONS)
    throw featureError(asked, { what: `is given more than ${MOST_OPTIONS} options`, fix: "Take some of them out." });
  for (const [name, value] of Object.entries(options)) {
    if (isOptionValue(value) || (Array.isArray(value) && value.every(isOptionValue))) continue;
    throw featureError(asked, {
      what: `has ${value === null ? "null" : "something nested"} as its option "${name}"`,
      fix: "An option is a text, a number, true or false. Leave it out to have its default.",
    });
  }
}

function isOptionValue(value: Json): boolean {
  return value !== null && typeof value !== "object";
}

/** How messages name a feature. */
export function nameFeature({ id, neededBy }: AskedFeature): string {
  const name = id.slice(0, LONGEST_ID);
  return neededBy === undefined ? `feature ${name}` : `feature ${name}, on which ${neededBy} depends`;
}

/**
 * A message about a feature, with the line that asks for it.
 * @param what continues a sentence that starts with the feature's name.
 * @returns E_CONFIG for what stands in the configuration, E_FEATURE with `by: "feature"` and for what another feature asks for.
 */
export function featureError(
  asked: AskedFeature,
  message: { readonly what: string; readonly fix: string; readonly by?: "feature"; readonly cause?: unknown },
): ActionError {
  const code = message.by === "feature" || asked.neededBy !== undefined ? "E_FEATURE" : "E_CONFIG";
  return new ActionError(code, {
    what: `The ${nameFeature(asked)}${asked.neededBy === undefined ? "" : ","} ${message.what}.`,
    fix: message.fix,
    ...(asked.at === undefined ? {} : { at: asked.at }),
    ...(message.cause === undefined ? {} : { cause: message.cause }),
  });
}
