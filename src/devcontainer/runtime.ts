import { replaceBraced } from "./braces.ts";
import type { MergedMetadata } from "./merge.ts";
import { lastSegment } from "./paths.ts";

/** What stands behind the variables of a running container's settings. */
export type RuntimeVariables = {
  readonly localEnv: Readonly<Record<string, string | undefined>>;
  /** The image's own environment. */
  readonly containerEnv: Readonly<Record<string, string>>;
  readonly localWorkspaceFolder: string;
  readonly containerWorkspaceFolder: RuntimeValue;
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

/** Who works in the container, variables replaced; one that has no value here stays as it is written. */
export function runtimeUser(written: string | undefined, variables: RuntimeVariables): string | undefined {
  return written === undefined ? undefined : replaceRuntime(written, variables).value;
}

/** The variables of this machine that an environment reads. */
export function variablesRead({ containerEnv, remoteEnv }: MergedMetadata): readonly string[] {
  const texts = [...Object.values(containerEnv), ...Object.values(remoteEnv)].filter((value) => value !== null);
  const names = texts.flatMap((text) =>
    [...text.matchAll(/\$\{(?:local)?[eE]nv:([^:}]*)/g)].map(([, name = ""]) => name),
  );
  return [...new Set(names)];
}

function namedEntries<T>(env: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  // In a file with one variable a line the rest of such a name would be a variable of its own.
  return Object.entries(env).filter(([name]) => /^[^=\0\r\n]+$/.test(name));
}

/** Characters that variables put into one value; what goes beyond stays as it is written. The system takes 128 KiB. */
const MOST_PUT_IN = 256 * 1024;

function replaceRuntime(
  written: string,
  variables: RuntimeVariables,
  privateNames: ReadonlySet<string> = new Set(),
): RuntimeValue {
  let isPrivate = false;
  let putIn = 0;
  const value = replaceBraced(written, (expression) => {
    const found = runtimeValue(expression, variables, privateNames);
    isPrivate ||= found?.isPrivate ?? false;
    putIn += found?.value.length ?? 0;
    return putIn > MOST_PUT_IN ? undefined : found?.value;
  });
  return { value, isPrivate };
}

function runtimeValue(
  expression: string,
  { localEnv, containerEnv, localWorkspaceFolder, containerWorkspaceFolder }: RuntimeVariables,
  privateNames: ReadonlySet<string>,
): RuntimeValue | undefined {
  const [kind = "", name = "", fallback = ""] = expression.split(":");
  switch (kind) {
    case "env":
    case "localEnv":
      return { value: ownValue(localEnv, name) ?? fallback, isPrivate: true };
    case "containerEnv":
      return { value: ownValue(containerEnv, name) ?? fallback, isPrivate: privateNames.has(name) };
    case "localWorkspaceFolder":
      return { value: localWorkspaceFolder, isPrivate: false };
    case "localWorkspaceFolderBasename":
      return { value: lastSegment(localWorkspaceFolder), isPrivate: false };
    case "containerWorkspaceFolder":
      return containerWorkspaceFolder;
    case "containerWorkspaceFolderBasename":
      return { ...containerWorkspaceFolder, value: lastSegment(containerWorkspaceFolder.value) };
    default:
      return undefined;
  }
}

function ownValue(values: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
