import { getNodeValue, type Node, type ParseError, parseTree } from "jsonc-parser";
import type { Json } from "../devcontainer/json.ts";
import type { ActionError } from "../errors.ts";

/** Makes the error for a text that Go does not read; `why` continues a sentence that starts with its name. */
export type Refuse = (why: string, offset: number) => ActionError;

/** The properties of an object by the names that Go's type has for them, `null` left out. */
export type Fields = ReadonlyMap<string, Node>;

const MOST_LEVELS = 200;

/** JSON with comments, and with commas behind the last item, as tailscale's hujson takes it. @throws what `refuse` makes. */
export function parseTyped(text: string, refuse: Refuse): Node | undefined {
  refuseNesting(text, refuse);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error || text.startsWith("\uFEFF")) throw refuse("cannot be read as JSON with comments", error?.offset ?? 0);
  return root;
}

/** Before anything is read: the parser itself goes down as deep as the text does. */
function refuseNesting(text: string, refuse: Refuse): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
    // Brackets in texts and comments count too: nobody has as many of them.
    if (depth > MOST_LEVELS) throw refuse(`is nested more than ${MOST_LEVELS} levels deep`, at);
  }
}

/**
 * Reads an object into a type's fields: names count in any case of their letters.
 * @param known the names that the type has.
 * @throws what `refuse` makes, for what is no object, and for two spellings of one name, of which Go takes the last.
 */
export function fieldsOf(node: Node | undefined, name: string, known: readonly string[], refuse: Refuse): Fields {
  const names = new Map(known.map((field) => [field.toLowerCase(), field]));
  const seen = new Set<string>();
  const fields = new Map<string, Node>();
  for (const [written, value] of membersOf(node, name, refuse)) {
    const field = names.get(written.toLowerCase());
    if (field === undefined) continue;
    if (seen.has(field)) throw refuse(`names ${written} twice`, value.offset);
    seen.add(field);
    if (value.type !== "null") fields.set(field, value);
  }
  return fields;
}

/** The members of an object in their order; none of what is not there. */
export function membersOf(node: Node | undefined, name: string, refuse: Refuse): readonly (readonly [string, Node])[] {
  if (!node || node.type === "null") return [];
  if (node.type !== "object") throw refuse(`has something else than an object as ${name}`, node.offset);
  return (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
    key && value ? [[wellFormed(key.value), value] as const] : [],
  );
}

/** A text; empty where it is not there. */
export function readText(node: Node | undefined, name: string, refuse: Refuse): string {
  if (!node || node.type === "null") return "";
  if (node.type !== "string") throw refuse(`has something else than a text as ${name}`, node.offset);
  return wellFormed(node.value);
}

/** An object of texts. */
export function readTexts(node: Node | undefined, name: string, refuse: Refuse): ReadonlyMap<string, string> {
  const members = membersOf(node, name, refuse);
  return new Map(members.map(([key, value]) => [key, readText(value, `${name}.${key}`, refuse)]));
}

/** Whether a list holds nothing but texts. */
export function isTexts({ type, children = [] }: Node): boolean {
  return type === "array" && children.every((child) => child.type === "string");
}

/** Any value. */
export function jsonValue(node: Node): Json {
  const json: Json = getNodeValue(node);
  return json;
}

/** Go has no halves of characters in its texts. */
function wellFormed(text: unknown): string {
  return String(text).replaceAll(/\p{Cs}/gu, "\uFFFD");
}
