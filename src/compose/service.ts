import type { Place } from "../errors.ts";
import type { NamedContext } from "./contexts.ts";
import type { BuildSecret } from "./secrets.ts";
import type { Doubt } from "./tree.ts";
import type { Sourced } from "./values.ts";

/** What one service of a compose project says about its image. */
export type ComposeService =
  | (ServiceImage & Told)
  | (ServiceBuild & Told)
  | {
      /** Something that decides about the image cannot be read for certain. */
      readonly kind: "unknown";
      readonly doubts: readonly [Doubt, ...Doubt[]];
    };

type Told = {
  readonly user: Sourced | undefined;
  readonly platform: Sourced | undefined;
  /** Variables that are not set, in values that count. */
  readonly warnings: readonly Warning[];
};

export type Warning = { readonly text: string; readonly at: Place };

export type ServiceImage = { readonly kind: "image"; readonly image: Sourced };

/** Paths are absolute and inside the workspace; links are not looked at. */
export type ServiceBuild = {
  readonly kind: "build";
  readonly context: Sourced;
  readonly dockerfile:
    | { readonly kind: "file"; readonly path: Sourced }
    | { readonly kind: "inline"; readonly text: Sourced };
  readonly target: Sourced | undefined;
  /** In the order of the files. Those without a value have that of the environment, or are left out. */
  readonly args: ReadonlyMap<string, Sourced>;
  readonly additionalContexts: ReadonlyMap<string, NamedContext>;
  readonly labels: ReadonlyMap<string, Sourced>;
  readonly network: Sourced | undefined;
  /** Each as `host=address`. */
  readonly extraHosts: readonly Sourced[];
  /** Bytes. */
  readonly shmSize: Sourced<number> | undefined;
  readonly ulimits: ReadonlyMap<string, Sourced<Ulimit>>;
  readonly secrets: readonly BuildSecret[];
  /** The agents and keys by their id; without a path it is the agent of the environment. */
  readonly ssh: ReadonlyMap<string, Sourced<string | undefined>>;
  readonly entitlements: readonly Sourced[];
  readonly privileged: boolean;
  readonly cacheFrom: readonly Sourced[];
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly platforms: readonly Sourced[];
};

export type Ulimit = { readonly soft: number; readonly hard: number };
