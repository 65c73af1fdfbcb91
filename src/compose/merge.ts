import { ActionError } from "../errors.ts";
import { isSet, type List, type Mapping, mappingOf, placeOf, type Scalar, type Tree, wrongType } from "./tree.ts";

/**
 * Lays a later file's mapping over that of earlier ones, by compose's rules: mappings name by name, lists one behind the other, what is
 * `NAME=value` in either form as a list of those, anything else replaced; what is tagged `!reset` or `!override` begins anew.
 * @param path where both stand in the file, with `*` for the name of a service.
 * @param tagged the later mapping as it is written, where `over` holds more than that.
 * @throws E_CONFIG for a list over a mapping and the like.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/override/merge.go
 */
export function layOver(base: Mapping, over: Mapping, path: string, tagged: Mapping = over): Mapping {
  return mergeMappings(withoutReset(base, tagged), over, path);
}

type Rule = (base: Tree, over: Tree, path: string) => Tree;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["services.*.build", (base, over, path) => mergeMappings(asBuild(base), asBuild(over), path)],
  ["services.*.build.args", concatenate],
  ["services.*.build.additional_contexts", concatenate],
  ["services.*.build.labels", concatenate],
  ["services.*.build.extra_hosts", appendNew],
]);

function merge(base: Tree, over: Tree, path: string): Tree {
  const rule = RULES.get(path);
  if (!isSet(base)) return isSet(over) ? over : base;
  if (!isSet(over) || base.kind === "opaque") return base;
  if (over.kind === "opaque") return over;
  if (rule) return rule(base, over, path);
  if (base.kind === "mapping" && over.kind === "mapping") return mergeMappings(base, over, path);
  if (base.kind === "list" && over.kind === "list") return { ...over, items: [...base.items, ...over.items] };
  if (base.kind === "scalar") return over;
  throw clash(base, over, path);
}

function mergeMappings(base: Mapping, over: Mapping, path: string): Mapping {
  const entries = new Map(base.entries);
  for (const [name, value] of over.entries) {
    const before = entries.get(name);
    entries.set(name, before === undefined ? value : merge(before, value, below(path, name)));
  }
  return { ...over, entries };
}

function below(path: string, name: string): string {
  if (path === "services") return "services.*";
  return path === "" ? name : `${path}.${name}`;
}

/** What the tags of a later mapping leave of an earlier one. */
function withoutReset(base: Mapping, tagged: Mapping): Mapping {
  const left = [...base.entries].filter(([name]) => !tagged.resets.has(name));
  return mappingOf(
    left.map(([name, value]) => {
      const later = tagged.entries.get(name);
      const both = value.kind === "mapping" && later?.kind === "mapping";
      return [name, both ? withoutReset(value, later) : value] as const;
    }),
    base.at,
  );
}

/** `build: folder` is short for `build: { context: folder }`. */
export function asBuild(build: Tree): Mapping {
  if (build.kind === "mapping") return build;
  if (build.kind === "scalar" && build.type === "text") return mappingOf([["context", build]], build.at);
  throw wrongType(build, "build", "a mapping or the path of a folder");
}

function concatenate(base: Tree, over: Tree): List {
  return { kind: "list", items: [...asAssignments(base), ...asAssignments(over)], at: placeOf(over) };
}

/** extra_hosts: what is there already, word for word, is not repeated. */
function appendNew(base: Tree, over: Tree): List {
  const before = asAssignments(base);
  const texts = new Set(before.map((item) => (item.kind === "scalar" ? item.text : "")));
  const added = asAssignments(over).filter((item) => item.kind !== "scalar" || !texts.has(item.text));
  return { kind: "list", items: [...before, ...added], at: placeOf(over) };
}

/** A mapping as a list of `NAME=value`, several for a name with a list; names without a value stand alone. */
function asAssignments(tree: Tree): readonly Tree[] {
  if (tree.kind === "list") return tree.items;
  if (tree.kind !== "mapping") return [tree];
  return [...tree.entries].flatMap(([name, value]) =>
    (value.kind === "list" ? value.items : [value]).map((item) => asAssignment(name, item)),
  );
}

function asAssignment(name: string, value: Tree): Tree {
  if (value.kind !== "scalar") return value;
  const text = value.type === "null" ? name : `${name}=${value.text}`;
  return { ...value, type: "text", text } satisfies Scalar;
}

function clash(base: Tree, over: Tree, path: string): ActionError {
  const { file, line } = placeOf(base);
  return new ActionError("E_CONFIG", {
    what: `${path.replace("services.*.", "")} is a ${over.kind} here and a ${base.kind} in ${file}:${line ?? 1}: compose cannot put them together.`,
    fix: "Write both in the same form.",
    at: placeOf(over),
  });
}
