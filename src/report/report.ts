import type { BuiltPlatform, PlatformSteps } from "../build/task.ts";
import type { Json } from "../devcontainer/json.ts";
import type { RuntimeValue } from "../devcontainer/runtime.ts";
import type { ActionError } from "../errors.ts";
import type { Runner } from "../inputs/runners.ts";
import type { Difference } from "../key/difference.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Repository } from "../oci/reference.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Verdict } from "../probe/verdict.ts";
import type { Outcome, Result } from "../publish/outcome.ts";
import type { NotPushed } from "../publish/push.ts";
import type { PlatformChanges } from "../sbom/compare.ts";
import type { SbomFile } from "../sbom/files.ts";
import type { PlatformSbom } from "../sbom/read.ts";
import type { Traffic } from "../world.ts";

/** What a run found out and did, in values: everything that outputs, log and summary tell comes from here. Times in seconds. */
export type Report = {
  readonly result: Result;
  /** Which dev container: its devcontainer.json as seen from the checkout, and the commit. */
  readonly configuration: string | undefined;
  readonly commit: string | undefined;
  readonly repository: Repository | undefined;
  readonly sourceKey: Digest | undefined;
  readonly plan: Pick<Plan, "key"> | undefined;
  readonly verdict: Verdict | undefined;
  /** The image that later jobs use: pinned, or what stands in for it. */
  readonly image: string | undefined;
  /** The tag in the local engine of what was built and not pushed: later steps of this job alone can use it. */
  readonly localImage: string | undefined;
  readonly notPushed: NotPushed | undefined;
  readonly digest: Digest | undefined;
  readonly pushed: boolean;
  readonly platforms: readonly {
    readonly platform: Platform;
    readonly digest: Digest | undefined;
    readonly how: "found" | "built" | "relabelled";
  }[];
  readonly missing: readonly Platform[];
  /** Who would have to build what is missing or out of date. */
  readonly runners: readonly Runner[];
  /** The uid that was asked for, `auto` as a number. */
  readonly remoteUserUid: number | undefined;
  readonly reasons: readonly Difference[];
  /** The tag of the image that the reasons compare with. */
  readonly previous: string | undefined;
  readonly built: readonly BuiltPlatform[];
  /** Platforms that got another label and no build. */
  readonly relabelled: NonNullable<Outcome["relabelled"]>;
  readonly steps: readonly PlatformSteps[];
  /** How long the build took that a hit saved. */
  readonly saved: number | undefined;
  /** How the image is to be run; nothing where there is none. */
  readonly handover: Handover | undefined;
  /** What is known of its packages; nothing where that was not asked for. */
  readonly sboms: SbomReport | undefined;
  readonly planFile: string | undefined;
  readonly probe: { readonly seconds: number; readonly traffic: Traffic } | undefined;
  readonly seconds: number;
  /** Whether `image` stands in for this commit's: then a failure does not end the job. */
  readonly isFallback: boolean;
  readonly failure: ActionError | undefined;
};

/** What there is to tell where nothing has been found out. */
export const NOTHING_FOUND = {
  configuration: undefined,
  commit: undefined,
  repository: undefined,
  sourceKey: undefined,
  plan: undefined,
  verdict: undefined,
  image: undefined,
  localImage: undefined,
  notPushed: undefined,
  digest: undefined,
  pushed: false,
  platforms: [],
  missing: [],
  runners: [],
  remoteUserUid: undefined,
  reasons: [],
  previous: undefined,
  built: [],
  relabelled: [],
  steps: [],
  saved: undefined,
  handover: undefined,
  sboms: undefined,
  planFile: undefined,
  probe: undefined,
  isFallback: false,
  failure: undefined,
} as const satisfies Omit<Report, "result" | "seconds">;

/** A run that ended before it had found out anything. */
export function reportFailure(failure: ActionError, seconds: number): Report {
  return { ...NOTHING_FOUND, result: "failed", failure, seconds };
}

/** What later jobs need of the image beside its name; all of it follows from the image's own config. */
export type Handover = {
  readonly options: string;
  readonly remoteUser: string;
  /** Merged metadata of the dev container, as one JSON object. */
  readonly metadata: Json;
  /** By name. Private values came from this machine's environment: they stand in the files and in no output. */
  readonly env: ReadonlyMap<string, RuntimeValue>;
  readonly envFile: string;
  readonly envMapFile: string;
};

/** What the registry knows of an image's packages, and where that was written down. */
export type SbomReport = {
  readonly sboms: readonly PlatformSbom[];
  readonly folder: string;
  readonly files: readonly SbomFile[];
  /** What a build of this run changed; nothing where there was no build, or no image before. */
  readonly changes: { readonly since: string; readonly platforms: readonly PlatformChanges[] } | undefined;
};
