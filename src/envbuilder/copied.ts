import { ActionError, type Place } from "../errors.ts";
import type { Build, BuildStage, CopySource } from "./build.ts";
import type { Command } from "./command.ts";
import type { Ignored } from "./ignored.ts";
import { type ImageFiles, imageKeyPart, type LayerFiles, layOver } from "./image-files.ts";
import { imageSources, takenPaths } from "./sources.ts";
import type { Step } from "./step.ts";
import { refuse } from "./unprobeable.ts";
import { type Expand, expandPath } from "./words.ts";
import { cut } from "./wrong-line.ts";

/** What COPY --from takes from: an image, none for `scratch`, and the steps of stages that lie over it. */
export type LayersRequest = {
  readonly image: string | undefined;
  readonly steps: readonly Step[];
  readonly isStage: boolean;
  /** Clean, without a slash in front. */
  readonly paths: readonly string[];
};

/**
 * What layers hold of some paths, the lowest first.
 * @returns why that cannot be read, as the end of a sentence; `undefined` where a layer is not there, with which everything ends.
 */
export type ReadLayers = (
  request: LayersRequest,
) => Promise<readonly LayerFiles[] | { readonly unread: string } | undefined>;

/** Where the builder lays what COPY --from takes, beside its own files: an ignore file is held against that too. */
const KANIKO_FOLDER = "/.envbuilder";

type Sources = {
  readonly build: Build;
  /** The stages before, as far as they are known. */
  readonly stages: readonly { readonly steps: readonly Step[] }[];
  readonly isIgnored: Ignored["isIgnored"];
  readonly readLayers: ReadLayers;
};

export type Copy = Extract<Command, { kind: "copy" }>;

/**
 * What a COPY --from adds to a key. `planned` are the paths that the builder reads from its first look at the Dockerfile, in which an ARG of
 * an earlier stage does not count yet.
 */
export type Copied = (
  copy: Copy,
  source: CopySource,
  words: { readonly expand: Expand; readonly planned: Expand; readonly at: Place },
) => Promise<readonly string[]>;

/**
 * Opens the images and stages that COPY --from takes from.
 * @returns a function that throws E_MISS where a layer is not there.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/commands/copy.go (copyCmdFilesUsedFromContext)
 */
export function openCopied({ build, stages, isIgnored, readLayers }: Sources): Copied {
  return async (copy, source, { expand, planned, at }) => {
    const sources = imageSources(copy, expand, at);
    if (JSON.stringify(imageSources(copy, planned, at)) !== JSON.stringify(sources))
      refuse(
        at,
        "The builder looks for other files than it copies: an argument of an earlier stage is in their names.",
      );
    const request = layersOf(source, build, stages, at);
    const isStage = source.kind === "stage";
    const read = { ...request, isStage, paths: [...new Set(sources.map(({ path }) => path))] };
    const files = await readFiles(read, readLayers, at);
    const paths = takenPaths(sources, files, { target: expandPath(copy.target, expand, at), at });
    const folder = `${KANIKO_FOLDER}/${source.kind === "stage" ? source.stage : source.image}`;
    return paths.flatMap((path) => {
      if (!files.entryOf(path)) refuse(at, `There is no /${path} in what it copies from.`);
      return imageKeyPart(files, path, (one) => isIgnored(underRoot(`${folder}/${one}`, build.root))) ?? [];
    });
  };
}

/** A stage's layers lie over those of the stage, or of the image, that it stands on. */
function layersOf(
  source: BuildStage["base"],
  build: Build,
  stages: Sources["stages"],
  at: Place,
): Pick<LayersRequest, "image" | "steps"> {
  if (source.kind !== "stage") return { image: source.kind === "image" ? source.image : undefined, steps: [] };
  const own = stages[source.stage]?.steps ?? [];
  const unkept = own.find(({ layer }) => layer === "unkept");
  if (unkept)
    refuse(at, `The stage that it copies from has ${cut(unkept.text)}, whose layer envbuilder does not keep.`);
  const base = build.stages[source.stage]?.base ?? { kind: "scratch" };
  const { image, steps } = layersOf(base, build, stages, at);
  return { image, steps: [...steps, ...own] };
}

async function readFiles(request: LayersRequest, readLayers: ReadLayers, at: Place): Promise<ImageFiles> {
  const layers = await readLayers(request);
  if (!layers) throw new ActionError("E_MISS", { what: "A layer that COPY --from takes from is not there.", at });
  if ("unread" in layers) return refuse(at, `What it copies from cannot be read: ${layers.unread}.`);
  const files = layOver(layers, request.paths);
  return "doubt" in files ? refuse(at, `It cannot be told what the builder copies: ${files.doubt}.`) : files;
}

/** The context's own files are named relative to it. */
function underRoot(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
