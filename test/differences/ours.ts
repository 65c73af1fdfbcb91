import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBaseImages } from "../../src/build/base.ts";
import { fetchFeatures } from "../../src/build/feature-build.ts";
import { type Layout, layOutBuild, type PlatformLayout } from "../../src/build/layout.ts";
import { formatOption } from "../../src/devcontainer/options.ts";
import { ActionError } from "../../src/errors.ts";
import { resolveFeatures } from "../../src/features/resolve.ts";
import { openFiles } from "../../src/host/files.ts";
import type { Index, Served } from "../../src/oci/manifest.ts";
import { OCI_CONFIG, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { formatPlatform } from "../../src/oci/platform.ts";
import { formatReference } from "../../src/oci/reference.ts";
import { FEATURES_CONTEXT } from "../../src/plan/recipe.ts";
import type { Registry } from "../../src/world.ts";
import { hostOf, indexOf, inputsOf, portsOf, readFrom, registryOf, sha } from "../plan-of.ts";
import { firstMatch, hasLockfile, type Ordered } from "./reference.ts";
import { type Base, configOf, platformsOf, type Row } from "./row.ts";

/** A build for each platform, as the product lays it out. */
export type Made = {
  readonly kind: "made";
  /** Images whose manifests were asked for. */
  readonly images: readonly string[];
  /** Options that buildx is told beside our own. */
  readonly options: readonly string[];
  readonly warnings: readonly string[];
  readonly context: readonly string[];
  readonly lockfile: boolean;
  readonly platforms: Readonly<Record<string, MadePlatform>>;
};

export type MadePlatform = Pick<Ordered, "dockerfile" | "users" | "label"> & { readonly target: string | undefined };

export type Failed = { readonly kind: "error"; readonly words: string };

/** What we build for a workspace. */
export async function askOurs(row: Omit<Row, "reference">, workspace: string): Promise<Made | Failed> {
  try {
    return await make(row, workspace);
  } catch (thrown) {
    if (thrown instanceof ActionError) return { kind: "error", words: thrown.message };
    throw thrown;
  }
}

async function make(row: Omit<Row, "reference">, workspace: string): Promise<Made> {
  const { files, removeTemporaryFolders } = openFiles(tmpdir());
  const inputs = inputsOf({
    workspace,
    images: {},
    inputs: {
      platforms: platformsOf(row).join("\n"),
      labels: (row.labels ?? []).join("\n"),
      "workspace-folder": row.link?.folder ?? "",
    },
  });
  const sources = await readFrom(inputs, { files, host: hostOf(workspace, row.env) });
  const { registry, asked } = registryOfBases(row);
  const ports = portsOf(registry, inputs);
  const resolved = sources.wanted.features ? await resolveFeatures(sources.wanted.features, ports) : undefined;
  if (resolved && resolved.kind !== "resolved") throw new Error(resolved.error.words);
  const { platforms } = inputs;
  const bases = await readBaseImages({ bindings: [], bases: new Map(), sources, platforms }, registry);
  const features = await fetchFeatures(resolved?.features ?? [], ports);
  const layout = await layOutBuild(
    { gathered: sources.build, platforms, bases, features, bindings: [], pins: [] },
    files,
  );
  const made = await Promise.all([...layout.platforms].map(async ([name, one]) => [name, await read(one)] as const));
  const context = await contextOf(layout);
  removeTemporaryFolders();
  return {
    kind: "made",
    images: [...asked],
    options: sources.build.definition.counted.map(formatOption),
    warnings: sources.warnings.map(({ text }) => text),
    context,
    lockfile: await hasLockfile(join(workspace, row.link?.folder ?? ".")),
    platforms: Object.fromEntries(made),
  };
}

/** What some platform's build finds in its context. */
async function contextOf({ platforms }: Layout): Promise<string[]> {
  const folders = new Set([...platforms.values()].map(({ contextFolder }) => contextFolder));
  const lists = await Promise.all([...folders].map((folder) => readdir(folder, { recursive: true })));
  return [...new Set(lists.flat())].sort();
}

async function read({ dockerfile, target, contexts, label }: PlatformLayout): Promise<MadePlatform> {
  const text = await readFile(dockerfile, "utf8");
  const features = contexts[FEATURES_CONTEXT];
  const prepare = features === undefined ? "" : await readFile(join(features, "tool_0", "prepare"), "utf8");
  return {
    dockerfile: text,
    target,
    users: {
      ...firstMatch("image", text, /^RUN \["\/bin\/rm".*\nUSER "(.*)"$/m),
      ...firstMatch("container", prepare, /_CONTAINER_USER='\\''(.*)'\\''/),
      ...firstMatch("remote", prepare, /_REMOTE_USER='\\''(.*)'\\''/),
    },
    label,
  };
}

/** A registry that has every image, each for all platforms of the row; `asked` grows by the names that are asked for. */
function registryOfBases(row: Pick<Row, "platforms" | "bases">): {
  readonly registry: Registry;
  readonly asked: ReadonlySet<string>;
} {
  const asked = new Set<string>();
  const configs = Object.fromEntries(
    platformsOf(row).map((platform) => [platform, configText(platform, row.bases?.[platform] ?? {})]),
  );
  const index = indexOf(configs);
  const children = index.body.kind === "index" ? manifestsOf(index.body, configs) : [];
  const registry: Registry = {
    ...registryOf({}),
    manifest: async (reference) => {
      const child = children.find(({ descriptor }) => descriptor.digest === reference.digest);
      if (!child) asked.add(formatReference(reference));
      return { kind: "found", value: child ?? index };
    },
    blob: async (_, { digest }) => {
      const text = Object.values(configs).find((config) => sha(config) === digest);
      return { kind: "found", value: new TextEncoder().encode(text ?? "") };
    },
  };
  return { registry, asked };
}

function manifestsOf({ manifests }: Index, configs: Readonly<Record<string, string>>): Served[] {
  return manifests.map((descriptor) => {
    const text = configs[descriptor.platform ? formatPlatform(descriptor.platform) : ""] ?? "";
    const config = { mediaType: OCI_CONFIG, digest: sha(text), size: text.length };
    const body = { kind: "manifest", mediaType: OCI_MANIFEST, config, layers: [], annotations: {} } as const;
    return { descriptor, bytes: new Uint8Array(), body };
  });
}

/** The platform stands in it, so that no two configs are one. */
function configText(platform: string, base: Base): string {
  return JSON.stringify({ platform, config: configOf(base) });
}
