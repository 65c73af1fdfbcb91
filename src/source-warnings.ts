import type { Definition } from "./definition.ts";
import { formatPath } from "./devcontainer/json.ts";
import { placeOf } from "./devcontainer/parse.ts";
import type { Substituted } from "./devcontainer/substitute.ts";
import type { Place } from "./errors.ts";

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

/** Build args that are others in every checkout. */
export function hostPathWarnings({ args }: Definition): Warning[] {
  return [...args].flatMap(([name, { fromHostPath, at }]) => {
    if (!fromHostPath) return [];
    const text = `build arg ${name} holds the path of this checkout: the image is found again only in a checkout at the same path`;
    return [{ text, at }];
  });
}
