import { ActionError, type Place } from "../errors.ts";
import type { Reading } from "./template.ts";
import { type Mapping, type Scalar, type Tree, wrongType } from "./tree.ts";

/** A value and where it comes from. */
export type Sourced<T = string> = {
  readonly value: T;
  readonly at: Place;
  /** A variable took part: such a value may be secret, and is neither told nor kept. */
  readonly fromEnvironment: boolean;
  /** Which; nothing where none is known. */
  readonly reads?: readonly Reading[];
};

/** A mapping of the file with its path, for messages. */
export type Section = { readonly mapping: Mapping; readonly path: string };

/** The text under a name; nothing where it is missing or empty. @throws E_CONFIG where it is no text. */
export function textAt(section: Section, name: string): Sourced | undefined {
  const scalar = scalarAt(section, name);
  return scalar === undefined || scalar.text === "" ? undefined : sourced(scalar, scalar.text);
}

/** The scalar of a text under a name, for what needs to know the folder too. @throws E_CONFIG where it is no text. */
export function scalarAt({ mapping, path }: Section, name: string): Scalar | undefined {
  const tree = mapping.entries.get(name);
  return tree && asText(tree, `${path}.${name}`);
}

/** The texts of a list; none where it is missing. @throws E_CONFIG where it is no list of texts. */
export function textsAt({ mapping, path }: Section, name: string): readonly Sourced[] {
  return itemsOf(mapping.entries.get(name), `${path}.${name}`).map((item) => {
    const scalar = asText(item, `An item of ${path}.${name}`);
    return sourced(scalar, scalar.text);
  });
}

/** The items of a list; none where it is missing. @throws E_CONFIG where it is no list. */
export function itemsOf(tree: Tree | undefined, path: string): readonly Tree[] {
  if (tree === undefined) return [];
  if (tree.kind === "list") return tree.items;
  throw wrongType(tree, path, "a list");
}

/** Whether something is switched on: a boolean, or what compose takes for one. @throws E_CONFIG for anything else. */
export function isOn({ mapping, path }: Section, name: string): boolean {
  const tree = mapping.entries.get(name);
  const text = tree?.kind === "scalar" ? tree.text.toLowerCase() : "";
  if (tree === undefined || /^(?:false|n|no|off)$/.test(text)) return false;
  if (/^(?:true|y|yes|on)$/.test(text)) return true;
  throw wrongType(tree, `${path}.${name}`, "true or false");
}

/** A whole number. @throws E_CONFIG where it is none. */
export function asInteger(tree: Tree, path: string): Sourced<number> {
  if (tree.kind === "scalar" && tree.type === "integer") return sourced(tree, Number(tree.text));
  throw wrongType(tree, path, "a whole number");
}

/**
 * What is `name: value` or `- name=value`, in the order of the file; a name that comes again counts with its last value. `undefined`
 * where nothing is written behind a name.
 * @throws E_CONFIG for any other form.
 */
export function assignmentsAt(
  { mapping, path }: Section,
  name: string,
): ReadonlyMap<string, Sourced<string | undefined>> {
  const tree = mapping.entries.get(name);
  const full = `${path}.${name}`;
  if (tree === undefined) return new Map();
  if (tree.kind === "mapping") {
    return new Map([...tree.entries].map(([key, value]) => [key, assignedValue(value, `${full}.${key}`)]));
  }
  return new Map(itemsOf(tree, full).map((item) => splitAt(asText(item, `An item of ${full}`), full)));
}

function assignedValue(tree: Tree, path: string): Sourced<string | undefined> {
  if (tree.kind !== "scalar" || tree.type === "timestamp") throw wrongType(tree, path, "a text");
  return sourced(tree, tree.type === "null" ? undefined : tree.text);
}

function splitAt(item: Scalar, path: string): readonly [string, Sourced<string | undefined>] {
  const equals = item.text.indexOf("=");
  const name = equals < 0 ? item.text : item.text.slice(0, equals);
  if (name === "" || name.trimEnd() !== name) {
    throw new ActionError("E_CONFIG", {
      what: `An item of ${path} has no name, or a blank behind it.`,
      fix: "Write name=value.",
      at: item.at,
    });
  }
  return [name, sourced(item, equals < 0 ? undefined : item.text.slice(equals + 1))];
}

/** @throws E_CONFIG where it is no text. */
export function asText(tree: Tree, path: string): Scalar {
  if (tree.kind === "scalar" && tree.type === "text") return tree;
  throw wrongType(tree, path, "a text");
}

/** The mapping under a name; nothing where it is missing. @throws E_CONFIG where it is something else. */
export function sectionAt({ mapping, path }: Section, name: string): Section | undefined {
  const tree = mapping.entries.get(name);
  if (tree === undefined) return undefined;
  if (tree.kind === "mapping") return { mapping: tree, path: `${path}.${name}` };
  throw wrongType(tree, `${path}.${name}`, "a mapping");
}

export function sourced<T>({ at, fromEnvironment, reads = [] }: Scalar, value: T): Sourced<T> {
  return { value, at, fromEnvironment, ...(reads.length === 0 ? {} : { reads }) };
}
