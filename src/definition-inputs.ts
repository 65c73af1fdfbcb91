import type { BuildInputs } from "./build-inputs.ts";
import type { CountedOption, Definition, NamedContext } from "./definition.ts";
import { pathWithin, resolvePath } from "./devcontainer/paths.ts";
import { ActionError, type Place } from "./errors.ts";

/**
 * Lays what the inputs say about a build over what the configuration says.
 * @param at the configuration: an input has no place of its own.
 * @throws ActionError E_INPUT for a build context that leaves the workspace.
 */
export function withBuildInputs(
  definition: Definition,
  inputs: BuildInputs,
  { workspace, at }: { readonly workspace: string; readonly at: Place },
): Definition {
  const contexts = inputs.contexts.map(({ name, kind, value }): readonly [string, NamedContext] => {
    const source = kind === "image" ? value : resolvePath(workspace, value);
    if (kind === "folder" && pathWithin(workspace, source) === undefined) throw leavesWorkspace(name, value);
    return [name, { kind, value: source, at, fromEnvironment: false, fromHostPath: false }];
  });
  return {
    ...definition,
    target:
      inputs.target === undefined
        ? definition.target
        : { value: inputs.target, at, fromEnvironment: false, fromHostPath: false },
    contexts: new Map([...definition.contexts, ...contexts]),
    counted: [...definition.counted, ...countedInputs(inputs, at)],
  };
}

function countedInputs({ labels, network, hosts }: BuildInputs, at: Place): CountedOption[] {
  const option = (name: string, value: string): CountedOption => ({ name, value, at, fromEnvironment: false });
  return [
    ...labels.map(({ name, value }) => option("label", `${name}=${value}`)),
    ...(network === undefined ? [] : [option("network", network)]),
    ...hosts.map(({ name, address }) => option("add-host", `${name}=${address}`)),
  ];
}

function leavesWorkspace(name: string, value: string): ActionError {
  return new ActionError("E_INPUT", {
    what: `The input build-contexts names ${value} for ${name}, which leaves the workspace.`,
    fix: "Name a folder of the checkout, relative to the workspace.",
  });
}
