import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { findConfiguration } from "../../src/devcontainer/find.ts";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import { parseConfiguration } from "../../src/devcontainer/parse.ts";
import { substitute } from "../../src/devcontainer/substitute.ts";
import { ActionError } from "../../src/errors.ts";
import type { FeaturePorts } from "../../src/features/found.ts";
import { fetchFeatureContent, type InstalledFeature } from "../../src/features/install.ts";
import type { LockfileUse } from "../../src/features/lockfile.ts";
import { resolveFeatures } from "../../src/features/resolve.ts";
import { environmentInstruction } from "../../src/plan/recipe.ts";
import type { Installed, InstalledView } from "./oracle.ts";

export type Question = {
  readonly workspace: string;
  readonly additional: JsonObject;
  readonly lockfile: LockfileUse;
};

/** What we install for a workspace, in the oracle's words. */
export async function askOurs({ workspace, additional, lockfile }: Question, ports: FeaturePorts): Promise<Installed> {
  try {
    const { file, relative, text } = await findConfiguration(ports.files, { folder: workspace, checkout: workspace });
    const variables = { localEnv: {}, localWorkspaceFolder: workspace };
    const configuration = substitute(parseConfiguration(text, relative), variables);
    const request = { configuration, configFile: file, workspace, checkout: workspace, additional, lockfile };
    const resolved = await resolveFeatures(request, ports);
    if (resolved.kind !== "resolved") return { kind: "error", words: resolved.error.words };
    const installed = await Promise.all(resolved.features.map((feature, at) => viewOf(feature, at, ports)));
    return {
      kind: "installed",
      features: installed.map(({ view }) => view),
      label: installed.map(({ label }) => label),
    };
  } catch (thrown) {
    if (thrown instanceof ActionError) return { kind: "error", words: `${thrown.code} ${thrown.message}` };
    throw thrown;
  }
}

/** How the build writes the environment of a feature. */
const LIVE = { escapeChar: "\\", live: true, at: { file: "devcontainer.json" } } as const;

type Viewed = { readonly view: InstalledView; readonly label: unknown };

async function viewOf(seen: InstalledFeature, at: number, ports: FeaturePorts): Promise<Viewed> {
  const { feature, files } =
    seen.source.kind === "local"
      ? { feature: seen, files: await localFiles(seen.source) }
      : await fetchedFiles({ ...seen, source: seen.source }, ports);
  const view = {
    folder: `${feature.id}_${at}`,
    environment: feature.environmentFile,
    instructions: [...feature.metadata.containerEnv].map((one) => environmentInstruction(one, LIVE)),
    files,
  };
  return { view, label: feature.label };
}

async function fetchedFiles(feature: Parameters<typeof fetchFeatureContent>[0], ports: FeaturePorts) {
  const content = await fetchFeatureContent(feature, ports);
  if (content.kind !== "content") throw new Error(content.error.words);
  const shown = content.entries.flatMap((entry) => {
    if (entry.kind === "directory") return [];
    const text = entry.kind === "link" ? `→ ${entry.target}` : new TextDecoder().decode(entry.content);
    return [[entry.path, text] as const];
  });
  return { feature: content.feature, files: Object.fromEntries(shown) };
}

type LocalSource = Extract<InstalledFeature["source"], { kind: "local" }>;

async function localFiles({ folder, entries }: LocalSource): Promise<Record<string, string>> {
  const shown = entries
    .filter(({ kind }) => kind !== "directory")
    .map(async (entry) => {
      if (entry.kind === "link") return [entry.path, `→ ${entry.target}`] as const;
      if (!(await lstat(join(folder, entry.path))).isFile()) throw new Error(`${entry.path} is no file`);
      return [entry.path, await readFile(join(folder, entry.path), "utf8")] as const;
    });
  return Object.fromEntries(await Promise.all(shown));
}
