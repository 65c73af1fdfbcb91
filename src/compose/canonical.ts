import { nearestName } from "../nearest.ts";
import { asBuild } from "./merge.ts";
import { isSet, type Mapping, mappingOf, placeOf, type Scalar, type Tree, wrongType } from "./tree.ts";
import { emptyScalar } from "./yaml-scalar.ts";

/** What of a service decides about its image. No other property of one is so near these that it would be taken for it. */
export const RELEVANT: readonly string[] = ["build", "image", "platform", "user", "extends"];

/** Nobody writes more, and none is compared without bound. */
const MOST_COMPARED = 1000;

/**
 * The services of a document, without what does not concern their images.
 * @throws E_CONFIG where `services` is not a mapping.
 */
export function servicesOf(document: Mapping): Mapping {
  const services = document.entries.get("services");
  if (services === undefined) return mappingOf([], document.at);
  if (services.kind !== "mapping") throw wrongType(services, "services", "a mapping of services");
  let compared = 0;
  const isMistyped = (name: string): boolean =>
    compared++ < MOST_COMPARED && nearestName(name, RELEVANT) !== undefined && !name.startsWith("x-");
  const onlyRelevant = (service: Tree): Tree => {
    if (service.kind !== "mapping") return service;
    const entries = [...service.entries].flatMap(([name, value]): [string, Tree][] => {
      if (RELEVANT.includes(name)) return [[name, value]];
      // Of what is only to be told, nothing counts but its place.
      return isMistyped(name) ? [[name, emptyScalar(placeOf(value), "")]] : [];
    });
    return { ...service, entries: new Map(entries) };
  };
  return {
    ...services,
    entries: new Map([...services.entries].map(([name, service]) => [name, onlyRelevant(service)])),
  };
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
