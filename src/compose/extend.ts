import { folderOf, pathWithin } from "../devcontainer/paths.ts";
import { ActionError, tellSome } from "../errors.ts";
import { canonicalServices, servicesOf } from "./canonical.ts";
import { layOver } from "./merge.ts";
import { isRemote, type ReadScope, readDocuments, resolveInside } from "./sources.ts";
import {
  isSet,
  type Mapping,
  mappingOf,
  type Opaque,
  placeOf,
  type Scalar,
  type Tree,
  tellText,
  wrongType,
} from "./tree.ts";

/** The services of a file, and what is needed to follow `extends` from there. */
export type Extending = {
  readonly services: Mapping;
  /** Absolute path of the file. */
  readonly path: string;
  readonly scope: ReadScope;
};

/** Nobody writes that many, and each takes room on the stack. */
const MOST_STEPS = 100;

/** How a service was reached: through which others, and whether from one of its own file. */
type Via = { readonly trail: readonly string[]; readonly isNeighbour: boolean };

/**
 * Lays a service over the one that its `extends` names, and that over its own. Paths in a service of another file count from there.
 * @returns the service without `extends`; opaque where one in the chain lies elsewhere than in the checkout, or compose itself does
 * not settle what the chain means.
 * @throws E_CONFIG for a service or file that is not there, and for a circle.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/extends.go
 */
export async function extendService(
  name: string,
  from: Extending,
  via: Via = { trail: [], isNeighbour: false },
): Promise<Tree | undefined> {
  const service = from.services.entries.get(name);
  const extension = service?.kind === "mapping" ? service.entries.get("extends") : undefined;
  if (service?.kind !== "mapping" || !isSet(extension)) return service;
  const step = `${name} in ${tellFile(from)}`;
  const trail = [...via.trail, step];
  if (via.trail.includes(step)) throw circle(trail, extension);
  if (trail.length > MOST_STEPS) throw tooLong(name, extension);
  if (via.isNeighbour && isTagged(service)) return unsettled(service);
  const { wanted, file } = readExtension(extension, `services.${name}.extends`);
  if (file && isRemote(file.text)) return elsewhere(file);
  const other = file ? await openOther(file, name, from) : from;
  if (!other.services.entries.has(wanted.text)) throw noService(name, wanted, other);
  const base = await extendService(wanted.text, other, { trail, isNeighbour: other === from });
  const own = { ...service, entries: new Map([...service.entries].filter(([key]) => key !== "extends")) };
  if (!isSet(base)) return own;
  if (base.kind === "opaque") return base;
  if (base.kind !== "mapping") throw wrongType(base, `services.${wanted.text}`, "a mapping");
  return layOver(base, own, "services.*");
}

function readExtension(extension: Tree, path: string): { readonly wanted: Scalar; readonly file: Scalar | undefined } {
  if (extension.kind === "scalar" && extension.type === "text") return { wanted: extension, file: undefined };
  if (extension.kind !== "mapping") throw wrongType(extension, path, "the name of a service, or a mapping with one");
  const wanted = extension.entries.get("service");
  if (wanted?.kind !== "scalar" || wanted.type !== "text") {
    throw new ActionError("E_CONFIG", {
      what: `${path} names no service.`,
      fix: "Write service: and the name of the service to extend.",
      at: extension.at,
    });
  }
  const file = extension.entries.get("file");
  if (!isSet(file)) return { wanted, file: undefined };
  if (file.kind === "scalar" && file.type === "text") return { wanted, file };
  throw wrongType(file, `${path}.file`, "the path of a file");
}

async function openOther(file: Scalar, name: string, { scope }: Extending): Promise<Extending> {
  const by = `services.${name}.extends.file`;
  const path = resolveInside(file, by, scope.sources.checkout);
  const inside = { ...scope, folder: folderOf(path) };
  const documents = await readDocuments(path, { by, at: file.at, fromEnvironment: file.fromEnvironment }, inside);
  const services = documents
    .map(servicesOf)
    .reduce((before, after) => canonicalServices(layOver(before, after, "services")), mappingOf([], file.at));
  return { services, path, scope: inside };
}

function isTagged(tree: Tree): boolean {
  return tree.kind === "mapping" && (tree.resets.size > 0 || [...tree.entries.values()].some(isTagged));
}

/** In the middle of a chain in one file, compose heeds the tags or not by the order in which it happens to take the services up. */
function unsettled(service: Mapping): Opaque {
  return {
    kind: "opaque",
    doubt: {
      what: "This service is extended, extends another, and has a !reset or !override, which compose sometimes heeds and sometimes not.",
      fix: "Say in the last service of the chain what shall not count.",
      at: service.at,
    },
  };
}

function elsewhere(file: Scalar): Opaque {
  return {
    kind: "opaque",
    doubt: {
      what: "The service extends one in a file that lies elsewhere.",
      fix: "Put the file into the repository, and name it here.",
      at: file.at,
    },
  };
}

function tellFile({ path, scope }: Extending): string {
  return pathWithin(scope.sources.checkout, path) ?? path;
}

function noService(name: string, wanted: Scalar, other: Extending): ActionError {
  const names = tellSome([...other.services.entries.keys()]);
  return new ActionError("E_CONFIG", {
    what: `services.${name} extends ${tellText(wanted)}, and there is no such service in ${tellFile(other)}.`,
    fix: names === "" ? "There is none at all." : `The services there are: ${names}.`,
    at: wanted.at,
  });
}

function tooLong(name: string, extension: Tree): ActionError {
  return new ActionError("E_CONFIG", {
    what: `More than ${MOST_STEPS} services extend one another, up to services.${name}.`,
    fix: "Say in one service what they have in common.",
    at: placeOf(extension),
  });
}

function circle(trail: readonly string[], extension: Tree): ActionError {
  return new ActionError("E_CONFIG", {
    what: `Services extend one another in a circle: ${trail.join(" → ")}.`,
    fix: "Take one extends out.",
    at: placeOf(extension),
  });
}
