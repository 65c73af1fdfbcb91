import type { Secret } from "../arguments/secrets.ts";
import type { Ssh } from "../arguments/ssh.ts";
import type { FoundConfiguration } from "../devcontainer/find.ts";
import type { JsonPath } from "../devcontainer/json.ts";
import { type BuildKind, buildKind } from "../devcontainer/kind.ts";
import { type BuildOption, type BuildOptionPair, formatOption, readBuildOptions } from "../devcontainer/options.ts";
import { placeOf } from "../devcontainer/parse.ts";
import { pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { type Substituted, substitutionAt } from "../devcontainer/substitute.ts";
import { type Place, tellPlace } from "../errors.ts";
import type { Doubt } from "../plan/upstream.ts";
import type { Files } from "../world.ts";
import { secretOption, sshOption } from "./definition-secrets.ts";

/** A value as it is used, the place where a person finds it, and what took part in it. */
export type Written = {
  readonly value: string;
  readonly at: Place;
  /** Such a value may be secret. */
  readonly fromEnvironment: boolean;
  /** Such a value is another one in every checkout. */
  readonly fromHostPath: boolean;
};

/** Where a named build context is: an absolute folder, or an image. */
export type NamedContext = { readonly kind: "folder" | "image" } & Written;

/** An option of buildx that changes the image's bytes. */
export type CountedOption = BuildOption & { readonly fromEnvironment: boolean };

/** How something is built. */
export type BuildRequest = {
  readonly target: Written | undefined;
  readonly args: ReadonlyMap<string, Written>;
  readonly contexts: ReadonlyMap<string, NamedContext>;
  readonly cacheFrom: readonly string[];
  readonly counted: readonly CountedOption[];
  /** What RUN may mount: where it is, never what it is. Paths are in the workspace. */
  readonly secrets: readonly Secret[];
  readonly ssh: readonly Ssh[];
  /** Options of buildx that do not change the image. */
  readonly uncounted: readonly BuildOption[];
};

/** A Dockerfile that is written where it is asked for. */
export type InlineDockerfile = { readonly text: string; readonly at: Place; readonly fromEnvironment: boolean };

/** What is built, wherever it was said: in devcontainer.json, in a compose file, by inputs. Paths are absolute. */
export type Definition = BuildRequest & {
  readonly source:
    | { readonly kind: "image"; readonly image: Written }
    | {
        readonly kind: "dockerfile";
        readonly dockerfile: Written | InlineDockerfile;
        readonly context: Written;
      }
    /** It cannot be told before the build, and we do not know how to build it either: there is a doubt then. */
    | { readonly kind: "unreadable"; readonly at: Place };
  /** The user of a compose service. */
  readonly user: Written | undefined;
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
  /** A named context is missing, so that nothing can be built: its name would mean an image. */
  readonly isIncomplete: boolean;
  readonly doubt: Doubt | undefined;
};

export type DefinitionRequest = {
  readonly configuration: Substituted;
  readonly found: Pick<FoundConfiguration, "file" | "relative">;
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
};

/**
 * Tells what a configuration builds, with which options.
 * @throws ActionError E_CONFIG for what names nothing, or nothing valid.
 */
export async function readDefinition(request: DefinitionRequest, files: Files): Promise<Definition> {
  const { configuration, found, workspace } = request;
  const kind = buildKind(configuration, found.file, workspace);
  switch (kind.kind) {
    case "image":
      return { ...NOTHING, source: { kind: "image", image: writtenAt(configuration, ["image"], kind.image) } };
    case "dockerfile":
      return dockerfileDefinition(kind, request);
    case "compose":
      // Only who uses compose waits until its reader and YAML's are loaded.
      return (await import("./definition-compose.ts")).composeDefinition(request, files);
  }
}

/** A definition in which nothing but the source is said. */
export const NOTHING = {
  target: undefined,
  args: new Map(),
  contexts: new Map(),
  cacheFrom: [],
  counted: [],
  secrets: [],
  ssh: [],
  uncounted: [],
  user: undefined,
  warnings: [],
  isIncomplete: false,
  doubt: undefined,
} as const satisfies Omit<Definition, "source">;

function dockerfileDefinition(
  kind: Extract<BuildKind, { kind: "dockerfile" }>,
  { configuration, workspace, env }: DefinitionRequest,
): Definition {
  const optionTexts = kind.options.map(({ text, path }) => ({ text, at: placeOf(configuration, path) }));
  const options = readBuildOptions(optionTexts);
  const fromEnvironment = kind.options.some(({ path }) => substitutionAt(configuration, path)?.fromEnvironment);
  const contexts = options.contexts.map((pair) => namedContext(pair, workspace, fromEnvironment));
  const own = [...kind.args].map(([name, { value, path }]) => [name, writtenAt(configuration, path, value)] as const);
  const optionArgs = options.args.flatMap((pair) => optionArgument(pair, env, fromEnvironment));
  const { target } = options;
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
    cacheFrom: [...kind.cacheFrom, ...options.cacheFrom],
    counted: [...options.counted, ...options.unknown, ...untold(contexts)].map((option) => ({
      ...option,
      fromEnvironment,
    })),
    secrets: options.uncounted.flatMap((option) => secretOption(option, workspace)),
    ssh: options.uncounted.flatMap((option) => sshOption(option, workspace)),
    uncounted: options.uncounted.filter(({ name }) => name !== "secret" && name !== "ssh"),
    user: undefined,
    warnings: [
      ...options.overruled.map(({ option, why }) => ({
        text: `build.options: ${formatOption(option)} is left out, ${why}`,
        at: option.at,
      })),
      ...options.unknown.map((option) => ({
        text: `build.options: --${option.name} is not known here; it counts for the key as it is written, and buildx is told`,
        at: option.at,
      })),
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
  env: DefinitionRequest["env"],
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
 * A folder inside the workspace or an image by name; of anything else nobody can tell before the build what is in it.
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/#build-context
 */
export function namedContext({ name, value, at }: BuildOptionPair, workspace: string, fromEnvironment: boolean): Named {
  const source = value ?? "";
  const written = { at, fromEnvironment, fromHostPath: false };
  const image = /^docker-image:\/\/(.+)$/.exec(source)?.[1];
  if (image !== undefined) return { name, source, context: { kind: "image", value: image, ...written } };
  const isAddress = /^[a-z][a-z0-9+-]*:/.test(source) || source.startsWith("git@");
  const folder = resolvePath(workspace, source);
  if (source !== "" && !isAddress && pathWithin(workspace, folder) !== undefined)
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
