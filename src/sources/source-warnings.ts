import { formatPath } from "../devcontainer/json.ts";
import { placeOf } from "../devcontainer/parse.ts";
import type { Substituted } from "../devcontainer/substitute.ts";
import type { Place } from "../errors.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { Definition } from "./definition-shape.ts";
import { gitPath } from "./used-context.ts";

/** Something that is probably not meant, with its place. */
export type Warning = { readonly text: string; readonly at?: Place };

/** What decides about the image; elsewhere, as in a mount, a variable that only some machines have is usual. */
const DECIDES = new Set<string | number>([
  ...["image", "build", "dockerFile", "context", "dockerComposeFile", "service"],
  ...["features", "overrideFeatureInstallOrder", "containerEnv", "containerUser", "remoteUser"],
]);

/** Variables of the environment that are not set, where they decide about the image. */
export function unsetVariables(configuration: Substituted): Warning[] {
  return configuration.substitutions.flatMap(({ path, unset }) =>
    DECIDES.has(path[0] ?? "")
      ? unset.map((name) => ({
          text: `the variable ${name} is not set in this step: nothing takes its place in ${formatPath(path)}. Set it under env:, or give a default, \${localEnv:${name}:default}`,
          at: placeOf(configuration, path),
        }))
      : [],
  );
}

/** These are paths themselves, and count from the workspace wherever that is. */
const PATHS = new Set(["dockerFile", "context", "dockerComposeFile", "build.dockerfile", "build.context"]);

/** What decides about the image and is another one in every checkout. */
export function hostPathWarnings(configuration: Substituted): Warning[] {
  return configuration.substitutions.flatMap(({ path, fromHostPath }) => {
    const name = formatPath(path);
    if (!fromHostPath || !DECIDES.has(path[0] ?? "") || PATHS.has(name)) return [];
    const text = `${name} holds the path of this checkout: the image is found again only in a checkout at the same path`;
    return [{ text, at: placeOf(configuration, path) }];
  });
}

/** A named context is sent as a whole. */
export function gitWarnings(
  namedContexts: ReadonlyMap<string, { readonly entries: readonly ContextEntry[] }>,
  { contexts }: Definition,
): Warning[] {
  return [...namedContexts].flatMap(([name, { entries }]) => {
    const git = entries.flatMap(({ path }) => gitPath(path) ?? [])[0];
    const at = contexts.get(name)?.at;
    if (git === undefined) return [];
    const text = `the build context ${name} holds ${git}: every clone has another one, so this image is never found again. Name .git in the .dockerignore of that folder`;
    return [{ text, ...(at ? { at } : {}) }];
  });
}
