import { ActionError } from "../errors.ts";
import type { ArchiveEntry } from "../features/archive.ts";
import { featureError } from "../features/asked.ts";
import type { FeatureDoubt, FeaturePorts } from "../features/found.ts";
import { openGate } from "../features/gate.ts";
import { fetchFeatureContent, type InstalledFeature } from "../features/install.ts";
import { digestOf } from "../oci/digest.ts";
import { type FeatureStep, featureScripts } from "../plan/recipe.ts";
import { adviseOn } from "../probe/advice.ts";
import { contextTime } from "../sources/context.ts";
import type { ImageUsers } from "../sources/image-users.ts";
import type { Files } from "../world.ts";

/** The options as the install script reads them; a feature's own file of that name, which could be a link, is left out. */
const OPTIONS_FILE = "devcontainer-features.env";

/** A feature with what is laid out for its install script; a local one lies in the workspace. */
export type FeatureToInstall = {
  readonly feature: InstalledFeature;
  readonly entries: readonly ArchiveEntry[] | undefined;
};

/** Bytes of all features together, unpacked: they are held until they are laid out. A hundred of the usual ones take a few. */
const ALL_FEATURES = 256 * 1024 * 1024;
const AT_ONCE = 2;

/**
 * Fetches the features of a build, a few at once, each by the digest that is in the plan.
 * @throws ActionError E_REGISTRY where one cannot be had, E_FEATURE or E_CHANGED for one that is not what it was, and E_FEATURE where they
 * take more memory than a runner need have.
 */
export async function fetchFeatures(
  features: readonly InstalledFeature[],
  ports: FeaturePorts,
): Promise<readonly FeatureToInstall[]> {
  const gate = openGate(AT_ONCE);
  let size = 0;
  const fetchOne = async (feature: InstalledFeature): Promise<FeatureToInstall> => {
    const { source } = feature;
    if (source.kind === "local") return { feature, entries: undefined };
    // Those that still wait when one was too much are not fetched any more.
    if (size > ALL_FEATURES) throw tooLarge(feature);
    const content = await fetchFeatureContent({ ...feature, source }, ports);
    if (content.kind !== "content") throw notRead(content);
    size += content.size;
    if (size > ALL_FEATURES) throw tooLarge(feature);
    return content;
  };
  return Promise.all(features.map((feature) => gate(() => fetchOne(feature))));
}

function tooLarge({ asked }: InstalledFeature): ActionError {
  return featureError(asked, {
    what: `does not fit: unpacked, the features together have more than ${ALL_FEATURES / 1024 / 1024} MiB`,
    fix: "Take the largest of them out: a feature downloads what it installs, and does not bring it along.",
    by: "feature",
  });
}

function notRead({ what, error }: FeatureDoubt): ActionError {
  return new ActionError("E_REGISTRY", {
    what: `${what} cannot be read: ${error.words} (${error.request}).`,
    fix: adviseOn(error, "Check its name, and log in to its registry before this action."),
    cause: error,
  });
}

/** The features as the instructions name them, in the order of installation. */
export function stepsOf(features: readonly Pick<FeatureToInstall, "feature">[], relative: string): FeatureStep[] {
  return features.map(({ feature: { id, asked, metadata } }, number) => ({
    folder: `${id.replace(/[^A-Za-z0-9._-]/g, "_")}_${number}`,
    name: asked.id,
    containerEnv: [...metadata.containerEnv],
    at: asked.at ?? { file: relative },
  }));
}

/**
 * Lays the features out as the named context of one platform's build.
 * @param to an empty folder.
 * @throws ActionError E_CHANGED when a local feature is no longer what was hashed.
 */
export async function layOutFeatures(
  files: Files,
  features: readonly FeatureToInstall[],
  users: ImageUsers,
  to: string,
): Promise<void> {
  await files.makeDirectory(to, { mode: 0o755 });
  const parts = stepsOf(features, "").map((step) => ({ step, scripts: featureScripts(step, users) }));
  const mtime = timeOf(features, parts);
  const write: Write = async (path, content) => {
    await files.write(path, content, 0o755);
    await files.touch(path, mtime);
  };
  await Promise.all(
    features.map(async ({ feature, entries }, number) => {
      const part = parts[number];
      if (!part) return;
      const folder = `${to}/${part.step.folder}`;
      for (const [name, script] of Object.entries(part.scripts)) await write(`${folder}/${name}`, script);
      await files.makeDirectory(`${folder}/content`, { mode: 0o755 });
      const content = { files, write, mtime, to: `${folder}/content` };
      if (entries) await layOutArchive(entries, content);
      else await layOutLocal(feature, content);
      await write(`${content.to}/${OPTIONS_FILE}`, feature.environmentFile);
    }),
  );
}

type Write = (path: string, content: string | Uint8Array) => Promise<void>;
type Content = { readonly files: Files; readonly write: Write; readonly mtime: number; readonly to: string };

/** The folders of all features make one context. */
function timeOf(
  features: readonly FeatureToInstall[],
  parts: readonly { readonly scripts: Readonly<Record<string, string>> }[],
): number {
  const content = features.map(({ feature }, number) => [
    feature.digest,
    feature.environmentFile,
    parts[number]?.scripts ?? {},
  ]);
  return contextTime(digestOf(JSON.stringify(content)));
}

function isOptionsFile(path: string): boolean {
  return path === OPTIONS_FILE || path.startsWith(`${OPTIONS_FILE}/`);
}

async function layOutArchive(entries: readonly ArchiveEntry[], { files, write, mtime, to }: Content): Promise<void> {
  for (const entry of entries.filter(({ path }) => !isOptionsFile(path))) {
    const path = `${to}/${entry.path}`;
    if (entry.kind === "directory") await files.makeDirectory(path, { mode: 0o755 });
    if (entry.kind === "link") await files.makeLink(path, entry.target, { mtime });
    if (entry.kind === "file") await write(path, entry.content);
  }
}

async function layOutLocal({ source, asked }: InstalledFeature, { files, mtime, to }: Content): Promise<void> {
  if (source.kind !== "local") return;
  for (const entry of source.entries.filter(({ path }) => !isOptionsFile(path))) {
    const path = `${to}/${entry.path}`;
    if (entry.kind === "directory") await files.makeDirectory(path, { mode: 0o755 });
    if (entry.kind === "link") await files.makeLink(path, entry.target, { mtime });
    if (entry.kind !== "file") continue;
    const written = await files.copy(`${source.folder}/${entry.path}`, path, { mode: 0o755, mtime });
    if (written !== entry.content)
      throw new ActionError("E_CHANGED", {
        what: `${entry.path} of the feature ${asked.id} changed between the probe and the build.`,
        fix: "Let the steps that write into the feature's folder end before this action starts.",
        ...(asked.at === undefined ? {} : { at: asked.at }),
      });
  }
}
