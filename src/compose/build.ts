import { ActionError, type Place } from "../errors.ts";
import { additionalContexts } from "./contexts.ts";
import { extraHostsAt, sizeAt, ulimitsAt } from "./limits.ts";
import { buildSecrets } from "./secrets.ts";
import type { ServiceBuild } from "./service.ts";
import { resolveInside } from "./sources.ts";
import { readingOf, type Variables } from "./template.ts";
import { isSet, type Mapping, placeOf, type Scalar } from "./tree.ts";
import {
  assignmentsAt,
  asText,
  isOn,
  type Section,
  type Sourced,
  scalarAt,
  sectionAt,
  sourced,
  textAt,
  textsAt,
} from "./values.ts";

export type BuildScope = {
  readonly checkout: string;
  /** Absolute: the project's, which is the context where none is named. */
  readonly folder: string;
  /** The project's: what an argument without a value takes its value from. */
  readonly variables: Variables;
  readonly secrets: Mapping;
};

/**
 * What the `build` of a service says.
 * @throws E_CONFIG for a value of a wrong type, a path that leaves the checkout, and a secret that is not defined.
 * @see https://github.com/compose-spec/compose-spec/blob/main/build.md
 */
export function readBuild(build: Section, scope: BuildScope): ServiceBuild {
  const { checkout, variables, secrets } = scope;
  const context = contextOf(build, scope);
  return {
    kind: "build",
    context,
    dockerfile: dockerfileOf(build, context, checkout),
    target: textAt(build, "target"),
    args: argsOf(build, variables),
    additionalContexts: additionalContexts(build, checkout),
    labels: labelsOf(build),
    network: textAt(build, "network"),
    extraHosts: extraHostsAt(build),
    shmSize: sizeAt(build, "shm_size"),
    ulimits: ulimitsAt(build),
    secrets: buildSecrets(build, secrets, checkout),
    ssh: sshOf(build, checkout),
    entitlements: textsAt(build, "entitlements"),
    privileged: isOn(build, "privileged"),
    cacheFrom: textsAt(build, "cache_from"),
    noCache: isOn(build, "no_cache"),
    pull: isOn(build, "pull"),
    platforms: textsAt(build, "platforms"),
  };
}

/** Without a context, and with an empty one, it is the project's folder. */
function contextOf(build: Section, { checkout, folder }: BuildScope): Sourced {
  const context = scalarAt(build, "context");
  if (context && context.text !== "")
    return sourced(context, resolveInside(context, `${build.path}.context`, checkout));
  return { value: folder, at: build.mapping.at, fromEnvironment: false };
}

function dockerfileOf(build: Section, context: Sourced, checkout: string): ServiceBuild["dockerfile"] {
  const inline = scalarAt(build, "dockerfile_inline");
  const dockerfile = scalarAt(build, "dockerfile");
  const isNamed = dockerfile !== undefined && dockerfile.text !== "";
  const isInline = inline !== undefined && inline.text !== "";
  if (isInline && isNamed) {
    throw new ActionError("E_CONFIG", {
      what: `${build.path} has a dockerfile and a dockerfile_inline.`,
      fix: "Take one of them out.",
      at: dockerfile.at,
    });
  }
  if (isInline) return { kind: "inline", text: sourced({ ...inline, at: inline.textAt ?? inline.at }, inline.text) };
  const byDefault: Scalar = {
    kind: "scalar",
    type: "text",
    text: "Dockerfile",
    at: context.at,
    folder: context.value,
    fromEnvironment: context.fromEnvironment,
    unset: [],
    missing: [],
  };
  const named = isNamed ? { ...dockerfile, folder: context.value } : byDefault;
  return { kind: "file", path: sourced(named, resolveInside(named, `${build.path}.dockerfile`, checkout)) };
}

function argsOf(build: Section, variables: Variables): ReadonlyMap<string, Sourced> {
  const args = new Map<string, Sourced>();
  for (const [name, arg] of assignmentsAt(build, "args")) {
    const value = arg.value ?? variables.get(name);
    const isVariable = arg.value === undefined;
    const reads = isVariable ? { reads: [readingOf(name, variables)] } : {};
    if (value !== undefined)
      args.set(name, { ...arg, value, fromEnvironment: arg.fromEnvironment || isVariable, ...reads });
  }
  return args;
}

function labelsOf(build: Section): ReadonlyMap<string, Sourced> {
  return new Map(
    [...assignmentsAt(build, "labels")].map(([name, label]) => [name, { ...label, value: label.value ?? "" }]),
  );
}

function sshOf(build: Section, checkout: string): ServiceBuild["ssh"] {
  const ssh = sectionAt(build, "ssh");
  if (!ssh) return new Map();
  return new Map(
    [...ssh.mapping.entries].map(([id, tree]): readonly [string, Sourced<string | undefined>] => {
      const path = `${ssh.path}.${id}`;
      if (!/^[\w.@-]+$/.test(id)) throw wrongId(id, ssh.path, placeOf(tree));
      if (!isSet(tree)) return [id, { value: undefined, at: placeOf(tree), fromEnvironment: false }];
      const scalar = asText(tree, path);
      return [id, sourced(scalar, resolveInside(scalar, path, checkout))];
    }),
  );
}

/** buildx takes what stands behind a = for the path of a key, and what stands behind a comma for another one. */
function wrongId(id: string, path: string, at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${path} names the id ${JSON.stringify(id)}.`,
    fix: "An id is made of letters, digits and _ . @ -, like default.",
    at,
  });
}
