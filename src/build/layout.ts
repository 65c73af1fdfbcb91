import { POLICY_VARIABLE, sourcePolicy } from "../buildx/policy.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { ImageConfig } from "../oci/config.ts";
import { formatPlatform, type Platform, platformSlug } from "../oci/platform.ts";
import { FEATURES_CONTEXT } from "../plan/recipe.ts";
import type { Binding } from "../plan/upstream.ts";
import { layOutContext, seenFrom } from "../sources/context.ts";
import { uidLabel } from "../sources/image-users.ts";
import type { Gathered } from "../sources/sources.ts";
import type { Files } from "../world.ts";
import type { PinnedAddress } from "./addresses.ts";
import { extendedDockerfile } from "./dockerfile.ts";
import { type FeatureToInstall, layOutFeatures } from "./feature-build.ts";
import { labelOfBuild } from "./label.ts";

/** What a build reads: the user's content as it was hashed, and a Dockerfile for each platform. */
export type Layout = {
  readonly folder: string;
  /** What the builder has to find at addresses. */
  readonly pins: readonly PinnedAddress[];
  /** Environment of buildx. */
  readonly env: Readonly<Record<string, string>>;
  readonly platforms: ReadonlyMap<string, PlatformLayout>;
};

export type PlatformLayout = {
  readonly dockerfile: string;
  readonly contextFolder: string;
  /** How many of its lines are the user's. */
  readonly ownLines: number;
  readonly target: string | undefined;
  readonly contexts: Readonly<Record<string, string>>;
  /** Text of the metadata label. */
  readonly label: string | undefined;
  /** Further labels that are ours. */
  readonly ownLabels: Readonly<Record<string, string>>;
};

export type LayoutTask = {
  readonly gathered: Gathered;
  readonly platforms: readonly Platform[];
  /** The config of what the target stands on, by platform; nothing for one from scratch. */
  readonly bases: ReadonlyMap<string, ImageConfig>;
  readonly features: readonly FeatureToInstall[];
  readonly bindings: readonly Binding[];
  readonly pins: readonly PinnedAddress[];
};

/**
 * Lays a build out in a temporary folder.
 *
 * The context is a folder rather than a tar stream: a stream has to hold the Dockerfile too, and where that lies outside the context or
 * is ignored, `COPY . .` would copy it into the image. The Dockerfile lies beside the context, with an ignore file of its own that
 * names nothing, for what is ignored is left out already.
 * @throws ActionError E_CHANGED when something is no longer what was hashed; E_DOCKERFILE, E_CONFIG for features that cannot be added.
 */
export async function layOutBuild(task: LayoutTask, files: Files): Promise<Layout> {
  const { gathered, bindings, pins } = task;
  const folder = await files.temporaryFolder("build");
  const contextFolders = await layOutContexts(task, folder, files);
  for (const [name, context] of gathered.namedContexts) {
    const to = namedContextFolder(gathered, folder, name);
    await files.makeDirectory(to, { mode: 0o755 });
    await seenFrom(context.seen, () => layOutContext(files, context.root, context.entries, to));
  }
  await files.write(`${folder}/policy.json`, sourcePolicy(bindings, pins));
  const platforms = task.platforms.map(
    async (platform) =>
      [formatPlatform(platform), await layOutPlatform({ ...task, contextFolders }, platform, folder, files)] as const,
  );
  return {
    folder,
    pins,
    env: { [POLICY_VARIABLE]: `${folder}/policy.json` },
    platforms: new Map(await Promise.all(platforms)),
  };
}

/**
 * Platforms that take the same from the context share a folder.
 * @returns the folder of each platform.
 */
async function layOutContexts(
  { gathered: { context, contextFolder }, platforms }: LayoutTask,
  folder: string,
  files: Files,
): Promise<ReadonlyMap<string, string>> {
  const folders = new Map<readonly ContextEntry[], string>();
  const laidOut = new Map<string, string>();
  for (const name of platforms.map(formatPlatform)) {
    const entries = context?.entries.get(name) ?? NOTHING;
    const known = folders.get(entries);
    const to = known ?? `${folder}/context-${folders.size}`;
    folders.set(entries, to);
    laidOut.set(name, to);
    if (known !== undefined) continue;
    await files.makeDirectory(to, { mode: 0o755 });
    if (context) await seenFrom(contextFolder, () => layOutContext(files, context.root, entries, to));
  }
  return laidOut;
}

const NOTHING: readonly ContextEntry[] = [];

type PlatformTask = LayoutTask & { readonly contextFolders: ReadonlyMap<string, string> };

async function layOutPlatform(
  { gathered, bases, features, contextFolders }: PlatformTask,
  platform: Platform,
  folder: string,
  files: Files,
): Promise<PlatformLayout> {
  const base = bases.get(formatPlatform(platform)) ?? NO_BASE;
  const dockerfile = `${folder}/Dockerfile-${platformSlug(platform)}`;
  const contextFolder = contextFolders.get(formatPlatform(platform)) ?? folder;
  const contexts = contextArguments(gathered, folder);
  const installed = features.map(({ feature }) => feature);
  const label = labelOfBuild(gathered, base, installed);
  await files.write(`${dockerfile}.dockerignore`, NOTHING_IGNORED);
  const extended = extendedDockerfile({ gathered, platform, base, features });
  if (!extended) {
    await files.write(dockerfile, gathered.dockerfileText);
    const ownLines = gathered.dockerfileText.split("\n").length;
    const target = gathered.definition.target?.value;
    return { dockerfile, contextFolder, ownLines, target, contexts, label, ownLabels: uidLabel(undefined, base) };
  }
  const { text, ownLines, users, renumbering } = extended;
  const ownLabels = uidLabel(renumbering, base);
  await files.write(dockerfile, text);
  const laidOut = { dockerfile, contextFolder, ownLines, target: undefined, contexts, label, ownLabels };
  if (features.length === 0) return laidOut;
  const featuresFolder = `${folder}/features-${platformSlug(platform)}`;
  await layOutFeatures(files, features, users, featuresFolder);
  return { ...laidOut, contexts: { ...contexts, [FEATURES_CONTEXT]: featuresFolder } };
}

/** Not an empty file: a frontend might take that for none, and read the ignore file of the context. */
const NOTHING_IGNORED = "# What is ignored has been left out already.\n";

const NO_BASE: ImageConfig = { user: "", env: {}, labels: {}, triggers: [] };

/** A name may hold what a path may not: so the folders have numbers. */
function namedContextFolder({ namedContexts }: Gathered, folder: string, name: string): string {
  return `${folder}/named-${[...namedContexts.keys()].indexOf(name)}`;
}

function contextArguments(gathered: Gathered, folder: string): Record<string, string> {
  const contexts = [...gathered.definition.contexts].map(([name, { kind, value }]) => {
    const source = kind === "image" ? `docker-image://${value}` : namedContextFolder(gathered, folder, name);
    return [name, source] as const;
  });
  return Object.fromEntries(contexts);
}
