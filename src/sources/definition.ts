import type { JsonPath } from "../devcontainer/json.ts";
import { type BuildKind, buildKind } from "../devcontainer/kind.ts";
import {
  type BuildOption,
  type BuildOptionPair,
  type BuildOptions,
  formatOption,
  readBuildOptions,
} from "../devcontainer/options.ts";
import { placeOf } from "../devcontainer/parse.ts";
import type { Workspace } from "../devcontainer/paths.ts";
import { pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { type Substituted, substitutionAt } from "../devcontainer/substitute.ts";
import { tellPlace } from "../errors.ts";
import type { Files } from "../world.ts";
import { readCaches } from "./configured-caches.ts";
import { secretOption, sshOption } from "./definition-secrets.ts";
import {
  type Definition,
  type DefinitionRequest,
  type NamedContext,
  NOTHING,
  type Written,
} from "./definition-shape.ts";
import type { Doubt } from "./doubt.ts";
import { tellWithheld } from "./readable.ts";

/**
 * Tells what a configuration builds, with which options.
 * @throws ActionError E_CONFIG for what names nothing, or nothing valid.
 */
export async function readDefinition(request: DefinitionRequest, files: Files): Promise<Definition> {
  const { configuration, found, workspace } = request;
  const kind = buildKind(configuration, found.file, workspace.checkout);
  switch (kind.kind) {
    case "image":
      return { ...NOTHING, source: { kind: "image", image: writtenAt(configuration, ["image"], kind.image) } };
    case "dockerfile":
      return dockerfileDefinition(kind, request, await readOptions(kind, configuration));
    case "compose":
      // Only who uses compose waits until its reader and YAML's are loaded.
      return (await import("./definition-compose.ts")).composeDefinition(request, files);
  }
}

type DockerfileKind = Extract<BuildKind, { kind: "dockerfile" }>;
type ReadOptions = { readonly options: BuildOptions; readonly wrong: Definition["warnings"] };

/** Few have any: only they wait until what can be wrong with them is loaded. */
async function readOptions(kind: DockerfileKind, configuration: Substituted): Promise<ReadOptions> {
  const options = readBuildOptions(kind.options.map(({ text, path }) => ({ text, at: placeOf(configuration, path) })));
  const { counted, unknown } = options;
  if (counted.length + unknown.length === 0) return { options, wrong: [] };
  const { wrongOptions } = await import("./wrong-options.ts");
  return { options, wrong: wrongOptions(counted, unknown) };
}

function dockerfileDefinition(
  kind: DockerfileKind,
  { configuration, workspace, readable }: DefinitionRequest,
  { options, wrong }: ReadOptions,
): Definition {
  const fromEnvironment = kind.options.some(({ path }) => substitutionAt(configuration, path)?.fromEnvironment);
  const contexts = options.contexts.map((pair) => namedContext(pair, workspace, fromEnvironment));
  const own = [...kind.args].map(([name, { value, path }]) => [name, writtenAt(configuration, path, value)] as const);
  const optionArgs = options.args.flatMap((pair) => optionArgument(pair, readable.env, fromEnvironment));
  const { target } = options;
  const { caches, warnings } = readCaches([
    ...kind.cacheFrom.map((text, at) => ({ text, at: placeOf(configuration, ["build", "cacheFrom", at]) })),
    ...options.cacheFrom.map(({ value = "", at }) => ({ text: value, at })),
  ]);
  return {
    source: {
      kind: "dockerfile",
      dockerfile: writtenAt(configuration, kind.written.dockerfile, kind.dockerfile),
      context: writtenAt(configuration, kind.written.context, kind.context),
    },
    target:
      target?.value === undefined
        ? kind.target === undefined
          ? undefined
          : writtenAt(configuration, ["build", "target"], kind.target)
        : { value: target.value, at: target.at, fromEnvironment, fromHostPath: false },
    args: new Map([...own, ...optionArgs]),
    contexts: new Map(contexts.flatMap(({ name, context }) => (context ? [[name, context] as const] : []))),
    cacheFrom: caches,
    counted: [...options.counted, ...options.unknown, ...untold(contexts)].map((option) => ({
      ...option,
      fromEnvironment,
    })),
    secrets: options.uncounted.flatMap((option) => secretOption(option, workspace.folder)),
    ssh: options.uncounted.flatMap((option) => sshOption(option, workspace.folder)),
    uncounted: options.uncounted.filter(({ name }) => name !== "secret" && name !== "ssh"),
    user: undefined,
    warnings: [
      ...warnings,
      ...options.args.flatMap(({ name, value, at }) => {
        const found = value === undefined ? readable.withheld(name) : undefined;
        return found ? [{ text: `build.options: --build-arg reads ${tellWithheld(found)}`, at }] : [];
      }),
      ...options.overruled.map(({ option, why }) => ({
        text: `build.options: ${formatOption(option)} is left out, ${why}`,
        at: option.at,
      })),
      ...wrong,
    ],
    isIncomplete: contexts.some(({ doubt }) => doubt),
    doubt: contexts.find(({ doubt }) => doubt)?.doubt ?? unknownPath(options.unknown),
  };
}

function writtenAt(configuration: Substituted, path: JsonPath, value: string): Written {
  const { fromEnvironment = false, fromHostPath = false } = substitutionAt(configuration, path) ?? {};
  return { value, at: placeOf(configuration, path), fromEnvironment, fromHostPath };
}

/** Without a value it is the environment's; where that has none, docker leaves the arg out. */
function optionArgument(
  { name, value, at }: BuildOptionPair,
  env: DefinitionRequest["readable"]["env"],
  fromEnvironment: boolean,
): readonly (readonly [string, Written])[] {
  const given = value ?? (Object.hasOwn(env, name) ? env[name] : undefined);
  if (given === undefined) return [];
  return [[name, { value: given, at, fromEnvironment: fromEnvironment || value === undefined, fromHostPath: false }]];
}

/** What nobody knows is part of the sources all the same: without it they would be those of another image. */
function untold(contexts: readonly Named[]): BuildOption[] {
  return contexts.flatMap(({ name, doubt, source }) =>
    doubt?.kind === "plan" && doubt.at ? [{ name: "build-context", value: `${name}=${source}`, at: doubt.at }] : [],
  );
}

type Named = {
  readonly name: string;
  readonly source: string;
  readonly context?: NamedContext;
  readonly doubt?: Doubt;
};

/**
 * A folder of the checkout, from the workspace on, or an image by name; of anything else nobody can tell before the build what is in it.
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/#build-context
 */
function namedContext({ name, value, at }: BuildOptionPair, workspace: Workspace, fromEnvironment: boolean): Named {
  const source = value ?? "";
  const written = { at, fromEnvironment, fromHostPath: false };
  const image = /^docker-image:\/\/(.+)$/.exec(source)?.[1];
  if (image !== undefined) return { name, source, context: { kind: "image", value: image, ...written } };
  const isAddress = /^[a-z][a-z0-9+-]*:/.test(source) || source.startsWith("git@");
  const folder = resolvePath(workspace.folder, source);
  if (source !== "" && !isAddress && pathWithin(workspace.checkout, folder) !== undefined)
    return { name, source, context: { kind: "folder", value: folder, ...written } };
  return {
    name,
    source,
    doubt: {
      kind: "plan",
      what: `${tellPlace(at)}: what is in the build context ${name} cannot be told before the build`,
      fix: "Name a folder of this checkout, or an image as docker-image://…",
      at,
    },
  };
}

/** An option that nobody knows and that names a path may take anything from there. */
function unknownPath(unknown: readonly BuildOption[]): Doubt | undefined {
  const option = unknown.find(({ value }) => value?.includes("/"));
  if (!option) return undefined;
  return {
    kind: "plan",
    what: `${tellPlace(option.at)}: what the option --${option.name} takes into the image cannot be told before the build`,
    fix: "Take the option out, or use one that docker buildx build documents.",
    at: option.at,
  };
}
