import { formatPath } from "../devcontainer/json.ts";
import { placeOf } from "../devcontainer/parse.ts";
import { readRunArgs, userOfRunArgs } from "../devcontainer/run-args.ts";
import type { Substituted, Substitution } from "../devcontainer/substitute.ts";
import type { Warning } from "../errors.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { Definition } from "./definition-shape.ts";
import { type Readable, tellWithheld, type Withheld } from "./readable.ts";
import { gitPath } from "./used-context.ts";

/** What decides about the image; elsewhere, as in a mount, a variable that only some machines have is usual. */
const DECIDES = new Set<string | number>([
  ...["image", "build", "dockerFile", "context", "dockerComposeFile", "service"],
  ...["features", "overrideFeatureInstallOrder"],
]);

/** Features are installed for them, and one of them may get another uid; else they stand in the label alone, as they are written. */
const USERS = new Set<string | number>(["containerUser", "remoteUser"]);

/** These are paths themselves, and count from the workspace wherever that is. */
const PATHS = new Set(["dockerFile", "context", "dockerComposeFile", "build.dockerfile", "build.context"]);

type Deciding = {
  readonly hasFeatures: boolean;
  /** Whether the remote user gets another uid. */
  readonly renumbers: boolean;
  readonly readable: Pick<Readable, "withheld">;
};

/** What decides about the image and is another one on another machine: variables that are withheld or not set here, and where the checkout lies. */
export function substitutionWarnings(
  configuration: Substituted,
  { hasFeatures, renumbers, readable }: Deciding,
): Warning[] {
  const started = renumbers ? userOfRunArgs(readRunArgs(configuration)) : undefined;
  const decides = ([first = "", at]: Substitution["path"]): boolean =>
    DECIDES.has(first) ||
    ((hasFeatures || renumbers) && USERS.has(first)) ||
    (started !== undefined && first === "runArgs" && at === started.at) ||
    (hasFeatures && first === "containerEnv");
  const deciding = configuration.substitutions.filter(({ path }) => decides(path));
  const warn = (path: Substitution["path"], text: string): Warning => ({ text, at: placeOf(configuration, path) });
  return [
    ...configuration.substitutions.flatMap(({ path, reads }) =>
      withheldOf(reads, readable)
        // What is no token may be read at run time only, as by a mount, and is usual there.
        .filter(({ why }) => why === "token" || decides(path))
        .map((found) => warn(path, `${formatPath(path)} reads ${tellWithheld(found)}`)),
    ),
    ...deciding.flatMap(({ path, unset }) =>
      unset.filter((name) => !readable.withheld(name)).map((name) => warn(path, unsetText(name, path))),
    ),
    ...deciding.flatMap(({ path, ...taken }) => {
      const text = PATHS.has(formatPath(path)) ? undefined : checkoutText(formatPath(path), taken);
      return text === undefined ? [] : [warn(path, text)];
    }),
  ];
}

function withheldOf(names: readonly string[], { withheld }: Pick<Readable, "withheld">): readonly Withheld[] {
  return [...new Set(names)].flatMap((name) => withheld(name) ?? []);
}

function unsetText(variable: string, path: Substitution["path"]): string {
  return `The variable ${variable} is not set in this step: nothing takes its place in ${formatPath(path)}. Set it under env:, or give a default, \${localEnv:${variable}:default}`;
}

function checkoutText(
  name: string,
  { fromHostPath, fromFolderName }: Pick<Substitution, "fromHostPath" | "fromFolderName">,
): string | undefined {
  if (fromHostPath)
    return `${name} holds the path of this checkout: the image is found again only in a checkout at the same path`;
  if (fromFolderName)
    return `${name} holds the name of this checkout's folder: the image is found again only in a folder of the same name. Set workspaceFolder, or write the name out`;
  return undefined;
}

/** What is taken of a named context with git's own folder is another one in every clone. */
export function gitWarnings(
  namedContexts: ReadonlyMap<string, { readonly entries: readonly ContextEntry[] }>,
  { contexts }: Definition,
): Warning[] {
  return [...namedContexts].flatMap(([name, { entries }]) => {
    const git = entries.flatMap(({ path }) => gitPath(path) ?? [])[0];
    const at = contexts.get(name)?.at;
    if (git === undefined) return [];
    const text = `The build context ${name} holds ${git}: every clone has another one, so this image is never found again. Name .git in the .dockerignore of that folder`;
    return [{ text, ...(at ? { at } : {}) }];
  });
}
