import type { Inputs } from "../inputs/inputs.ts";
import type { Json } from "../key/canonical.ts";
import type { BuildArguments } from "../sources/build-arguments.ts";

/**
 * What the inputs, and not the commit, say of the image: by that the legs of a matrix differ which build one configuration. Of a file of
 * build args its name, for its content is the commit's. What does not count for the key makes no variant.
 * @param args the build args that count.
 * @returns `undefined` where the inputs say nothing of it.
 */
export function variantOf(
  { build, additionalFeatures, buildContextPath, remoteUserUid }: Inputs,
  args: BuildArguments["args"],
): Json | undefined {
  const named = new Set(build.args.entries.map(({ name }) => name));
  const parts: Readonly<Record<string, Json>> = {
    arguments: Object.fromEntries(Object.entries(args).filter(([name]) => named.has(name))),
    argumentFiles: build.argumentFiles,
    contexts: build.contexts.map(({ name, value }) => [name, value]),
    contextPath: buildContextPath ?? [],
    features: additionalFeatures,
    remoteUserUid: remoteUserUid ?? [],
    target: build.target ?? [],
  };
  const said = Object.entries(parts).filter(([, part]) => !isEmpty(part));
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

function isEmpty(part: Json): boolean {
  return typeof part === "object" && part !== null && Object.keys(part).length === 0;
}
