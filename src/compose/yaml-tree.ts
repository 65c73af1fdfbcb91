import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { ActionError, type Place } from "../errors.ts";
import type { Effort } from "../world.ts";
import type { Variables } from "./template.ts";
import type { Mapping, Tree } from "./tree.ts";
import { emptyScalar, opaqueFor, opaqueTag, readScalar } from "./yaml-scalar.ts";

export type YamlSource = {
  /** How messages name it. */
  readonly file: string;
  readonly text: string;
  /** Absolute: what relative paths in it count from. */
  readonly folder: string;
  /** Without any, dollar signs stay what they are. */
  readonly variables: Variables | undefined;
  /** Told of values, which anchors repeat, and of what variables put in. */
  readonly effort: Effort;
};

/** A reader of YAML takes hundreds of bytes for each character. */
export const LARGEST_YAML = 512 * 1024;

export const MOST_DOCUMENTS = 100;

/** Anchors can make a small file into an endless one. */
const MAX_NODES = 100_000;
const MAX_DEPTH = 200;

/** Bytes of memory that a value takes, beside its text. */
const VALUE = 100;

/** What is known of a file while it is read. */
export type Reading = {
  readonly source: YamlSource;
  readonly lines: LineCounter;
  /** What the aliases mean. */
  readonly targets: Map<Node, Node>;
  /** What is being read right now, from the root down. */
  readonly open: Set<Node>;
  readonly left: { nodes: number };
  /** Below an `!override`: there compose takes no notice of tags, and `!reset null` is the text "null". */
  readonly isOverridden: boolean;
};

/** A reading of a file of which nothing is read yet. */
export function startReading(source: YamlSource, lines: LineCounter): Reading {
  const left = { nodes: MAX_NODES };
  return { source, lines, targets: new Map(), open: new Set(), left, isOverridden: false };
}

/**
 * The tree of a node, aliases and merge keys resolved and variables filled in.
 * @param at the place of what has none of its own.
 * @throws E_CONFIG as `readYaml` does.
 */
export function readNode(node: unknown, at: Place, reading: Reading): Tree {
  if (--reading.left.nodes < 0 || reading.open.size > MAX_DEPTH) throw tooLarge(at);
  reading.source.effort.spend(VALUE, at);
  if (isAlias(node)) return readNode(reading.targets.get(node), at, reading);
  if (isScalar(node)) return readScalar(node, placeIn(reading, node, at), reading.source);
  if (!isMap(node) && !isSeq(node)) return emptyScalar(at, reading.source.folder);
  if (reading.open.has(node)) throw containsItself(at);
  reading.open.add(node);
  const tree = opaqueTag(node.tag, at) ?? (isMap(node) ? readMapping(node, at, reading) : readList(node, at, reading));
  reading.open.delete(node);
  return tree;
}

/** A value that may be tagged. */
function readValue(node: unknown, at: Place, reading: Reading): Tree {
  const tag = hasTag(node, "!reset") ? "!reset" : hasTag(node, "!override") ? "!override" : undefined;
  if (tag === undefined) return readNode(node, at, reading);
  if (reading.isOverridden) return opaqueFor(tag, at);
  return readNode(node, at, { ...reading, isOverridden: true });
}

function readList(node: YAMLSeq, at: Place, reading: Reading): Tree {
  const items = node.items.filter((item) => reading.isOverridden || !hasTag(item, "!reset"));
  return { kind: "list", items: items.map((item) => readValue(item, placeIn(reading, item, at), reading)), at };
}

function readMapping(node: YAMLMap, at: Place, reading: Reading): Mapping {
  const lines = new Map<string, number | undefined>();
  const entries = new Map<string, Tree>();
  const resets = new Set<string>();
  const merged: Mapping[] = [];
  for (const pair of node.items) {
    const place = placeIn(reading, pair.key, at);
    const name = readName(pair, place, reading);
    if (lines.has(name)) throw twice(name, lines.get(name), place);
    lines.set(name, place.line);
    if (isMergeKey(pair)) {
      merged.push(...readMerged(pair.value, place, reading));
      continue;
    }
    const value = isAlias(pair.value) ? reading.targets.get(pair.value) : pair.value;
    const isReset = hasTag(value, "!reset") && !reading.isOverridden;
    if (isReset || hasTag(value, "!override")) resets.add(name);
    if (!isReset) entries.set(name, readValue(value, place, reading));
  }
  return mergeIn({ kind: "mapping", entries, resets, at }, merged);
}

/** What `<<` brings stands behind what the mapping says itself, and the first that says it counts. */
function mergeIn(mapping: Mapping, merged: readonly Mapping[]): Mapping {
  const all = [mapping, ...merged];
  const later = all.toReversed();
  return {
    ...mapping,
    entries: new Map([...mapping.entries, ...later.flatMap(({ entries }) => [...entries])]),
    resets: new Set(all.flatMap(({ resets }) => [...resets])),
  };
}

function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}

function readMerged(value: unknown, at: Place, reading: Reading): readonly Mapping[] {
  const tree = readNode(value, at, reading);
  const mappings = tree.kind === "list" ? tree.items : [tree];
  return mappings.map((mapping) => {
    if (mapping.kind === "mapping") return mapping;
    throw new ActionError("E_CONFIG", {
      what: "Behind << stands something else than a mapping or a list of mappings.",
      fix: "Write << : *anchor, where the anchor is on a mapping.",
      at,
    });
  });
}

function readName({ key }: Pair, at: Place, { source }: Reading): string {
  const name = isScalar(key) ? readScalar(key, at, { ...source, variables: undefined }) : undefined;
  if (name?.kind === "scalar" && name.type === "text") return name.text;
  throw new ActionError("E_CONFIG", {
    what: name?.kind === "scalar" ? `The name ${name.text || "null"} is not a text to YAML.` : "A name is not a text.",
    fix: "Put it between quotes.",
    at,
  });
}

function hasTag(node: unknown, tag: string): boolean {
  return (isScalar(node) || isMap(node) || isSeq(node)) && node.tag === tag;
}

function placeIn({ source: { file }, lines }: Reading, node: unknown, otherwise: Place): Place {
  const start = (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) && node.range?.[0];
  return typeof start === "number" ? { file, line: lines.linePos(start).line } : otherwise;
}

function twice(name: string, first: number | undefined, at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${name} occurs twice in one mapping; first in line ${first ?? "?"}.`,
    fix: "Take one of them out.",
    at,
  });
}

function containsItself(at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: "An anchor contains an alias of itself.",
    fix: "Take the alias out.",
    at,
  });
}

/** A file that no reader of ours, nor of compose's, would come to the end of. */
export function tooLarge(at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `This file has more than ${LARGEST_YAML / 1024} KiB, holds more than ${MAX_NODES} values or ${MOST_DOCUMENTS} documents, or is nested more than ${MAX_DEPTH} levels deep.`,
    fix: "Look for anchors that are used in one another.",
    at,
  });
}
