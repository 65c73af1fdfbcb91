import { asBuild } from "./merge.ts";
import { isSet, type Mapping, mappingOf, type Scalar, type Tree, wrongType } from "./tree.ts";

/** What of a service decides about its image. */
const RELEVANT: ReadonlySet<string> = new Set(["build", "image", "platform", "user", "extends"]);

/**
 * The services of a document, without what does not concern their images.
 * @throws E_CONFIG where `services` is not a mapping.
 */
export function servicesOf(document: Mapping): Mapping {
  const services = document.entries.get("services");
  if (services === undefined) return mappingOf([], document.at);
  if (services.kind !== "mapping") throw wrongType(services, "services", "a mapping of services");
  return {
    ...services,
    entries: new Map([...services.entries].map(([name, service]) => [name, onlyRelevant(service)])),
  };
}

function onlyRelevant(service: Tree): Tree {
  if (service.kind !== "mapping") return service;
  return { ...service, entries: new Map([...service.entries].filter(([name]) => RELEVANT.has(name))) };
}

/**
 * Services in the one form that compose gives them between two files: short forms written out. It matters for what a later file's tags
 * find: `!reset` on a name has no effect on a list.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/transform/canonical.go
 */
export function canonicalServices(services: Mapping): Mapping {
  return changeEach(services, (service) =>
    service.kind === "mapping" ? change(service, "build", canonicalBuild) : service,
  );
}

function canonicalBuild(build: Tree): Tree {
  if (build.kind === "opaque") return build;
  return change(change(asBuild(build), "additional_contexts", asMapping), "ssh", asMapping);
}

/** `- name=value` as `name: value`; a name alone has no value. */
function asMapping(tree: Tree): Tree {
  if (tree.kind !== "list") return tree;
  return mappingOf(tree.items.map(splitAssignment), tree.at);
}

function splitAssignment(item: Tree): readonly [string, Tree] {
  if (item.kind !== "scalar" || item.type !== "text") throw wrongType(item, "An item of the list", "a text");
  const equals = item.text.indexOf("=");
  if (equals < 0) return [item.text, { ...item, type: "null", text: "" } satisfies Scalar];
  return [item.text.slice(0, equals), { ...item, text: item.text.slice(equals + 1) }];
}

function change(mapping: Mapping, name: string, into: (value: Tree) => Tree): Mapping {
  const value = mapping.entries.get(name);
  return isSet(value) ? { ...mapping, entries: new Map(mapping.entries).set(name, into(value)) } : mapping;
}

function changeEach(mapping: Mapping, into: (value: Tree) => Tree): Mapping {
  return { ...mapping, entries: new Map([...mapping.entries].map(([name, value]) => [name, into(value)])) };
}
