import { onbuildReads } from "../dockerfile/reads.ts";
import type { ImageConfig } from "../oci/config.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { addsOfTriggers } from "../plan/addresses.ts";
import { readBaseConfig } from "../plan/base-config.ts";
import { namesDeclared } from "../plan/onbuild-args.ts";
import type { Sources } from "../plan/plan.ts";
import type { Binding, ImageSource } from "../plan/upstream.ts";
import type { Triggers } from "../sources/build-source.ts";
import type { Doubt } from "../sources/doubt.ts";
import { nameForBuildKit } from "../sources/image-name.ts";
import type { Gathered } from "../sources/sources.ts";
import type { Answer, Registry } from "../world.ts";

/** The configs of images that stages are built on, each under what `baseKey` says. */
export type BaseConfigs = ReadonlyMap<string, ImageConfig>;

/** Under which name the config of an image is known that some stage of a platform's build stands on. */
export function baseKey(source: ImageSource, platform: Platform): string {
  return `${formatPlatform(wantedOf(source, platform))} ${nameForBuildKit(source.reference)}`;
}

function wantedOf({ of }: ImageSource, platform: Platform): Platform {
  return of.kind === "platform" ? of.platform : platform;
}

/** Reads the config of such an image: what the probe has read of it, or by the digest that the key names, for the tag may have moved. */
export async function readBase(
  source: ImageSource,
  binding: Binding | undefined,
  platform: Platform,
  registry: Registry,
): Promise<Answer<ImageConfig>> {
  const reference = binding === undefined ? source.reference : { ...source.reference, digest: binding.digest };
  return readBaseConfig({ ...source, reference }, binding?.served, platform, registry);
}

/** What the bases say: their configs, and the triggers of platforms where these take something of the sources that nobody knew of. */
export type Bases = { readonly kind: "read"; readonly configs: BaseConfigs; readonly triggers: Triggers };

/**
 * Reads what all platforms are built on, each image once. An image that was found under a key proves that there is no trigger that the
 * key does not know, so this is asked only where none was.
 */
export async function readBases(
  { wanted, build }: Sources,
  bindings: readonly Binding[],
  registry: Registry,
): Promise<Bases | Doubt> {
  const bound = new Map(bindings.map((binding) => [binding.reference, binding]));
  const uses = wanted.platforms.flatMap(({ platform, images }) =>
    images.filter(({ isBuiltOn }) => isBuiltOn).map((source) => ({ platform, source, key: baseKey(source, platform) })),
  );
  const once = [...new Map(uses.map((use) => [use.key, use])).values()];
  const answers = await Promise.all(
    once.map(async ({ platform, source, key }) => {
      const binding = bound.get(nameForBuildKit(source.reference));
      return { key, source, answer: await readBase(source, binding, platform, registry) };
    }),
  );
  const configs = new Map<string, ImageConfig>();
  for (const { key, source, answer } of answers) {
    if (answer.kind !== "found")
      return { kind: "registry", what: `the config of the base image ${source.written}`, error: answer };
    configs.set(key, answer.value);
  }
  return { kind: "read", configs, triggers: triggersOf(build, uses, configs) };
}

/**
 * Whether triggers may take something of a Dockerfile's sources: from the context, or by an ARG what the Dockerfile says before the first
 * FROM, or what a stage is called; or something from an address. Whether there is such a thing now does not matter: where it is added, the
 * same key would be looked for.
 */
export function takesMore(build: Gathered, triggers: readonly string[]): boolean {
  const isOwn = build.definition.source.kind === "dockerfile";
  const readsSources = isOwn && (onbuildReads(triggers).length > 0 || namesDeclared(triggers).length > 0);
  return readsSources || addsOfTriggers(build, triggers).some(({ address }) => address !== undefined);
}

function triggersOf(
  build: Gathered,
  uses: readonly { readonly platform: Platform; readonly key: string }[],
  configs: BaseConfigs,
): Triggers {
  const triggers = new Map<string, readonly string[]>();
  for (const { platform, key } of uses) {
    const name = formatPlatform(platform);
    const all = [...(triggers.get(name) ?? []), ...(configs.get(key)?.triggers ?? [])];
    if (takesMore(build, all)) triggers.set(name, all);
  }
  return triggers;
}
