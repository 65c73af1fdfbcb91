import { type ContextFilter, readContext } from "./context.ts";
import { findConfiguration } from "./devcontainer/find.ts";
import { type BuildKind, buildKind } from "./devcontainer/kind.ts";
import { pickLabel } from "./devcontainer/label.ts";
import { type Configuration, parseConfiguration, placeOf } from "./devcontainer/parse.ts";
import { pathWithin, resolvePath } from "./devcontainer/paths.ts";
import { type Substituted, substitute, substitutionAt } from "./devcontainer/substitute.ts";
import { canPrune, isIgnored, parseIgnoreFile } from "./dockerfile/ignore.ts";
import { type Dockerfile, instructionText, parseDockerfile } from "./dockerfile/parse.ts";
import { canReach, contextReads, requiredFiles } from "./dockerfile/reads.ts";
import { declaredArgs, type ImageUse, imageUses, remoteAdds, type Scope, targetStage } from "./dockerfile/stages.ts";
import { ActionError, type Place } from "./errors.ts";
import type { Inputs } from "./inputs.ts";
import type { Places } from "./key/explain.ts";
import { ownKey, sourceKey, treeDigest } from "./key/fingerprint.ts";
import { type ContextEntry, type PlatformPlan, RECIPE, SCHEMA, type Yours } from "./key/ingredients.ts";
import type { Hidden } from "./key/stored.ts";
import type { Digest } from "./oci/digest.ts";
import { formatPlatform, type Platform } from "./oci/platform.ts";
import type { Wanted } from "./probe.ts";
import { imageAllowed } from "./registry/allowed.ts";
import { type Doubt, type ImageSource, nameForBuildKit, readImageName, tellPlace } from "./upstream.ts";
import type { Files, World } from "./world.ts";

/** Everything that the commit and the inputs say, read once: what is hashed here is what will be built. */
export type Sources = {
  readonly wanted: Wanted;
  /** devcontainer.json as seen from the workspace, which is part of the branch's tag. */
  readonly configuration: string;
  readonly raw: Configuration["raw"];
  readonly places: Places;
  readonly hidden: Hidden;
  readonly trees: ReadonlyMap<Digest, readonly ContextEntry[]>;
  readonly build: BuildSources;
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
};

/** What the build needs beside the plan. */
export type BuildSources = {
  readonly kind: BuildKind;
  /** The Dockerfile's text as it was hashed; for an image, the one that we write. */
  readonly dockerfileText: string;
  readonly dockerfile: Dockerfile;
  readonly context: { readonly root: string; readonly entries: readonly ContextEntry[] } | undefined;
  /** Paths named `.git` that no instruction reads and that are therefore not sent. */
  readonly leftOut: readonly string[];
  readonly target: string | undefined;
  /** The build args that count, and are in the plan. */
  readonly args: Readonly<Record<string, string>>;
  /** Those that a build is told and that change no byte of it: proxies. */
  readonly uncounted: Readonly<Record<string, string>>;
};

/**
 * Reads the sources: configuration, Dockerfile and build context of the checked-out workspace.
 * @throws ActionError for everything that is wrong with them, before any request.
 */
export async function readSources(inputs: Inputs, { files, host }: Pick<World, "files" | "host">): Promise<Sources> {
  const workspace = await findWorkspace(files, host.workspace, inputs.workspaceFolder);
  const chosen = { path: inputs.devcontainerJsonPath, folder: inputs.devcontainerDir };
  const found = await findConfiguration(files, workspace, chosen);
  const configuration = substitute(parseConfiguration(found.text, found.relative), {
    localEnv: host.env,
    localWorkspaceFolder: workspace,
  });
  const kind = buildKind(configuration, found.file, workspace);
  const build =
    kind.kind === "image"
      ? imageSources(kind, configuration)
      : await dockerfileSources(files, workspace, kind, configuration);
  return assemble(inputs, { configuration, relative: found.relative, kind, ...build });
}

async function findWorkspace(files: Files, checkout: string, folder: string | undefined): Promise<string> {
  const root = (await files.realPath(checkout)) ?? checkout;
  const written = resolvePath(checkout, folder ?? ".");
  const real = await files.realPath(written);
  if (real === undefined || (await files.stat(real))?.kind !== "directory")
    throw new ActionError("E_INPUT", {
      what: `The input workspace-folder is "${folder ?? checkout}", and there is no such folder.`,
      fix: "Name a folder of the checkout, and put actions/checkout before this action.",
    });
  if (pathWithin(root, real) === undefined)
    throw new ActionError("E_INPUT", {
      what: `The input workspace-folder is "${folder ?? ""}", which lies outside the checkout.`,
      fix: "Name a folder inside the checkout, relative to its root.",
    });
  return real;
}

