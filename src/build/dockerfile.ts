import { extendDockerfile } from "../dockerfile/extend.ts";
import { finalUser } from "../dockerfile/user.ts";
import { ActionError, tellSome } from "../errors.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Platform } from "../oci/platform.ts";
import { addedInstructions } from "../plan/recipe.ts";
import { type ImageUsers, imageUsers, type Renumbering, renumberingOf } from "../sources/image-users.ts";
import { containerEnvironment } from "../sources/installation.ts";
import { scopeOf } from "../sources/scopes.ts";
import type { Gathered } from "../sources/sources.ts";
import { type FeatureToInstall, stepsOf } from "./feature-build.ts";

/** What is built for one platform, once the base image is known. */
export type PlatformBuild = {
  readonly gathered: Gathered;
  readonly platform: Platform;
  readonly base: ImageConfig;
  readonly features: readonly FeatureToInstall[];
};

type Extended = {
  readonly text: string;
  /** How many of its lines are the user's. */
  readonly ownLines: number;
  /** For whom features are installed. */
  readonly users: ImageUsers;
  /** Who gets another uid, or why nobody does. */
  readonly renumbering: Renumbering | undefined;
};

/**
 * The Dockerfile with what stands on top of the user's target, for one platform: features, and another uid of the remote user.
 * @returns nothing where nothing is added.
 * @throws ActionError E_DOCKERFILE where the user of the image cannot be told, E_CONFIG for an environment that cannot be set.
 */
export function extendedDockerfile({ gathered, platform, base, features }: PlatformBuild): Extended | undefined {
  if (features.length === 0 && gathered.remoteUserUid === undefined) return undefined;
  const { dockerfile, dockerfileText, definition, configuration, relative } = gathered;
  const imageUser = imageUserOf(gathered, platform, base);
  const left = { labels: base.labels, user: imageUser };
  const outcome = renumberingOf(gathered, left);
  const renumbered = outcome?.kind === "renumbered" ? outcome : undefined;
  if (features.length === 0 && !renumbered) return undefined;
  const instructions = addedInstructions({
    escapeChar: dockerfile.escape,
    steps: stepsOf(features, relative),
    // Without features the label alone has it, as under the reference CLI.
    containerEnv: features.length === 0 ? [] : containerEnvironment(configuration),
    imageUser,
    renumbered,
    at: { file: relative },
  });
  return {
    ...extendDockerfile(dockerfileText, dockerfile, definition.target?.value, instructions),
    users: imageUsers(gathered, left),
    renumbering: outcome,
  };
}

function imageUserOf(gathered: Gathered, platform: Platform, base: ImageConfig): string {
  const { dockerfile, definition } = gathered;
  const found = finalUser(dockerfile, definition.target?.value, scopeOf(gathered, platform), base);
  if (found.kind === "user") return found.user;
  throw new ActionError("E_DOCKERFILE", {
    what: `Which user the image has cannot be told before the build: USER holds ${tellSome(found.names)}.`,
    fix: "Write the user's name, or give the variable a value with ARG or ENV: what is added to the image (features, remote-user-uid) is for that user.",
    at: { file: dockerfile.file, line: found.line },
  });
}
