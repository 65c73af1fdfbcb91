import { type ConfigFile, type GoDescriptor, type Manifest, readConfigFile, readGoManifest } from "./image-json.ts";
import type { Keyed } from "./keys.ts";
import type { Step } from "./step.ts";

/** An image that the builder has pushed, as it is held against the steps of another build. */
export type Earlier = { readonly config: ConfigFile; readonly manifest: Manifest };

/** Where an earlier image and this build begin to differ, as far as its history tells. */
export type Divergence =
  /** It stands on other layers, or on an image with another history. */
  | { readonly kind: "base" }
  /** `before` is what stood in the step's place; nothing where the earlier image ends in front of it. */
  | { readonly kind: "instruction"; readonly step: Step; readonly before: string | undefined }
  /** All is written as it was, up to the layer that is missing: `layer` is the earlier one. */
  | { readonly kind: "same"; readonly layer: GoDescriptor | undefined };

/** @returns `undefined` for what is no image of one platform. */
export function readEarlier(manifest: string, config: string): Earlier | undefined {
  const [read, file] = [readGoManifest(manifest), readConfigFile(config)];
  return read && file && { config: file, manifest: read };
}

/** Holds an earlier image against this build, up to a step of its last stage. */
export function findDivergence(
  { config, manifest }: Earlier,
  { target, targetSteps }: Pick<Keyed, "target" | "targetSteps">,
  missing: Step,
): Divergence {
  const { history = [], rootFs } = target.base.config;
  const below = rootFs.diffIds ?? [];
  const told = config.history?.map(({ createdBy }) => createdBy) ?? [];
  const isSameBase =
    below.every((diffId, index) => config.rootFs.diffIds?.[index] === diffId) &&
    history.every(({ createdBy }, index) => told[index] === createdBy);
  if (!isSameBase) return { kind: "base" };
  for (const [index, step] of targetSteps.entries()) {
    const before = told[history.length + index];
    if (before !== step.text) return { kind: "instruction", step, before };
    if (step === missing) return { kind: "same", layer: manifest.layers?.[below.length + index] };
  }
  return { kind: "same", layer: undefined };
}

/** What is in a layer: the md5 of each file's content, by its path. */
export type LayerContent = ReadonlyMap<string, string>;

/** Files of the context, by the path at which they come to stand below a folder that is not known, with the md5 of their content. */
export type TakenFile = { readonly path: string; readonly below: string; readonly md5: string };

export type ChangedFile = { readonly path: string; readonly how: "changed" | "new" | "gone" };

/** Which files that a COPY takes are others than in the layer that it made earlier; where they went in it need not be known. */
export function changedFiles(taken: readonly TakenFile[], layer: LayerContent): readonly ChangedFile[] {
  const names = [...layer.keys()];
  const seen = new Set<string>();
  const changed = taken.flatMap(({ path, below, md5 }): readonly ChangedFile[] => {
    const candidates = names.filter((name) => name === below || name.endsWith(`/${below}`));
    const same = candidates.find((name) => layer.get(name) === md5);
    for (const name of same === undefined ? candidates : [same]) seen.add(name);
    if (same !== undefined) return [];
    return [{ path, how: candidates.length === 0 ? "new" : "changed" }];
  });
  const gone = names.filter((name) => !seen.has(name)).map((path): ChangedFile => ({ path, how: "gone" }));
  return [...changed, ...gone];
}