type Read = Pick<
  BuildSources,
  "dockerfileText" | "dockerfile" | "context" | "leftOut" | "target" | "args" | "uncounted"
> & {
  /** How messages name the Dockerfile; nothing where it is ours. */
  readonly file: string | undefined;
  readonly contextFolder: string;
  readonly warnings: Sources["warnings"];
};

/** An image as it is still gets the metadata label, so that it says what the configuration says. */
function imageSources({ image }: Extract<BuildKind, { kind: "image" }>, configuration: Substituted): Read {
  readImageName(image, image, placeOf(configuration, ["image"]));
  const dockerfileText = `FROM ${image}\n`;
  return {
    dockerfileText,
    dockerfile: parseDockerfile(dockerfileText, "Dockerfile"),
    context: undefined,
    leftOut: [],
    target: undefined,
    args: {},
    uncounted: {},
    file: undefined,
    contextFolder: ".",
    warnings: [],
  };
}

async function dockerfileSources(
  files: Files,
  workspace: string,
  kind: Extract<BuildKind, { kind: "dockerfile" }>,
  configuration: Substituted,
): Promise<Read> {
  const file = pathWithin(workspace, kind.dockerfile) ?? kind.dockerfile;
  await refuseOutside(files, workspace, kind.dockerfile, placeOf(configuration, ["build", "dockerfile"]));
  await refuseOutside(files, workspace, kind.context, placeOf(configuration, ["build", "context"]));
  const dockerfileText = await files.readText(kind.dockerfile);
  if (dockerfileText === undefined)
    throw new ActionError("E_CONFIG", {
      what: `${configuration.file} names the Dockerfile ${file}, and there is no such file.`,
      fix: "Check build.dockerfile: it counts from the folder of devcontainer.json.",
      at: placeOf(configuration, ["build", "dockerfile"]),
    });
  if ((await files.stat((await files.realPath(kind.context)) ?? kind.context))?.kind !== "directory")
    throw new ActionError("E_CONFIG", {
      what: `${configuration.file} names the build context ${pathWithin(workspace, kind.context) ?? kind.context}, and there is no such folder.`,
      fix: "Check build.context: it counts from the folder of devcontainer.json.",
      at: placeOf(configuration, ["build", "context"]),
    });
  const dockerfile = parseDockerfile(dockerfileText, file);
  targetStage(dockerfile, kind.target);
  const given = Object.fromEntries([...kind.args].map(([name, { value }]) => [name, value]));
  const { args, uncounted, warnings } = argumentsThatCount(given, dockerfile, (name) =>
    placeOf(configuration, ["build", "args", name]),
  );
  const context = await readUsedContext(files, kind, dockerfile, args);
  return {
    dockerfileText,
    dockerfile,
    context: { root: kind.context, entries: context.entries },
    leftOut: context.leftOut,
    target: kind.target,
    args,
    uncounted,
    file,
    contextFolder: pathWithin(workspace, kind.context) ?? ".",
    warnings: [...warnings, ...hostPathWarnings(kind, configuration), ...context.warnings],
  };
}

/** A link in the checkout could lead anywhere on the runner, and its content into the image. */
async function refuseOutside(files: Files, workspace: string, path: string, at: Place): Promise<void> {
  const real = await files.realPath(path);
  if (real === undefined || pathWithin(workspace, real) !== undefined) return;
  throw new ActionError("E_CONFIG", {
    what: `${pathWithin(workspace, path) ?? path} is a link that leads out of the workspace.`,
    fix: "Put the file or folder itself into the repository.",
    at,
  });
}

/** These act on the frontend whether a Dockerfile declares them or not. */
const ALWAYS_COUNTS = /^(BUILDKIT_.*|SOURCE_DATE_EPOCH)$/;
/** Docker's own: usable without being declared, and left out of its cache keys for the same reason as of ours. */
const PROXY = /^(HTTPS?|FTP|NO|ALL)_PROXY$/i;

