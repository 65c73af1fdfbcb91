import type { Provenance } from "../arguments/offered.ts";
import type { BuildStep } from "../buildx/build-record.ts";
import type { Builder } from "../buildx/builder.ts";
import type { Buildx } from "../buildx/buildx.ts";
import type { ActionError } from "../errors.ts";
import type { FeaturePorts } from "../features/found.ts";
import type { InstalledFeature } from "../features/install.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { BoundAddress } from "../plan/addresses.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Sources } from "../plan/plan.ts";
import type { Binding } from "../plan/upstream.ts";
import type { BaseConfigs } from "../probe/bases.ts";
import type { Found } from "../probe/found.ts";
import type { Layout } from "./layout.ts";
import type { Docker } from "./open-docker.ts";

/** What is to be built: without a plan there is no key, and what has no key is never pushed. */
export type BuildTask = {
  readonly inputs: Inputs;
  readonly sources: Sources;
  readonly plan: Plan | undefined;
  readonly platforms: readonly Platform[];
  readonly bindings: readonly Binding[];
  /** What the key says of addresses; none without a plan. */
  readonly addresses: readonly BoundAddress[];
  /** Of the images that stages are built on, as far as they were read. */
  readonly bases: BaseConfigs;
  /** In the order of installation, and what fetching them may ask of the world. */
  readonly features: readonly InstalledFeature[];
  readonly ports: FeaturePorts;
  readonly docker: Promise<Docker>;
  readonly output: PushOutput | { readonly kind: "load"; readonly name: string };
  readonly rebuild: Rebuild;
};

/** `onBuilt` hears of every platform that has been built, `onPushed` of its image as soon as the registry serves it, before it is checked. */
export type PushOutput = {
  readonly kind: "push";
  readonly onBuilt: (platform: Platform) => void;
  readonly onPushed: (image: PushedImage) => void;
};

/** Digest of the platform's manifest, and how long it was built. */
export type PushedImage = { readonly platform: Platform; readonly manifest: Digest; readonly seconds: number };

/** Whether what stands under a platform's tag is built over, and if so, with the layer cache or without. */
export type Rebuild = "no" | "cached" | "fresh";

export type BuiltPlatform = {
  readonly platform: Platform;
  /** Missing where the image was only loaded into the local engine. */
  readonly found: Found | undefined;
  readonly seconds: number;
  /** Another job had pushed the image when this one was about to build it, or to name what it has built. */
  readonly foundLate: boolean;
};

/** The steps of one platform's build, whatever became of it. */
export type PlatformSteps = { readonly platform: Platform; readonly steps: readonly BuildStep[] };

/** What became of a build. */
export type Built = {
  /** Those that were built; all of them where nothing failed. */
  readonly platforms: readonly BuiltPlatform[];
  readonly steps: readonly PlatformSteps[];
  /** Ends when every image that was pushed has its tag, and fails where one cannot get it. */
  readonly naming: Promise<unknown>;
  /** Why platforms could not be built. */
  readonly failure: ActionError | undefined;
};

/** One platform's build, ready to be run. */
export type PlatformTask = Omit<BuildTask, "docker"> & {
  readonly platform: Platform;
  /** The name of the image that makes the SBOM; nothing where there is to be none. */
  readonly generator: string | undefined;
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  readonly buildx: Buildx;
  readonly builder: Builder;
  readonly commit: Provenance;
  /** Hears of the steps of each attempt. */
  readonly onSteps: (steps: readonly BuildStep[]) => void;
  /** Hears of what BuildKit says it has pushed, while it still exports its layer cache. What counts is what buildx writes down in the end. */
  readonly onExported?: (digest: Digest) => void;
};
