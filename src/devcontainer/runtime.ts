import { type MergedMetadata, mountFields } from "./merge.ts";
import { lastSegment, resolvePath } from "./paths.ts";

/** What stands behind the variables of a running container's settings. */
export type RuntimeVariables = {
  readonly localEnv: Readonly<Record<string, string | undefined>>;
  /** The image's own environment. */
  readonly containerEnv: Readonly<Record<string, string>>;
  readonly localWorkspaceFolder: string;
};

/** A value after substitution. `isPrivate`: something of this machine's environment took part. */
export type RuntimeValue = { readonly value: string; readonly isPrivate: boolean };

/**
 * The environment of what runs in the container: `containerEnv`, then `remoteEnv` over it.
 * @returns by name; what `remoteEnv` takes away is not there, nor what no variable can be called.
 */
export function runtimeEnvironment(
  { containerEnv, remoteEnv }: MergedMetadata,
  variables: RuntimeVariables,
): ReadonlyMap<string, RuntimeValue> {
  const values = new Map<string, RuntimeValue>();
  for (const [name, value] of namedEntries(containerEnv)) values.set(name, replaceRuntime(value, variables));
  const container = {
    ...variables.containerEnv,
    ...Object.fromEntries([...values].map(([name, { value }]) => [name, value])),
  };
  const privateNames = new Set([...values].flatMap(([name, { isPrivate }]) => (isPrivate ? [name] : [])));
  for (const [name, value] of namedEntries(remoteEnv)) {
    if (value === null) values.delete(name);
    else values.set(name, replaceRuntime(value, { ...variables, containerEnv: container }, privateNames));
  }
  return values;
}

function namedEntries<T>(env: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  // In a file with one variable a line the rest of such a name would be a variable of its own.
  return Object.entries(env).filter(([name]) => /^[^=\0\r\n]+$/.test(name));
}

function replaceRuntime(
  written: string,
  { localEnv, containerEnv, localWorkspaceFolder }: RuntimeVariables,
  privateNames: ReadonlySet<string> = new Set(),
): RuntimeValue {
  let isPrivate = false;
  const folder = resolvePath("/workspaces", lastSegment(localWorkspaceFolder));
  const value = written.replace(/\$\{(.*?)\}/g, (match, expression: string) => {
    const [kind = "", name = "", fallback = ""] = expression.split(":");
    switch (kind) {
      case "env":
      case "localEnv":
        isPrivate = true;
        return ownValue(localEnv, name) ?? fallback;
      case "containerEnv":
        isPrivate ||= privateNames.has(name);
        return ownValue(containerEnv, name) ?? fallback;
      case "localWorkspaceFolder":
        return localWorkspaceFolder;
      case "localWorkspaceFolderBasename":
      case "containerWorkspaceFolderBasename":
        return lastSegment(localWorkspaceFolder);
      case "containerWorkspaceFolder":
        return folder;
      default:
        return match;
    }
  });
  return { value, isPrivate };
}

function ownValue(values: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** The socket of the runner's own engine: the one path of the host that a job's container can count on. */
const ENGINE_SOCKET = "/var/run/docker.sock";

/**
 * The options of `docker create` that follow from the metadata, as one text for `jobs.<job>.container.options`. Folders of the host are
 * left out: on a runner they are not there.
 * @see https://containers.dev/implementors/json_reference/#general-properties
 */
export function containerOptions(merged: MergedMetadata): string {
  const user = merged.remoteUser ?? merged.containerUser;
  const options = [
    ...(user === undefined || user.includes("${") ? [] : [["--user", user]]),
    ...(merged.init ? [["--init"]] : []),
    ...(merged.privileged ? [["--privileged"]] : []),
    ...merged.capAdd.map((capability) => ["--cap-add", capability]),
    ...merged.securityOpt.map((option) => ["--security-opt", option]),
    ...merged.mounts.flatMap((mount) => mountOption(mountFields(mount))),
  ];
  return options.flat().map(quoteOption).join(" ");
}

function mountOption({ type = "volume", source, target }: Readonly<Record<string, string>>): string[][] {
  if (target === undefined || target.includes("${")) return [];
  if (type === "tmpfs") return [["--mount", `type=tmpfs,target=${target}`]];
  if (type === "bind")
    return source === ENGINE_SOCKET ? [["--mount", `type=bind,source=${source},target=${target}`]] : [];
  // A volume that is named after the dev container has no name here; a new one serves as well.
  const named = source === undefined || source === "" || source.includes("${") ? "" : `source=${source},`;
  return type === "volume" ? [["--mount", `type=volume,${named}target=${target}`]] : [];
}

/** Runners take the text apart at blanks outside of double quotes. */
function quoteOption(text: string): string {
  return /^[^\s"'\\]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
