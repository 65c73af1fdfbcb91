import { readTrigger } from "../dockerfile/parse.ts";
import { declaredIn } from "../dockerfile/stages.ts";
import { tellPlace } from "../errors.ts";
import type { Platform } from "../oci/platform.ts";
import type { Doubt } from "../sources/doubt.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import type { Registry } from "../world.ts";
import { readBaseConfig } from "./base-config.ts";
import type { Binding, ImageSource } from "./upstream.ts";
import type { Wanted } from "./wanted.ts";

export type OnbuildArgs = {
  readonly kind: "read";
  /** In the order of the wanted platforms. */
  readonly byPlatform: readonly Readonly<Record<string, string>>[];
};

/**
 * The build args that no ARG of the Dockerfile declares, and an ONBUILD of a base does: they decide what is built. Only who gives such an
 * arg waits for the configs of the bases.
 * @returns for each platform the args that count, or what could not be read.
 */
export async function readOnbuildArgs(
  { platforms, undeclared }: Pick<Wanted, "platforms" | "undeclared">,
  bindings: readonly Binding[],
  registry: Registry,
): Promise<OnbuildArgs | Doubt> {
  const given = Object.entries(undeclared);
  if (given.length === 0) return { kind: "read", byPlatform: platforms.map(() => ({})) };
  const read = await Promise.all(
    platforms.map(({ platform, images }) => declaredByBases(images, platform, bindings, registry)),
  );
  const doubt = read.find((one) => "kind" in one);
  if (doubt && "kind" in doubt) return doubt;
  return {
    kind: "read",
    byPlatform: read.map((names) =>
      Object.fromEntries(given.filter(([name]) => !("kind" in names) && names.has(name))),
    ),
  };
}

async function declaredByBases(
  images: readonly ImageSource[],
  platform: Platform,
  bindings: readonly Binding[],
  registry: Registry,
): Promise<ReadonlySet<string> | Doubt> {
  const bound = new Map(bindings.map((binding) => [binding.reference, binding]));
  const names = new Set<string>();
  const reads = images
    .filter(({ isBuiltOn }) => isBuiltOn)
    .map(async (source) => {
      const { served } = bound.get(nameForBuildKit(source.reference)) ?? {};
      return { source, answer: await readBaseConfig(source, served, platform, registry) };
    });
  for (const { source, answer } of await Promise.all(reads)) {
    if (answer.kind !== "found")
      return { kind: "registry", what: `the config of ${source.written} (${tellPlace(source.at)})`, error: answer };
    for (const name of namesDeclared(answer.value.triggers)) names.add(name);
  }
  return names;
}

/**
 * The args that the triggers of a base declare.
 * @param triggers `OnBuild` of its config.
 */
export function namesDeclared(triggers: readonly string[]): readonly string[] {
  return triggers.flatMap((text) => {
    const trigger = readTrigger(text, { line: 1, endLine: 1 });
    return trigger ? declaredIn(trigger) : [];
  });
}