function argumentsThatCount(
  given: Readonly<Record<string, string>>,
  dockerfile: Dockerfile,
  placeOfArgument: (name: string) => Place,
): Pick<Read, "args" | "uncounted" | "warnings"> {
  const declared = declaredArgs(dockerfile);
  const counts = (name: string): boolean => declared.has(name) || ALWAYS_COUNTS.test(name);
  const ignored = Object.keys(given).filter((name) => !counts(name) && !PROXY.test(name));
  return {
    args: Object.fromEntries(Object.entries(given).filter(([name]) => counts(name))),
    uncounted: Object.fromEntries(Object.entries(given).filter(([name]) => !counts(name) && PROXY.test(name))),
    warnings: ignored.map((name) => ({
      text: `build arg ${name} is not an ARG of ${dockerfile.file}: it does nothing, and does not count for the key`,
      at: placeOfArgument(name),
    })),
  };
}

function hostPathWarnings(
  kind: Extract<BuildKind, { kind: "dockerfile" }>,
  configuration: Substituted,
): Sources["warnings"] {
  return [...kind.args].flatMap(([name, { path }]) => {
    if (!substitutionAt(configuration, path)?.fromHostPath) return [];
    const text = `build arg ${name} holds the path of this checkout: the image is found again only in a checkout at the same path`;
    return [{ text, at: placeOf(configuration, path) }];
  });
}

type UsedContext = {
  readonly entries: readonly ContextEntry[];
  readonly leftOut: readonly string[];
  readonly warnings: Sources["warnings"];
};

/**
 * Reads the context as the ignore file leaves it. `.git` counts, and is sent, only where the source of a COPY, ADD or bind mount can
 * reach it: it is another one in every clone, so an image that copies it is never found again.
 */
async function readUsedContext(
  files: Files,
  kind: Extract<BuildKind, { kind: "dockerfile" }>,
  dockerfile: Dockerfile,
  args: Readonly<Record<string, string>>,
): Promise<UsedContext> {
  const ignoreText =
    (await files.readText(`${kind.dockerfile}.dockerignore`)) ??
    (await files.readText(`${kind.context}/.dockerignore`));
  const rules = parseIgnoreFile(ignoreText ?? "");
  const reads = contextReads(dockerfile, { args: new Map(Object.entries(args)), platform: undefined });
  const reachedBy = (path: string) => reads.find((read) => canReach(read, path));
  const leftOut = new Set<string>();
  const filter: ContextFilter = {
    isLeftOut: (path) => isIgnored(rules, path) || leavesOutGit(path),
    canPrune: (path) => leavesOutGit(path) || canPrune(rules, path),
  };
  const leavesOutGit = (path: string): boolean => {
    const git = gitPath(path);
    if (git === undefined || isIgnored(rules, git) || reachedBy(git)) return false;
    leftOut.add(git);
    return true;
  };
  const entries = await readContext(files, kind.context, filter);
  refuseMissingFiles(entries, kind.target, dockerfile, args);
  const sent = new Set(entries.flatMap(({ path }) => gitPath(path) ?? []));
  const warnings = [...sent].map((path) => {
    const read = reachedBy(path);
    const text = `${read?.by ?? "COPY"} takes ${path} into the build: every clone has another one, so this image is never found again. Name .git in .dockerignore`;
    return { text, at: { file: dockerfile.file, ...(read ? { line: read.line } : {}) } };
  });
  return { entries, leftOut: [...leftOut].sort(), warnings };
}

/** BuildKit would say it too, after pulling the base image. What lies behind a link is left to it. */
function refuseMissingFiles(
  entries: readonly ContextEntry[],
  target: string | undefined,
  dockerfile: Dockerfile,
  args: Readonly<Record<string, string>>,
): void {
  const there = new Map(entries.map((entry) => [entry.path, entry.kind]));
  const mayBeThere = (source: string): boolean => {
    const path = resolvePath("/", source).slice(1);
    const folders = path.split("/").map((_, index, segments) => segments.slice(0, index + 1).join("/"));
    return path === "" || there.has(path) || folders.some((folder) => there.get(folder) === "link");
  };
  const required = requiredFiles(dockerfile, target, { args: new Map(Object.entries(args)), platform: undefined });
  const missing = required.find(({ source }) => !mayBeThere(source));
  if (!missing) return;
  throw new ActionError("E_CONTEXT", {
    what: `${missing.by} names ${missing.source}, which is not in the build context.`,
    fix: "Check the path and .dockerignore. If initializeCommand makes the file: it does not run here; make it in a step before this action.",
    at: { file: dockerfile.file, line: missing.line },
  });
}

