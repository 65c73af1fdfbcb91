import { folderOf, pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { ActionError, type Place } from "../errors.ts";
import { withEnvFiles } from "./environment.ts";
import { isRemote, type Named, type ReadScope, resolveInside } from "./sources.ts";
import type { Variables } from "./template.ts";
import { type Doubt, isSet, type Scalar, type Tree, wrongType } from "./tree.ts";

/** What a project's files are read with, `include` and `extends` followed. */
export type ModelScope = ReadScope & {
  /** The service that is asked for. */
  readonly wanted: string;
  /** The files that led here by `include`, absolute. */
  readonly including: readonly string[];
};

/** The compose files of another project that one includes, with the folder and the variables of that one. */
export type Inclusion = {
  readonly kind: "inclusion";
  /** Absolute; the later ones lie over the first. */
  readonly paths: readonly string[];
  readonly scope: ModelScope;
  readonly named: Named;
};

/**
 * What a file includes, in its order.
 * @returns a doubt in the place of what lies elsewhere than in the checkout.
 * @throws E_CONFIG for what is no list of paths, and for a circle.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/include.go
 */
export async function readInclusions(
  include: Tree | undefined,
  scope: ModelScope,
): Promise<readonly (Inclusion | Doubt)[]> {
  if (!isSet(include)) return [];
  if (include.kind !== "list") throw wrongType(include, "include", "a list");
  return Promise.all(include.items.map((item) => readInclusion(item, scope)));
}

async function readInclusion(item: Tree, scope: ModelScope): Promise<Inclusion | Doubt> {
  const fields = item.kind === "mapping" ? item.entries : new Map([["path", item]]);
  const written = textsOf(fields.get("path"), "include.path");
  const [first, ...others] = written;
  if (first === undefined) throw wrongType(item, "An item of include", "a path, or a mapping with one");
  const remote = written.find((path) => isRemote(path.text));
  if (remote) return elsewhere(remote.at);
  const { checkout } = scope.sources;
  const path = resolveInside(first, "include.path", checkout);
  if (scope.including.includes(path)) throw circle(pathWithin(checkout, path) ?? path, first.at);
  const [project] = textsOf(fields.get("project_directory"), "include.project_directory");
  const folder = project ? resolveInside(project, "include.project_directory", checkout) : folderOf(path);
  return {
    kind: "inclusion",
    paths: [path, ...others.map((other) => resolveInside(other, "include.path", checkout))],
    scope: { ...scope, folder, variables: await includedVariables(fields.get("env_file"), folder, scope) },
    named: { by: "include", at: first.at, fromEnvironment: written.some(({ fromEnvironment }) => fromEnvironment) },
  };
}

async function includedVariables(envFile: Tree | undefined, folder: string, scope: ModelScope): Promise<Variables> {
  const { sources, variables } = scope;
  const by = "include.env_file";
  const listed = textsOf(envFile, by);
  const [first] = listed;
  if (first) {
    const paths = listed.map((path) => resolveInside(path, by, sources.checkout));
    return withEnvFiles(sources, paths, variables, { by, at: first.at, fromEnvironment: first.fromEnvironment });
  }
  const file = resolvePath(folder, ".env");
  if (!(await sources.isFile(file))) return variables;
  return withEnvFiles(sources, [file], variables, { by: ".env", at: { file } });
}

function textsOf(tree: Tree | undefined, path: string): readonly Scalar[] {
  if (!isSet(tree)) return [];
  const items = tree.kind === "list" ? tree.items : [tree];
  return items.map((item) => {
    if (item.kind === "scalar" && item.type === "text") return item;
    throw wrongType(item, path, "a text");
  });
}

function elsewhere(at: Place): Doubt {
  return {
    what: "This includes compose files that lie elsewhere.",
    fix: "Put them into the repository, and include them from there.",
    at,
  };
}

function circle(file: string, at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `Compose files include one another in a circle, which comes back to ${file}.`,
    fix: "Take one include out.",
    at,
  });
}
