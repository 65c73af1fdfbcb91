import { refuseUtf16, whyNoFile } from "../devcontainer/kinds.ts";
import { pathWithin, type Workspace } from "../devcontainer/paths.ts";
import { type Dockerfile, parseDockerfile } from "../dockerfile/parse.ts";
import { targetStage } from "../dockerfile/stages.ts";
import { ActionError, type Warning, withNoticed } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Effort, Files, World } from "../world.ts";
import { type BuildArguments, readBuildArguments } from "./build-arguments.ts";
import type { Definition } from "./definition-shape.ts";
import { readImageName } from "./image-name.ts";
import { refusePointer } from "./lfs-pointers.ts";
import type { Readable } from "./readable.ts";
import { scopeOf } from "./scopes.ts";
import { type ContextReader, type Ignoring, openNamedContexts, readUsedContext } from "./used-context.ts";
import { findContext, refuseOutside } from "./workspace.ts";

/** A folder that a build reads, with what of it counts. `seen`: from the checkout. */
export type ContextFolder = {
  readonly root: string;
  readonly seen: string;
  readonly entries: readonly ContextEntry[];
};

/** The build context, with what each platform's build can take of it. */
export type BuildContext = {
  readonly root: string;
  readonly entries: ReadonlyMap<string, readonly ContextEntry[]>;
};

/** By platform, the ONBUILD triggers of the images that stages are built on. */
export type Triggers = ReadonlyMap<string, readonly string[]>;

/** What an image is built from, as it was read. */
export type BuildSource = {
  /** The Dockerfile's text as it was hashed; for an image, the one that we write. */
  readonly dockerfileText: string;
  readonly dockerfile: Dockerfile;
  /** How messages name the Dockerfile; nothing where it is ours. */
  readonly file: string | undefined;
  readonly context: BuildContext | undefined;
  /** The context's folder as seen from the checkout. */
  readonly contextFolder: string;
  /** The ignore file that counts, or the one that would, as seen from the checkout. */
  readonly ignoreFile: string;
  readonly ignoring: Ignoring;
  readonly arguments: BuildArguments;
  readonly warnings: readonly Warning[];
};

type Reading = {
  readonly inputs: Inputs;
  readonly definition: Definition;
  readonly workspace: Workspace;
  readonly readable: Readable;
  readonly triggers: Triggers;
};
export type SourcePorts = Pick<World, "files" | "host"> & { readonly effort: Effort };

/**
 * Reads the Dockerfile and what the build takes of its context; for an image, the Dockerfile that we write.
 * @throws ActionError for everything that is wrong with them.
 */
export async function readSource(reading: Reading, ports: SourcePorts): Promise<BuildSource> {
  const { source } = reading.definition;
  switch (source.kind) {
    case "image":
      readImageName(source.image.value, source.image.value, source.image.at);
      return withoutDockerfile(`FROM ${source.image.value}\n`, reading, ports);
    case "dockerfile":
      return dockerfileSources(source, reading, ports);
    case "unreadable":
      return withoutDockerfile("FROM scratch\n", reading, ports);
  }
}

/** An image as it is still gets the metadata label, so that it says what the configuration says. */
async function withoutDockerfile(
  dockerfileText: string,
  { inputs, definition, workspace, readable }: Reading,
  { files, host }: SourcePorts,
): Promise<BuildSource> {
  const dockerfile = parseDockerfile(dockerfileText, "Dockerfile");
  if (definition.target?.input !== undefined) requireTarget(dockerfile, definition);
  const ours = { dockerfile, file: undefined };
  const told = await readBuildArguments(inputs, definition, ours, {
    files,
    host,
    workspace,
    readable,
  });
  return {
    dockerfileText,
    dockerfile,
    file: undefined,
    context: undefined,
    contextFolder: ".",
    ignoreFile: ".dockerignore",
    ignoring: { lines: [], leftOutBy: () => undefined },
    arguments: told,
    warnings: told.warnings,
  };
}

/** What an input asks for is no fault of the file. @throws ActionError E_INPUT or E_DOCKERFILE where there is no such stage. */
function requireTarget(dockerfile: Dockerfile, { target, source }: Definition): void {
  try {
    targetStage(dockerfile, target?.value);
  } catch (error) {
    if (!(error instanceof ActionError) || target?.input === undefined) throw error;
    const where = source.kind === "dockerfile" ? dockerfile.file : "a configuration that names an image";
    throw new ActionError("E_INPUT", {
      what: `The input target is "${target.value}", and ${where} has no such stage.`,
      fix:
        source.kind === "dockerfile"
          ? (error.fix ?? "Name one of its stages.")
          : "Leave the input out, or build from a Dockerfile.",
      cause: error,
    });
  }
}

type DockerfileSource = Extract<Definition["source"], { readonly kind: "dockerfile" }>;