/** The part of a path that ends in a segment `.git`. */
function gitPath(path: string): string | undefined {
  return /^(?:.*?\/)?\.git(?=\/|$)/.exec(path)?.[0];
}

type Gathered = Read & { readonly configuration: Substituted; readonly relative: string; readonly kind: BuildKind };

function assemble(inputs: Inputs, gathered: Gathered): Sources {
  const { configuration, kind, dockerfile } = gathered;
  const picked = pickLabel(configuration.raw);
  const tree = gathered.context ? treeDigest(gathered.context.entries) : undefined;
  const platforms = inputs.platforms.map((platform) => ({
    platform,
    plan: {
      schema: SCHEMA,
      yours: makeYours(inputs, gathered, platform, tree),
      label: picked.labelOnly,
      recipe: RECIPE,
    } satisfies Omit<PlatformPlan, "upstream">,
    ...readImages(gathered, platform),
  }));
  for (const { images } of platforms) refuseForeignImages(images, inputs.allowedImages);
  const doubt = platforms.find((one) => one.doubt)?.doubt ?? remoteDoubt(gathered);
  const wanted: Wanted = {
    repository: inputs.cacheRepository,
    platforms,
    sourceKey: sourceKey(platforms.map(({ plan }) => plan.yours)),
    ownKey: ownKey(platforms.map(({ plan }) => plan)),
    doubt,
    verify: inputs.verify,
  };
  return {
    wanted,
    configuration: gathered.relative,
    raw: configuration.raw,
    places: tellPlaces(
      gathered,
      platforms.flatMap(({ images }) => images),
    ),
    hidden: findHidden(
      gathered,
      platforms.flatMap(({ images }) => images),
    ),
    trees: new Map(gathered.context && tree ? [[tree, gathered.context.entries]] : []),
    build: {
      kind,
      dockerfileText: gathered.dockerfileText,
      dockerfile,
      context: gathered.context,
      leftOut: gathered.leftOut,
      target: gathered.target,
      args: gathered.args,
      uncounted: gathered.uncounted,
    },
    warnings: [...configuration.warnings, ...gathered.warnings],
  };
}

/** Refused before any request: who sets patterns wants no other registry to hear of the run. */
function refuseForeignImages(images: readonly ImageSource[], patterns: Inputs["allowedImages"]): void {
  const foreign = images.find(({ reference }) => !imageAllowed(patterns, reference));
  if (!foreign) return;
  throw new ActionError("E_INPUT", {
    what: `The ${foreign.by} image ${foreign.written} is not among the images that the input allowed-images allows.`,
    fix: `Use an image that matches one of ${patterns.map(({ written }) => written).join(", ")}, or add a pattern for it.`,
    at: foreign.at,
  });
}

function makeYours(
  inputs: Inputs,
  { kind, configuration, dockerfile, args, target }: Gathered,
  platform: Platform,
  tree: Digest | undefined,
): Yours {
  const { containerEnv, ...users } = pickLabel(configuration.raw).yours;
  return {
    configuration: {
      kind: kind.kind,
      ...(kind.kind === "image" ? { image: kind.image } : {}),
      ...(target === undefined ? {} : { target }),
      ...(Object.keys(users).length === 0 ? {} : { users }),
      ...(containerEnv === undefined ? {} : { containerEnv }),
    },
    ...(kind.kind === "dockerfile"
      ? { dockerfile: { escape: dockerfile.escape, stages: instructionTexts(dockerfile) } }
      : {}),
    ...(tree === undefined ? {} : { context: { tree } }),
    arguments: args,
    options: {
      platform: formatPlatform(platform),
      ...(inputs.cacheVersion === undefined ? {} : { cacheVersion: inputs.cacheVersion }),
    },
    features: [],
  };
}

/** All stages count: which of them the target needs is not asked yet. */
function instructionTexts(dockerfile: Dockerfile): string[][] {
  // What stands behind the frontend's name is told to it, and may change what it builds.
  const options = dockerfile.syntax?.options ? [`# syntax=… ${dockerfile.syntax.options}`] : [];
  const before = [...options, ...dockerfile.globalArgs.map(instructionText)];
  return [
    before,
    ...dockerfile.stages.map((stage) => [instructionText(stage.from), ...stage.instructions.map(instructionText)]),
  ];
}

