import { ActionError } from "../errors.ts";
import { type BaseImage, readBaseImage, type ServedImage, scratch } from "./base-image.ts";
import type { Build, BuildStage, Remark } from "./build.ts";
import { type BuildArgs, openBuildArgs, withMeta } from "./build-args.ts";
import type { CachedLayer } from "./cached-layer.ts";
import type { Context } from "./context.ts";
import { openCopied, type ReadLayers } from "./copied.ts";
import { finishImage, type Target } from "./finish.ts";
import { readIgnored } from "./ignored.ts";
import type { Config } from "./image-json.ts";
import { saveStage } from "./saved-stage.ts";
import { layersOf } from "./stage-layers.ts";
import { walkStage } from "./stage-walk.ts";
import type { Step } from "./step.ts";
import { openTree } from "./tree.ts";
import { orUnprobeable, refuse, type Unprobeable } from "./unprobeable.ts";

/** All that is known of a build before its layers are looked up: no key waits for an answer, but for those behind a COPY --from, and those of stages on stages. */
export type Keyed = {
  readonly kind: "keyed";
  readonly steps: readonly Step[];
  /** The stage that is pushed, and those of the steps that make its layers. */
  readonly target: Target;
  readonly targetSteps: readonly Step[];
  /** What may make the builder push another image than the one that is computed, though every layer is found. */
  readonly doubts: readonly Remark[];
};

/** `readLayers` or `readKept` has not found a layer, and knows which. `reached`: where that is in what the last stage stands on. */
export type Interrupted = { readonly kind: "interrupted"; readonly reached?: Pick<Keyed, "target" | "targetSteps"> };

export type KeyRequest = {
  /** By the names of `Build.images`. */
  readonly images: ReadonlyMap<string, ServedImage>;
  readonly context: Context;
  /** `<Dockerfile>.dockerignore`, else the context's `.dockerignore`, where there is one. */
  readonly ignore: { readonly text: string; readonly file: string } | undefined;
  /** What is built for: `linux/amd64`. */
  readonly platform: string;
  readonly readLayers: ReadLayers;
  /** What is kept of steps, by their keys; `undefined` where a layer is not there, with which everything ends. */
  readonly readKept: (steps: readonly Step[]) => Promise<ReadonlyMap<string, CachedLayer> | undefined>;
};

type Walked = {
  readonly steps: readonly Step[];
  readonly args: BuildArgs;
  readonly target: Target;
  readonly planned: Config;
  readonly hasVolumes: boolean;
  /** Those of what the stage stands on counted. */
  readonly doubts: readonly Remark[];
};

/**
 * The key of every instruction, and the config that comes of them.
 * @throws ActionError E_DOCKERFILE for a trigger of a base image that the parser refuses.
 */
export async function computeKeys(build: Build, request: KeyRequest): Promise<Keyed | Unprobeable | Interrupted> {
  try {
    return await orUnprobeable(() => keysOf(build, request));
  } catch (thrown) {
    if (thrown instanceof ActionError && thrown.code === "E_MISS") return { kind: "interrupted" };
    throw thrown;
  }
}

async function keysOf(build: Build, request: KeyRequest): Promise<Keyed | Interrupted> {
  const { images, context, ignore, platform, readLayers } = request;
  const ignored = readIgnored(ignore);
  const tree = openTree(context, ignored);
  const meta = new Map(build.metaArgs.map(({ name, value }) => [name, value]));
  const given = withMeta(openBuildArgs(build.buildArgs), meta);
  const walked: Walked[] = [];
  const copied = openCopied({ build, stages: walked, isIgnored: ignored.isIgnored, readLayers });
  /** The last keys of stages, by the digests of their images: none for a stage without instructions, and whoever builds on its very image starts with none. */
  const keys = new Map<string, string>();
  for (const [index, stage] of build.stages.entries()) {
    // What an ARG has allowed stays allowed in the stages behind it.
    const { args = given, hasVolumes = false } = walked.at(-1) ?? {};
    const below = stage.base.kind === "stage" ? walked[stage.base.stage] : undefined;
    const base = below ? await standOn(below, stage, keys, request) : baseOf(stage, images);
    if (!base) {
      const isBelow = below && chainOf(build).has(walked.indexOf(below));
      return {
        kind: "interrupted",
        ...(isBelow ? { reached: { target: below.target, targetSteps: below.steps } } : {}),
      };
    }
    const first = keys.get(base.digest) ?? base.digest;
    const own = { stage, base, planned: below?.planned, args, given, first, hasVolumes };
    const { config, steps, doubts, ...one } = await walkStage({ ...own, tree, copied });
    const target = { base, config, platform };
    if (steps.length === 0) keys.set(finishImage(target, [], { isCanonical: false }).digest, "");
    const all = [...(below?.doubts ?? []), ...doubts];
    walked.push({ ...one, target, doubts: all, steps: steps.map((step) => ({ ...step, stage: index })) });
  }
  const last = walked.at(-1);
  if (!last) return refuse({ file: "Dockerfile" }, "There is no stage.");
  const steps = walked.flatMap((one) => one.steps);
  return { kind: "keyed", steps, target: last.target, targetSteps: last.steps, doubts: last.doubts };
}

function baseOf({ base, at }: BuildStage, images: ReadonlyMap<string, ServedImage>): BaseImage {
  if (base.kind !== "image") return scratch();
  const served = images.get(base.image);
  const image = served && readBaseImage(served);
  return (
    image ?? refuse(at, `It cannot be told what the builder makes of the manifest and the config of ${base.image}.`)
  );
}

/** The numbers of the last stage, and of those that it stands on. */
function chainOf({ stages }: Build): ReadonlySet<number> {
  const chain = new Set<number>();
  for (let index: number | undefined = stages.length - 1; index !== undefined; ) {
    chain.add(index);
    const base: BuildStage["base"] | undefined = stages[index]?.base;
    index = base?.kind === "stage" ? base.stage : undefined;
  }
  return chain;
}

/** The stage that another one stands on; `undefined` where a layer of it is not there. */
async function standOn(
  { target, steps }: Walked,
  { at }: BuildStage,
  keys: Map<string, string>,
  { readKept }: KeyRequest,
): Promise<BaseImage | undefined> {
  const kept = await readKept(steps);
  const layers = kept && layersOf(steps, target.base, kept);
  if (!layers) return undefined;
  const { built, base } = saveStage(target, layers, at);
  keys.set(built.digest, steps.at(-1)?.key ?? "");
  return base;
}
