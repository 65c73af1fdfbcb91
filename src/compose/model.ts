import { ActionError } from "../errors.ts";
import { canonicalServices, servicesOf } from "./canonical.ts";
import { extendService } from "./extend.ts";
import { type Inclusion, type ModelScope, readInclusions } from "./include.ts";
import { layOver } from "./merge.ts";
import { type Named, readDocuments } from "./sources.ts";
import { type Doubt, type Mapping, mappingOf, placeOf, saysTheSame, type Tree, wrongType } from "./tree.ts";
import { emptyScalar } from "./yaml-scalar.ts";

/** What the compose files of a project say, as far as it concerns one service. */
export type Model = {
  /** All services; of those that were not asked for only the name. */
  readonly services: Mapping;
  readonly secrets: Mapping;
  /** What was included and could not be read: anything may be there. */
  readonly unread: readonly Doubt[];
};

/** Bytes of memory of a service that was not asked for. */
const ENTRY = 200;

/**
 * Reads compose files, lays the later ones over the earlier ones, and follows `extends` and `include`.
 * @param paths absolute.
 * @throws E_CONFIG with the line for what compose refuses too, as far as it concerns the service.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/loader.go (loadYamlModel)
 */
export async function loadModel(paths: readonly string[], named: Named, scope: ModelScope): Promise<Model> {
  const nothing = mappingOf([], named.at);
  let model: Model = { services: nothing, secrets: nothing, unread: [] };
  for (const path of paths) {
    for (const document of await readDocuments(path, named, scope)) {
      model = laterOver(model, await readPart(document, path, scope), document);
      // All that was said before is gone through once for each document.
      scope.sources.effort.spend(ENTRY * (model.services.entries.size + model.secrets.entries.size), named.at);
    }
  }
  return model;
}

/** What one document says, together with what it extends and includes. */
async function readPart(document: Mapping, path: string, scope: ModelScope): Promise<Model> {
  const services = servicesOf(document);
  const own = await extendService(scope.wanted, { services, path, scope });
  const names = [...services.entries].map(
    ([name, service]) => [name, emptyScalar(placeOf(service), scope.folder)] as const,
  );
  let part: Model = {
    services: { ...services, entries: new Map<string, Tree>(own ? [...names, [scope.wanted, own]] : names) },
    secrets: sectionOf(document, "secrets"),
    unread: [],
  };
  const including = { ...scope, including: [...scope.including, path] };
  for (const inclusion of await readInclusions(document.entries.get("include"), including)) {
    part = "kind" in inclusion ? await withIncluded(part, inclusion) : { ...part, unread: [...part.unread, inclusion] };
  }
  return part;
}

async function withIncluded(part: Model, { paths, scope, named }: Inclusion): Promise<Model> {
  const included = await loadModel(paths, named, scope);
  return {
    services: withoutConflict(part.services, withDefaultContext(included.services, scope), "services"),
    secrets: withoutConflict(part.secrets, included.secrets, "secrets"),
    unread: [...part.unread, ...included.unread],
  };
}

/** What is included may be there already only if it is the very same. */
function withoutConflict(own: Mapping, included: Mapping, section: string): Mapping {
  for (const [name, value] of included.entries) {
    const before = own.entries.get(name);
    if (before === undefined || saysTheSame(before, value)) continue;
    const { file, line = 1 } = placeOf(value);
    throw new ActionError("E_CONFIG", {
      what: `${section}.${name} is also in ${file}:${line}, which is included here.`,
      fix: "Give one of them another name, or change the included one in a later compose file.",
      at: placeOf(before),
    });
  }
  return { ...own, entries: new Map([...own.entries, ...included.entries]) };
}

function laterOver(earlier: Model, later: Model, document: Mapping): Model {
  const kept = (name: string, section: Mapping): Mapping =>
    document.resets.has(name) ? mappingOf([], section.at) : section;
  const services = layOver(kept("services", earlier.services), later.services, "services", servicesOf(document));
  return {
    services: canonicalServices(services),
    secrets: layOver(kept("secrets", earlier.secrets), later.secrets, "secrets"),
    unread: [...earlier.unread, ...later.unread],
  };
}

function sectionOf(document: Mapping, name: string): Mapping {
  const section = document.entries.get(name);
  if (section === undefined || (section.kind === "scalar" && section.type === "null"))
    return mappingOf([], document.at);
  if (section.kind === "mapping") return section;
  throw wrongType(section, name, "a mapping");
}

/** The context of an included build that names none is the included project's folder, not the including one's. */
function withDefaultContext(services: Mapping, { wanted, folder }: ModelScope): Mapping {
  const service = services.entries.get(wanted);
  const build = service?.kind === "mapping" ? service.entries.get("build") : undefined;
  if (service?.kind !== "mapping" || build?.kind !== "mapping" || build.entries.has("context")) return services;
  const context = { ...emptyScalar(build.at, folder), type: "text", text: "." } as const;
  const complete = { ...build, entries: new Map(build.entries).set("context", context) };
  const entries = new Map(service.entries).set("build", complete);
  return { ...services, entries: new Map(services.entries).set(wanted, { ...service, entries }) };
}