function instructionLines(dockerfile: Dockerfile): number[][] {
  const options = dockerfile.syntax?.options ? [dockerfile.syntax.line] : [];
  const before = [...options, ...dockerfile.globalArgs.map(({ line }) => line)];
  return [
    before,
    ...dockerfile.stages.map((stage) => [stage.from.line, ...stage.instructions.map(({ line }) => line)]),
  ];
}

function scopeOf({ args }: Gathered, platform: Platform): Scope {
  return { args: new Map(Object.entries(args)), platform };
}

function readImages(
  gathered: Gathered,
  platform: Platform,
): { readonly images: readonly ImageSource[]; readonly doubt?: Doubt } {
  const file = gathered.file ?? gathered.relative;
  const images: ImageSource[] = [];
  for (const use of imageUses(gathered.dockerfile, scopeOf(gathered, platform))) {
    const at = gathered.file === undefined ? placeOf(gathered.configuration, ["image"]) : { file, line: use.line };
    const of = whichManifest(use, platform);
    if (use.reference === undefined || of === undefined) return { images: [], doubt: undecidable(use, at) };
    images.push({ by: "base", written: use.written, reference: readImageName(use.written, use.reference, at), at, of });
  }
  const frontend = frontendOf(gathered, file);
  return { images: frontend ? [...images, frontend] : images };
}

function whichManifest(use: ImageUse, platform: Platform): ImageSource["of"] | undefined {
  if (use.platform.kind === "build") return { kind: "index" };
  if (use.platform.kind === "fixed") return { kind: "platform", platform: use.platform.platform };
  return use.platform.kind === "target" ? { kind: "platform", platform } : undefined;
}

function undecidable(use: ImageUse, at: Place): Doubt {
  return {
    kind: "plan",
    what: `${tellPlace(at)}: which image ${use.by} ${use.written} means cannot be told before the build`,
    fix: "Give every variable in it a value: an ARG with a default before the first FROM, or a build arg.",
    at,
  };
}

function frontendOf({ dockerfile, args }: Gathered, file: string): ImageSource | undefined {
  const argument = args.BUILDKIT_SYNTAX;
  const written = argument ?? dockerfile.syntax?.reference;
  if (written === undefined) return undefined;
  const at = { file, line: dockerfile.syntax?.line ?? 1 };
  // The frontend runs on the builder, whose platform nobody knows beforehand.
  return { by: "frontend", written, reference: readImageName(written, written, at), at, of: { kind: "index" } };
}

/** What an address serves can change without a trace: only a checksum says what will be in the image. */
function remoteDoubt(gathered: Gathered): Doubt | undefined {
  const first =
    gathered.file === undefined
      ? undefined
      : remoteAdds(gathered.dockerfile, scopeOf(gathered, { os: "linux", architecture: "amd64" })).find(
          ({ checksum }) => checksum === undefined,
        );
  if (!first || gathered.file === undefined) return undefined;
  return {
    kind: "plan",
    what: `${gathered.file}:${first.line}: ADD ${first.source} fetches something that can change without the Dockerfile changing`,
    fix: "Add --checksum=sha256:… to it (for git: --checksum=<commit>).",
    at: { file: gathered.file, line: first.line },
  };
}

function tellPlaces(gathered: Gathered, images: readonly ImageSource[]): Places {
  const { configuration, kind, file, dockerfile } = gathered;
  const args = kind.kind === "dockerfile" ? [...kind.args] : [];
  return {
    configuration: gathered.relative,
    dockerfile: file,
    instructions: instructionLines(dockerfile),
    arguments: Object.fromEntries(args.map(([name, { path }]) => [name, placeOf(configuration, path)])),
    bases: Object.fromEntries(images.filter(({ by }) => by === "base").map(({ written, at }) => [written, at])),
    context: gathered.contextFolder,
  };
}

/** A reference may be private where a build arg is part of it, or a variable of the environment. */
function findHidden({ configuration, kind, args }: Gathered, images: readonly ImageSource[]): Hidden {
  const fromEnvironment = (path: readonly string[]): boolean =>
    substitutionAt(configuration, path)?.fromEnvironment ?? false;
  const image = kind.kind === "image" && fromEnvironment(["image"]);
  const references = images.filter(
    ({ by, written }) => image || written.includes("$") || (by === "frontend" && args.BUILDKIT_SYNTAX !== undefined),
  );
  return {
    image,
    target: fromEnvironment(["build", "target"]),
    references: new Set(references.map(({ reference }) => nameForBuildKit(reference))),
  };
}
