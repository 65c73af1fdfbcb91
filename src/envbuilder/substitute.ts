import { lastSegment } from "../devcontainer/paths.ts";

/** What the program envbuilder finds in its environment: by name, and what nobody knows before its container runs. */
export type ProcessEnvironment = {
  readonly variables: ReadonlyMap<string, string>;
  readonly unknown: ReadonlySet<string>;
};

/** A text after substitution, and the variables without which it cannot be told. */
export type Substituted = { readonly text: string; readonly unknown: readonly string[] };

/**
 * Replaces `${…}` in a build arg's value as envbuilder does: whatever it does not know becomes nothing.
 * @param folder the workspace folder as envbuilder is told it, or would choose it.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/devcontainer/devcontainer.go (SubstituteVars)
 */
export function substituteVariables(text: string, folder: string, environment: ProcessEnvironment): Substituted {
  const unknown: string[] = [];
  const lookUp = (name: string): string | undefined => {
    if (environment.unknown.has(name) && !environment.variables.has(name)) unknown.push(name);
    return environment.variables.get(name);
  };
  // What is never closed stays as it is, with all that stands behind it.
  const replaced = text.replaceAll(/\$\{([^}]*)\}/g, (_, expression: string) => evaluate(expression, folder, lookUp));
  return { text: replaced, unknown };
}

function evaluate(expression: string, folder: string, lookUp: (name: string) => string | undefined): string {
  const [first = "", name = "", ...rest] = expression.split(":");
  if (!expression.includes(":")) {
    if (/^(?:local|container)WorkspaceFolder$/.test(first)) return folder;
    if (/^(?:local|container)WorkspaceFolderBasename$/.test(first)) return lastSegment(folder) || baseOfNothing(folder);
    return lookUp(first) ?? "";
  }
  if (!["env", "localEnv", "containerEnv"].includes(first)) return "";
  // With more colons than one the default is lost.
  return lookUp(name) ?? (rest.length === 1 ? (rest[0] ?? "") : "");
}

/** Go's `filepath.Base` of what has no last segment. */
function baseOfNothing(folder: string): string {
  return folder === "" ? "." : "/";
}
