import type { NamePattern } from "../arguments/argument.ts";
import type { JsonObject } from "../devcontainer/json.ts";
import type { Warning } from "../errors.ts";
import type { SourcePattern } from "../git/url.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Pinned, Repository } from "../oci/reference.ts";
import type { ImagePattern } from "../registry/allowed.ts";
import type { DockerConfiguration } from "../registry/docker-config.ts";
import type { Mirror } from "../registry/mirrors.ts";
import type { Insecure } from "../registry/trust.ts";
import type { Event } from "../world.ts";
import type { AttestationInputs } from "./attestation-inputs.ts";
import type { BuildInputs } from "./build-inputs.ts";
import type { EnvbuilderInputs } from "./envbuilder-inputs.ts";
import type { GitSource } from "./git-inputs.ts";
import type { Runner } from "./runners.ts";
import type { Summarised } from "./summary-input.ts";
import type { Release } from "./tag-inputs.ts";

/** What the user asked for, checked: nothing here can be wrong any more except in the light of files, registry or engine. */
export type Inputs = {
  /** Set where the image is looked for in the way of coder's envbuilder. */
  readonly envbuilder: EnvbuilderInputs | undefined;
  readonly cacheRepository: Repository;
  readonly cacheVersion: string | undefined;
  readonly verify: "layers" | "manifests" | "none";
  readonly onMiss: "build" | "fail" | "continue";
  readonly onDrift: "build" | "use" | "fail";
  readonly onUnknown: "fail" | "build" | "continue";
  readonly summary: readonly Summarised[];
  readonly push: "auto" | "true" | "false";
  readonly alias: "auto" | "true" | "false";
  /** An image that is there is built over all the same. */
  readonly force: boolean;
  /** Past this age an image does not count. */
  readonly cacheTtlDays: number | undefined;
  /** Legal, none of our own, none twice. */
  readonly tags: readonly string[];
  /** An image of the cache repository that an earlier run has handed out: while it is there, nothing else is looked for. */
  readonly previousImage: Pinned | undefined;
  readonly release: Release | undefined;
  /** Whether the image is put into the local engine, wherever it comes from. */
  readonly load: boolean;
  /** With false there is a fallback image. */
  readonly exitOnBuildFailure: boolean;
  /** Sorted, no platform twice. */
  readonly platforms: readonly Platform[];
  /** No platform twice; those that are not named have a default. */
  readonly runners: readonly Runner[];
  /** What is built in the place of the checked-out workspace. */
  readonly git: GitSource | undefined;
  readonly allowedSources: readonly SourcePattern[];
  /** Of everything written here that may decide what the image of a commit is. */
  readonly deciding: Digest;
  /** As written: relative to the host's workspace, or absolute; of a clone, to that. */
  readonly workspaceFolder: string | undefined;
  readonly devcontainerDir: string | undefined;
  readonly devcontainerJsonPath: string | undefined;
  /** A Dockerfile that is built in the place of a configuration, from the workspace on, and its context. */
  readonly dockerfilePath: string | undefined;
  readonly buildContextPath: string | undefined;
  /** What counts where there is no configuration, and is handed out where nothing better is there. */
  readonly fallbackImage: string | undefined;
  /** Features by id, beside those of devcontainer.json. */
  readonly additionalFeatures: JsonObject;
  readonly lockfile: "use" | "require" | "ignore";
  /** What the configuration may read of the step's environment; `undefined` for everything but secrets, and for a fork's nothing. */
  readonly localEnv: readonly NamePattern[] | undefined;
  /** The uid that the image's remote user gets; nothing where it keeps its own. */
  readonly remoteUserUid: number | undefined;
  /** How an image is built. */
  readonly build: BuildInputs;
  /** What is attached to it. */
  readonly attestations: AttestationInputs;
  readonly insecure: Insecure;
  /** PEM. */
  readonly certificate: string | undefined;
  readonly mirrors: readonly Mirror[];
  readonly allowedImages: readonly ImagePattern[];
  readonly dockerConfiguration: DockerConfiguration | undefined;
  /** What inputs hold that is secret, as it is written there. */
  readonly secretTexts: readonly { readonly input: string; readonly value: string }[];
  /** What all other inputs hold, as it is written there: nothing of it may be a secret. */
  readonly written: Readonly<Record<string, string>>;
  /** What is probably not meant, and no mistake for certain. */
  readonly noticed: readonly Warning[];
  readonly registryLogin: { readonly username: string; readonly password: string } | undefined;
};

/** What the host knows and an input may leave open. */
export type Defaults = {
  readonly cacheRepository: string | undefined;
  /** The host's own registry, where that speaks plain http. */
  readonly plainRegistry?: string | undefined;
  /** Whose the folders are that a job's container gets: one user's, or whoever works in it is made their owner. */
  readonly folderOwner?: number | "anyone";
} & Pick<Event, "isFork" | "whyFork" | "whyNoSecrets">;
