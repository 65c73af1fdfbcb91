import { DIRECTIVES } from "./context.ts";
import { type FeatureSpecification, featureLines } from "./feature.ts";
import { compareBytes } from "./go-json.ts";
import type { Specification } from "./specification.ts";
import { type ProcessEnvironment, substituteVariables } from "./substitute.ts";

/** Build args as envbuilder hands them on, `NAME=value`, and the variables without which they cannot be told. */
export type CompiledArguments = { readonly args: readonly string[]; readonly unknown: readonly string[] };

/** The build args of a configuration, sorted by name, with `${…}` replaced. */
export function compileArguments(
  { args }: Pick<Specification, "args">,
  folder: string,
  environment: ProcessEnvironment,
): CompiledArguments {
  const sorted = [...args].sort(([one], [other]) => compareBytes(one, other));
  const values = sorted.map(([name, value]) => ({ name, ...substituteVariables(value, folder, environment) }));
  return {
    args: values.map(({ name, text }) => `${name}=${text}`),
    unknown: [...new Set(values.flatMap(({ unknown }) => unknown))],
  };
}

/** Build args by name: what has no `=` in it is none. */
export function argumentsByName(args: readonly string[]): ReadonlyMap<string, string> {
  return new Map(args.map((arg) => [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)]));
}

/**
 * The Dockerfile that envbuilder builds: the given one, then the features in the order of their references, then its own directives.
 * @param user who the image runs as without a `remoteUser`.
 * @param features by reference.
 * @throws ActionError E_FEATURE for an option that a feature does not declare.
 */
export function compileDockerfile(
  dockerfile: string,
  specification: Pick<Specification, "features" | "remoteUser">,
  { user, features }: { readonly user: string; readonly features: ReadonlyMap<string, FeatureSpecification> },
): string {
  const remote = specification.remoteUser || user;
  const references = [...specification.features.keys()].sort(compareBytes);
  if (references.length === 0) return dockerfile + DIRECTIVES;
  const installed = references.flatMap((reference) => {
    const feature = features.get(reference);
    if (!feature) throw new Error(`the feature ${reference} was not read`);
    const given = specification.features.get(reference);
    return featureLines(reference, feature, given, { container: user, remote });
  });
  const last = remote === "" ? [] : [`USER ${remote}`];
  return [dockerfile, "\nUSER root", ...installed, ...last].join("\n") + DIRECTIVES;
}
