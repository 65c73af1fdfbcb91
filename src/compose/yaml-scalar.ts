import type { Scalar as YamlScalar } from "yaml";
import type { Place } from "../errors.ts";
import type { Effort } from "../world.ts";
import { readPlainScalar } from "./go-scalar.ts";
import { fillTemplate, type Variables } from "./template.ts";
import type { Opaque, Scalar } from "./tree.ts";

type Origin = {
  readonly folder: string;
  /** Without any, dollar signs stay what they are. */
  readonly variables: Variables | undefined;
  readonly effort: Effort;
};

const NOT_TEXT = /^tag:yaml\.org,2002:(?:null|bool|int|float)$/;
const KNOWN_TAG = /^(?:!reset|!override|tag:yaml\.org,2002:(?:str|null|bool|int|float|map|seq))$/;

/** The value of a scalar that was parsed with the failsafe schema, which leaves all of them texts. */
export function readScalar(node: YamlScalar, at: Place, { folder, variables, effort }: Origin): Scalar | Opaque {
  const written = typeof node.value === "string" ? node.value : "";
  const tag = node.tag ?? "";
  const isText = node.type !== "PLAIN" || tag.endsWith(":str") || tag === "!override";
  const opaque = isText && NOT_TEXT.test(tag) ? opaqueFor(tag, at) : opaqueTag(node.tag, at);
  if (opaque) return opaque;
  const value = isText ? { type: "text" as const, text: written } : readPlainScalar(written);
  const below = node.type === "BLOCK_LITERAL" && at.line !== undefined ? { textAt: { ...at, line: at.line + 1 } } : {};
  const read = { kind: "scalar", ...value, at, ...below, folder } as const;
  const scalar: Scalar = { ...read, fromEnvironment: false, unset: [], missing: [] };
  if (value.type !== "text" || !variables) return scalar;
  const filled = fillTemplate(value.text, variables, at);
  effort.spend(filled.text.length, at);
  return { ...scalar, ...filled };
}

/** A value of which nothing is written. */
export function emptyScalar(at: Place, folder: string): Scalar {
  return { kind: "scalar", type: "null", text: "", at, folder, fromEnvironment: false, unset: [], missing: [] };
}

/** What stands for a value with a tag whose meaning is not ours to guess; nothing where the tag is known, or there is none. */
export function opaqueTag(tag: string | undefined, at: Place): Opaque | undefined {
  return tag === undefined || KNOWN_TAG.test(tag) ? undefined : opaqueFor(tag, at);
}

/** What stands for a value with a tag that is not understood. */
export function opaqueFor(tag: string, at: Place): Opaque {
  const what = `The value has the YAML tag ${tag.replace("tag:yaml.org,2002:", "!!")}`;
  return { kind: "opaque", doubt: { what, fix: "Write the value without the tag.", at } };
}
