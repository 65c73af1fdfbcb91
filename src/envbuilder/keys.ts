import { ActionError } from "../errors.ts";
import { type BaseImage, readBaseImage, type ServedImage, scratch } from "./base-image.ts";
import type { Build, BuildStage } from "./build.ts";
import { type BuildArgs, openBuildArgs, withMeta } from "./build-args.ts";
import type { Context } from "./context.ts";
import { openCopied, type ReadLayers } from "./copied.ts";
import { finishImage, type Target } from "./finish.ts";
import { readIgnored } from "./ignored.ts";
import { type Doubt, walkStage } from "./stage-walk.ts";
import type { Step } from "./step.ts";
import { openTree } from "./tree.ts";
import { orUnprobeable, refuse, type Unprobeable } from "./unprobeable.ts";

/** All that is known of a build before its layers are looked up: no key waits for an answer, but for those behind a COPY --from. */
export type Keyed = {
  readonly kind: "keyed";
  readonly steps: readonly Step[];
  /** The stage that is pushed, and those of the steps that make its layers. */
  readonly target: Target;
  readonly targetSteps: readonly Step[];
  /** What may make the builder push another image than the one that is computed, though every layer is found. */
  readonly doubts: readonly Doubt[];
};

/** `readLayers` has not found a layer, and knows which. */
export type Interrupted = { readonly kind: "interrupted" };

export type KeyRequest = {
  /** By the names of `Build.images`. */
  readonly images: ReadonlyMap<string, ServedImage>;
  readonly context: Context;
  /** `<Dockerfile>.dockerignore`, else the context's `.dockerignore`, where there is one. */
  readonly ignore: { readonly text: string; readonly file: string } | undefined;
  /** What is built for: `linux/amd64`. */
  readonly platform: string;
  readonly readLayers: ReadLayers;
};

type Walked = {
  readonly steps: readonly Step[];
  readonly args: BuildArgs;
  readonly target: Target;
  readonly doubts: readonly Doubt[];
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

async function keysOf(build: Build, { images, context, ignore, platform, readLayers }: KeyRequest): Promise<Keyed> {
  const ignored = readIgnored(ignore);
  const tree = openTree(context, ignored);
  const meta = new Map(build.metaArgs.map(({ name, value }) => [name, value]));
  const given = withMeta(openBuildArgs(build.buildArgs), meta);
  const walked: Walked[] = [];
  const copied = openCopied({ build, stages: walked, isIgnored: ignored.isIgnored, readLayers });
  /** The images of stages without instructions: such a stage leaves no key, and whoever builds on the very same image starts with none. */
  const keyless = new Set<string>();
  for (const [index, stage] of build.stages.entries()) {
    // What an ARG has allowed stays allowed in the stages behind it.
    const args = walked.at(-1)?.args ?? given;
    const base = baseOf(stage, images);
    const first = keyless.has(base.digest) ? "" : base.digest;
    const { config, steps, ...one } = await walkStage({ stage, base, args, given, first, tree, copied });
    const target = { base, config, platform };
    if (steps.length === 0) keyless.add(finishImage(target, [], { isCanonical: false }).digest);
    walked.push({ ...one, target, steps: steps.map((step) => ({ ...step, stage: index })) });
  }
  const last = walked.at(-1);
  if (!last) return refuse({ file: "Dockerfile" }, "There is no stage.");
  const steps = walked.flatMap((one) => one.steps);
  const doubts = walked.flatMap((one) => one.doubts);
  return { kind: "keyed", steps, target: last.target, targetSteps: last.steps, doubts };
}

function baseOf({ image, at }: BuildStage, images: ReadonlyMap<string, ServedImage>): BaseImage {
  if (image === undefined) return scratch();
  const served = images.get(image);
  const base = served && readBaseImage(served);
  return base ?? refuse(at, `It cannot be told what the builder makes of the manifest and the config of ${image}.`);
}