async function dockerfileSources(
  source: DockerfileSource,
  { inputs, definition, workspace, readable, triggers }: Reading,
  { files, host, effort }: SourcePorts,
): Promise<BuildSource> {
  const { checkout } = workspace;
  const { text, file, firstLine, path } = await readDockerfile(files, checkout, source.dockerfile);
  refuseLostText(text, file, firstLine);
  refusePointer("E_DOCKERFILE", { text, file }, host.clone);
  const root = await findContext(files, checkout, source.context);
  const dockerfile = parseDockerfile(text, file, firstLine);
  const target = definition.target?.value;
  requireTarget(dockerfile, definition);
  const told = await readBuildArguments(inputs, definition, { dockerfile, file }, { files, host, workspace, readable });
  const platforms = inputs.platforms.map((platform) => {
    const name = formatPlatform(platform);
    return [
      name,
      { scope: scopeOf({ arguments: told, definition, effort }, platform), triggers: triggers.get(name) ?? [] },
    ] as const;
  });
  const user = { root, checkout, dockerfilePath: path, dockerfile, target, platforms: new Map(platforms) };
  // Who builds no Dockerfile does not read all that can be wrong in one.
  const { findWrongLines } = await import("../dockerfile/wrong-lines.ts");
  const wrong = findWrongLines(dockerfile, told.args.BUILDKIT_SYNTAX ?? told.uncounted.BUILDKIT_SYNTAX);
  const noticed = [...told.warnings, ...wrong];
  const context = await readUsedContext(files, user, effort).catch((error: unknown) => {
    // An arg that is not what was meant may be why a file is missing.
    throw withNoticed(error, noticed);
  });
  return {
    dockerfileText: text,
    dockerfile,
    file,
    context: { root, entries: context.entries },
    contextFolder: pathWithin(checkout, root) ?? ".",
    ignoreFile: context.ignoreFile,
    ignoring: context.ignoring,
    arguments: told,
    warnings: [...noticed, ...context.warnings],
  };
}

/** What is not UTF-8 has become U+FFFD on the way here: different files would be equal, and another one would be built. */
function refuseLostText(text: string, file: string, firstLine: number): void {
  const at = text.indexOf("\uFFFD");
  if (at < 0) return;
  const line = firstLine + text.slice(0, at).split("\n").length - 1;
  throw new ActionError("E_DOCKERFILE", {
    what: `${file}:${line}: there is a character that is not UTF-8.`,
    fix: "Save the file as UTF-8.",
    at: { file, line },
  });
}

type DockerfileText = {
  readonly text: string;
  readonly file: string;
  /** Of the file: the text may stand in the midst of it. */
  readonly firstLine: number;
  readonly path: string | undefined;
};

async function readDockerfile(
  files: Files,
  checkout: string,
  dockerfile: DockerfileSource["dockerfile"],
): Promise<DockerfileText> {
  if ("text" in dockerfile) {
    const { file, line = 1 } = dockerfile.at;
    return { text: dockerfile.text, file, firstLine: line, path: undefined };
  }
  const file = pathWithin(checkout, dockerfile.value) ?? dockerfile.value;
  await refuseOutside(files, checkout, dockerfile);
  const real = await files.realPath(dockerfile.value);
  const isFile = real !== undefined && (await files.stat(real))?.kind === "file";
  const text = isFile ? await files.readText(dockerfile.value) : undefined;
  if (text !== undefined) {
    refuseUtf16(text, file, "E_DOCKERFILE");
    return { text, file, firstLine: 1, path: dockerfile.value };
  }
  const why = await whyNoFile(files, dockerfile.value);
  if (dockerfile.at.file === file)
    throw new ActionError("E_INPUT", {
      what: `The input dockerfile-path names ${file}, ${why}.`,
      fix: "Check the path: it counts from the workspace; upper and lower case count.",
    });
  throw new ActionError("E_CONFIG", {
    what: `${dockerfile.at.file} names the Dockerfile ${file}, ${why}.`,
    fix: "Check the path: it counts from the folder of the file that names it.",
    at: dockerfile.at,
  });
}

/** The folders among the named build contexts, with what of them counts. @throws ActionError where one is not there. */
export async function readNamedContexts(
  files: Files,
  reader: ContextReader,
  { contexts }: Definition,
  effort: Effort,
): Promise<ReadonlyMap<string, ContextFolder>> {
  const { checkout } = reader;
  const folders = [...contexts].filter(([, { kind }]) => kind === "folder");
  if (folders.length === 0) return new Map();
  const readFolder = openNamedContexts(files, reader, effort);
  const read = folders.map(async ([name, context]) => {
    const root = await findContext(files, checkout, context);
    const seen = pathWithin(checkout, root) ?? ".";
    return [name, { root, seen, entries: await readFolder(name, root) }] as const;
  });
  return new Map(await Promise.all(read));
}
