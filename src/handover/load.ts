import { lastWords } from "../buildx/buildx.ts";
import { isolateDockerConfiguration } from "../buildx/isolation.ts";
import { ActionError } from "../errors.ts";
import { setTag, sourceTag } from "../key/fingerprint.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatPinned, formatReference, formatRepository } from "../oci/reference.ts";
import type { Plan } from "../plan/keyed.ts";
import type { Wanted } from "../plan/wanted.ts";
import type { Outcome, Scene } from "../publish/outcome.ts";
import type { World } from "../world.ts";

/** Makes sure, before any work, that there is an engine to load into. @throws ActionError E_DOCKER */
export async function requireEngine({ exec }: Pick<World, "exec">): Promise<void> {
  const answer = await exec("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: 30_000 });
  if (answer?.code === 0) return;
  const why = answer === undefined ? "there is no docker program on this machine" : lastWords(answer);
  throw new ActionError("E_DOCKER", {
    what: `The input load is true, and there is no engine to load the image into: ${why}`,
    fix: "Start Docker on this machine, or leave load out.",
  });
}

/**
 * Puts an image into the local engine: each platform as `<repository>:<tag>-<architecture>`, the machine's own without suffix too, under
 * the set's tag and under those that the user asked for. What was built here is there already and only gets its names.
 * @throws ActionError E_DOCKER with docker's last words.
 */
export async function loadImage(outcome: Outcome, loading: Loading): Promise<void> {
  const { inputs, world } = loading;
  const { exec, log } = world;
  const images = imagesToLoad(outcome, loading);
  const env = images.some(({ isRemote }) => isRemote) ? await isolate(loading) : {};
  for (const { name, platform, isRemote, tags } of images) {
    const written = formatPlatform(platform);
    const commands = [
      ...(isRemote ? [["pull", "--quiet", "--platform", written, name]] : []),
      ...tags.map((tag) => ["tag", name, formatReference({ ...inputs.cacheRepository, tag })]),
    ];
    for (const command of commands) {
      const finished = await exec("docker", command, { env });
      if (finished?.code !== 0) throw notLoaded(written, lastWords(finished));
    }
    const named = tags.length === 0 ? name : `${formatRepository(inputs.cacheRepository)}:${tags.join(", :")}`;
    log.info(`In the local engine, ${written}: ${named}`);
  }
}

/** What an image is loaded with, and by which names it goes; one that was only named by its digest has no other. */
export type Loading = Pick<Scene, "inputs" | "world"> & {
  readonly names: Names | undefined;
};

type Names = Pick<Scene, "tags"> & {
  readonly probed: { readonly plan: Pick<Plan, "key"> | undefined };
  readonly sources: { readonly wanted: Pick<Wanted, "sourceKey"> };
};

type ImageToLoad = {
  readonly name: string;
  readonly platform: Platform;
  readonly isRemote: boolean;
  readonly tags: readonly string[];
};

/**
 * The machine's own platform is fetched by the digest that the outputs name, so that it can be run by that name. The others are fetched
 * each by its own: Docker's classic store keeps one platform of an index.
 */
function imagesToLoad(outcome: Outcome, { inputs, world, names }: Loading): readonly ImageToLoad[] {
  const { digest, found = [], built = [], localImage } = outcome;
  const isOwn = (platform: Platform): boolean => formatPlatform(platform) === world.host.platform;
  const tagsOf = (platform: Platform): readonly string[] =>
    (names ? tagsToLoad(outcome, names) : []).flatMap((tag) => [
      ...(isOwn(platform) ? [tag] : []),
      `${tag}-${suffix(platform)}`,
    ]);
  if (localImage !== undefined)
    return built.map(({ platform }) => ({ name: localImage, platform, isRemote: false, tags: tagsOf(platform) }));
  if (digest === undefined) return [];
  return found.map(({ platform, manifest }) => ({
    name: formatPinned({ ...inputs.cacheRepository, digest: isOwn(platform) ? digest : manifest }),
    platform,
    isRemote: true,
    tags: tagsOf(platform),
  }));
}

/** The last good image is not what the key names: it goes by the tag of its sources, and by none that the user keeps for this commit's. */
function tagsToLoad(
  { result }: Outcome,
  { probed: { plan }, sources, tags: { tags, release } }: Names,
): readonly string[] {
  if (result === "stale") return [sourceTag(sources.wanted.sourceKey)];
  return [...(plan ? [setTag(plan.key)] : []), ...tags, ...(release === undefined ? [] : [release])];
}

/** `arm64`, `arm-v7` */
function suffix({ architecture, variant }: Platform): string {
  return variant === undefined ? architecture : `${architecture}-${variant}`;
}

/** A Docker configuration with the login for the cache repository alone. */
async function isolate({
  inputs: { cacheRepository: name },
  world,
}: Loading): Promise<Readonly<Record<string, string>>> {
  const { files, host, credentials } = world;
  const folder = await files.temporaryFolder("docker");
  return isolateDockerConfiguration(files, host.env, folder, [{ name, login: await credentials(name) }]);
}

function notLoaded(platform: string, words: string): ActionError {
  return new ActionError("E_DOCKER", {
    what: `The image for ${platform} is there, and the local engine could not take it: ${words}`,
    fix: "The engine reaches registries in its own way: what this action is told about certificates, plain http, mirrors and proxies has to stand in the engine's configuration too. Or leave load out.",
  });
}
