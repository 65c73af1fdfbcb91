import { ActionError, type Place } from "../errors.ts";
import type { Reading } from "./template.ts";

/**
 * A compose file's content, variables filled in and anchors resolved, before anything is known of its meaning. Every value remembers
 * where it is written and the folder that a relative path in it counts from.
 */
export type Tree = Scalar | List | Mapping | Opaque;

export type Scalar = {
  readonly kind: "scalar";
  readonly type: ScalarType;
  /** Where the text itself begins, if that is another line: below the `|` of a block. */
  readonly textAt?: Place;
  /** As Go prints the value, which is what compose makes of a number where a text is wanted. Empty for `null`. */
  readonly text: string;
  readonly at: Place;
  /** Absolute. */
  readonly folder: string;
  /** A variable took part, set or not: such a value may be secret. */
  readonly fromEnvironment: boolean;
  /** The variables in it that are not set and have no default. */
  readonly unset: readonly string[];
  /** Those that are not set, with a default or without. */
  readonly missing: readonly string[];
  /** The variables that took part; nothing where none did. */
  readonly reads?: readonly Reading[];
};

export type ScalarType = "text" | "integer" | "float" | "boolean" | "null" | "timestamp";

export type List = { readonly kind: "list"; readonly items: readonly Tree[]; readonly at: Place };

export type Mapping = {
  readonly kind: "mapping";
  readonly entries: ReadonlyMap<string, Tree>;
  /** Names tagged `!reset` or `!override`: what an earlier file says there does not count. */
  readonly resets: ReadonlySet<string>;
  readonly at: Place;
};

/** A value that we cannot read for certain. */
export type Opaque = { readonly kind: "opaque"; readonly doubt: Doubt };

/** What we cannot know without asking somebody else. */
export type Doubt = { readonly what: string; readonly fix: string; readonly at: Place };

/** A mapping without tags. */
export function mappingOf(entries: Iterable<readonly [string, Tree]>, at: Place): Mapping {
  return { kind: "mapping", entries: new Map(entries), resets: new Set(), at };
}

/** Whether a value is there and says something: `name:` with nothing behind it does not. */
export function isSet(tree: Tree | undefined): tree is Tree {
  return tree !== undefined && !(tree.kind === "scalar" && tree.type === "null");
}

/** Where a person finds a value. */
export function placeOf(tree: Tree): Place {
  return tree.kind === "opaque" ? tree.doubt.at : tree.at;
}

/** Whether two trees say the same, wherever it is written; the order of names does not count. */
export function saysTheSame(one: Tree, other: Tree): boolean {
  if (one.kind === "scalar" && other.kind === "scalar") return one.type === other.type && one.text === other.text;
  if (one.kind === "list" && other.kind === "list")
    return one.items.length === other.items.length && one.items.every((item, at) => areSame(item, other.items[at]));
  if (one.kind === "mapping" && other.kind === "mapping")
    return (
      one.entries.size === other.entries.size &&
      [...one.entries].every(([name, value]) => areSame(value, other.entries.get(name)))
    );
  return false;
}

function areSame(one: Tree, other: Tree | undefined): boolean {
  return other !== undefined && saysTheSame(one, other);
}

/** A value of another kind than what can stand there. Nothing of a value from the environment is told. */
export function wrongType(tree: Tree, path: string, wanted: string): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${path} is ${describe(tree)}, which is not ${wanted}.`,
    fix: "Correct it in the compose file.",
    at: placeOf(tree),
  });
}

function describe(tree: Tree): string {
  if (tree.kind === "list") return "a list";
  if (tree.kind === "mapping") return "a mapping";
  if (tree.kind === "opaque") return "something that cannot be read";
  if (tree.type === "null") return "empty";
  if (tree.type === "timestamp") return `${tree.text}, a date to YAML`;
  return tree.type === "text" ? tellText(tree) : tree.text;
}

const LONGEST_QUOTE = 80;

/** A text as messages quote it: a value that came from the environment is not told. */
export function tellText({ text, fromEnvironment }: Pick<Scalar, "text" | "fromEnvironment">): string {
  if (fromEnvironment) return "a value from the environment";
  return `"${text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE - 1)}…` : text}"`;
}
