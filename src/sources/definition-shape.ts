import type { Secret } from "../arguments/secrets.ts";
import type { Ssh } from "../arguments/ssh.ts";
import type { FoundConfiguration } from "../devcontainer/find.ts";
import type { BuildOption } from "../devcontainer/options.ts";
import type { Workspace } from "../devcontainer/paths.ts";
import type { Substituted } from "../devcontainer/substitute.ts";
import type { Place } from "../errors.ts";
import type { Reading } from "../key/difference.ts";
import type { Effort } from "../world.ts";
import type { ConfiguredCache } from "./configured-caches.ts";
import type { Doubt } from "./doubt.ts";
import type { Readable } from "./readable.ts";

/** A value as it is used, the place where a person finds it, and what took part in it. */
export type Written = {
  readonly value: string;
  readonly at: Place;
  /** Such a value may be secret. */
  readonly fromEnvironment: boolean;
  /** Such a value is another one in every checkout. */
  readonly fromHostPath: boolean;
  /** Variables of the environment that took part, where their names are known, and the line of an env file that sets one. */
  readonly reads?: readonly Reading[];
  /** Names the one that says it, where no file does. */
  readonly input?: string;
};

/** Where a named build context is: an absolute folder, or an image. */
export type NamedContext = { readonly kind: "folder" | "image" } & Written;

/** An option of buildx that changes the image's bytes. `input` names the one that asks for it, where no file does. */
export type CountedOption = BuildOption & {
  readonly fromEnvironment: boolean;
  readonly reads?: readonly Reading[];
  readonly input?: string;
};

type At = { readonly at: Place };

/** How something is built. */
export type BuildRequest = {
  readonly target: Written | undefined;
  readonly args: ReadonlyMap<string, Written>;
  readonly contexts: ReadonlyMap<string, NamedContext>;
  readonly cacheFrom: readonly ConfiguredCache[];
  readonly counted: readonly CountedOption[];
  /** What RUN may mount: where it is, never what it is. Paths are in the workspace. */
  readonly secrets: readonly (Secret & At)[];
  readonly ssh: readonly (Ssh & At)[];
  /** Options of buildx that do not change the image. */
  readonly uncounted: readonly BuildOption[];
};

/** A Dockerfile that is written where it is asked for. */
export type InlineDockerfile = {
  readonly text: string;
  readonly at: Place;
  readonly fromEnvironment: boolean;
  readonly reads?: readonly Reading[];
};

/** What is built, wherever it was said: in devcontainer.json, in a compose file, by inputs. Paths are absolute. */
export type Definition = BuildRequest & {
  readonly source:
    | { readonly kind: "image"; readonly image: Written }
    | {
        readonly kind: "dockerfile";
        readonly dockerfile: Written | InlineDockerfile;
        readonly context: Written;
      }
    /** It cannot be told before the build, and we do not know how to build it either: there is a doubt then. */
    | { readonly kind: "unreadable"; readonly at: Place };
  /** The compose files that were read, as seen from the checkout. */
  readonly composeFiles?: ReadonlySet<string>;
  /** The user of a compose service. */
  readonly user: Written | undefined;
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
  /** A named context is missing, so that nothing can be built: its name would mean an image. */
  readonly isIncomplete: boolean;
  readonly doubt: Doubt | undefined;
};

export type DefinitionRequest = {
  readonly configuration: Substituted;
  readonly found: Pick<FoundConfiguration, "file" | "relative">;
  readonly workspace: Workspace;
  readonly readable: Pick<Readable, "env" | "withheld">;
  readonly effort?: Effort;
};

/** A definition in which nothing but the source is said. */
export const NOTHING = {
  target: undefined,
  args: new Map(),
  contexts: new Map(),
  cacheFrom: [],
  counted: [],
  secrets: [],
  ssh: [],
  uncounted: [],
  user: undefined,
  warnings: [],
  isIncomplete: false,
  doubt: undefined,
} as const satisfies Omit<Definition, "source">;
