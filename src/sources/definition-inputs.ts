import { isVolatileLabel, labelOf } from "../arguments/volatile-labels.ts";
import { DEFAULT_CONFIGURATION } from "../devcontainer/find.ts";
import type { Workspace } from "../devcontainer/paths.ts";
import { pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { ActionError, type Place } from "../errors.ts";
import type { BuildInputs } from "../inputs/build-inputs.ts";
import { type CountedOption, type Definition, type NamedContext, NOTHING, type Written } from "./definition-shape.ts";

/**
 * Lays what the inputs say about a build over what the configuration says.
 * @param at the configuration: an input has no place of its own.
 * @throws ActionError E_INPUT for a build context that leaves the checkout.
 */
export function withBuildInputs(
  definition: Definition,
  inputs: BuildInputs,
  { workspace, at }: { readonly workspace: Workspace; readonly at: Place },
): Definition {
  const contexts = inputs.contexts.map(({ name, kind, value }): readonly [string, NamedContext] => {
    const source = kind === "image" ? value : resolvePath(workspace.folder, value);
    if (kind === "folder" && pathWithin(workspace.checkout, source) === undefined) throw leavesCheckout(name, value);
    return [name, { kind, value: source, at, fromEnvironment: false, fromHostPath: false, input: "build-contexts" }];
  });
  const asked = [...definition.counted, ...optionsOfInputs(inputs, at)];
  const isVolatile = (option: CountedOption): boolean => {
    const label = labelOf(option);
    return label !== undefined && isVolatileLabel(label, inputs.ignoredLabels);
  };
  return {
    ...definition,
    target:
      inputs.target === undefined
        ? definition.target
        : { value: inputs.target, at, fromEnvironment: false, fromHostPath: false, input: "target" },
    contexts: new Map([...definition.contexts, ...contexts]),
    counted: asked.filter((option) => !isVolatile(option)),
    uncounted: [...definition.uncounted, ...asked.filter(isVolatile)],
    warnings: [...definition.warnings, ...idlePatterns(inputs, asked)],
  };
}

function optionsOfInputs({ labels, network, hosts }: BuildInputs, at: Place): CountedOption[] {
  const option = (input: string, name: string, value: string): CountedOption => {
    return { name, value, at, fromEnvironment: false, input };
  };
  return [
    ...labels.map(({ name, value }) => option("labels", "label", `${name}=${value}`)),
    ...(network === undefined ? [] : [option("network", "network", network)]),
    ...hosts.map(({ name, address }) => option("add-hosts", "add-host", `${name}=${address}`)),
  ];
}

/** A typo here would have every build miss. */
function idlePatterns({ ignoredLabels }: BuildInputs, asked: readonly CountedOption[]): Definition["warnings"] {
  const names = asked.flatMap((option) => labelOf(option) ?? []);
  return ignoredLabels
    .filter(({ matches }) => !names.some(matches))
    .map(({ written }) => ({ text: `The input ignore-labels names ${written}, and there is no such label` }));
}

function leavesCheckout(name: string, value: string): ActionError {
  return new ActionError("E_INPUT", {
    what: `The input build-contexts names ${value} for ${name}, which leaves the checkout.`,
    fix: "Name a folder of the checkout; the path counts from the workspace.",
  });
}

/** What the input dockerfile-path says in the place of a configuration. Both paths are absolute. */
export function dockerfileDefinition(
  { dockerfile, context }: { readonly dockerfile: string; readonly context: string },
  { checkout }: Pick<Workspace, "checkout">,
): Definition {
  const at = { file: pathWithin(checkout, dockerfile) ?? dockerfile };
  const written = (value: string, input: string): Written => {
    return { value, at, fromEnvironment: false, fromHostPath: false, input };
  };
  return {
    ...NOTHING,
    source: {
      kind: "dockerfile",
      dockerfile: written(dockerfile, "dockerfile-path"),
      context: written(context, "build-context-path"),
    },
  };
}

/** What the input fallback-image says where there is no configuration. */
export function imageDefinition(image: string): Definition {
  const at = { file: DEFAULT_CONFIGURATION };
  return {
    ...NOTHING,
    source: {
      kind: "image",
      image: { value: image, at, fromEnvironment: false, fromHostPath: false, input: "fallback-image" },
    },
    warnings: [{ text: `There is no dev container configuration: the input fallback-image counts, ${image}` }],
  };
}
